//! The entries of the journal in words: what was done, and its details.

use tolov_domain::{Language, ProductId, UserId, order::Portion};
use tolov_shop::{
    broadcast::Command,
    order::MissingChoice,
    promo::Off,
    staff::{
        Action, CategoryChange, FiscalField, MemberChange, ProductChange, PromoChange, RefundChange, Role,
        VariantChange,
    },
};

use crate::{
    orders::texts::action_in_journal,
    staff::{panel::role_name, people::names::Names},
    texts::{amount, isolated, l, money, number, whole_percent},
};

const NONE: &str = "–";

/// What was done, and the details of it, in the language of the reader.
pub(crate) fn texts_of(language: Language, action: &Action, names: &Names) -> (String, String) {
    match action {
        Action::Category { category_id, title, change } => category(language, *category_id, title, change),
        Action::Product { product_id, title, change } => product(language, *product_id, title, change),
        Action::Variant { product_id, title, variant_id, label, change } => {
            variant(language, &format!("{product_id} {title}"), (*variant_id, label), change)
        }
        Action::Promo { code, off, change } => {
            let what = match change {
                PromoChange::Added => l!(language, "journal-promo-added"),
                PromoChange::Activated => l!(language, "journal-promo-on"),
                PromoChange::Deactivated => l!(language, "journal-promo-off"),
            };
            (what, format!("{code}: {}", off_text(language, *off)))
        }
        Action::Member { user_id, name, change } => member(language, *user_id, name, *change),
        Action::CatalogueImported { products_new, products_changed, categories_new } => {
            let detail = l!(
                language,
                "journal-import-detail",
                new = *products_new,
                changed = *products_changed,
                categories = *categories_new
            );
            (l!(language, "journal-catalogue-imported"), detail)
        }
        Action::Order { order_id, action } => {
            (action_in_journal(language, *action), number(language, *order_id))
        }
        Action::Refund { order_id, sum, change, .. } => {
            let what = match change {
                RefundChange::Requested => l!(language, "journal-refund-requested"),
                RefundChange::ByHand => l!(language, "journal-refund-by-hand"),
                RefundChange::SentAgain => l!(language, "journal-refund-again"),
                RefundChange::Withdrawn => l!(language, "journal-refund-withdrawn"),
            };
            (what, format!("{}: {}", number(language, *order_id), money(language, *sum)))
        }
        Action::Missing { order_id, choice } => {
            let what = match choice {
                MissingChoice::Wait => l!(language, "journal-missing-wait"),
                MissingChoice::Other => l!(language, "journal-missing-other"),
            };
            (what, number(language, *order_id))
        }
        Action::PaymentAccepted { order_id } => {
            (l!(language, "journal-payment-accepted"), number(language, *order_id))
        }
        Action::Broadcast { broadcast_id, command, done, total } => {
            let progress = |what| (what, format!("{broadcast_id}: {done} / {total}"));
            match command {
                Command::Start => {
                    (l!(language, "journal-broadcast-started"), format!("{broadcast_id}: {total}"))
                }
                Command::Pause => progress(l!(language, "journal-broadcast-paused")),
                Command::Resume => progress(l!(language, "journal-broadcast-resumed")),
                Command::Stop => progress(l!(language, "journal-broadcast-stopped")),
            }
        }
        Action::SupportAnswered { user_id } => {
            (l!(language, "journal-support-answered"), names.plain(*user_id))
        }
    }
}

/// Whom an action concerns, where the entry shows the name.
pub(crate) const fn person_in(action: &Action) -> Option<UserId> {
    if let Action::SupportAnswered { user_id } = action { Some(*user_id) } else { None }
}

fn category(language: Language, id: i64, title: &str, change: &CategoryChange) -> (String, String) {
    let about = format!("{id} {title}");
    match change {
        CategoryChange::Added => (l!(language, "journal-category-added"), about),
        CategoryChange::Title { was } => {
            (l!(language, "journal-category-title"), format!("{id}: {was} → {title}"))
        }
        CategoryChange::Photo => (l!(language, "journal-category-photo"), about),
        CategoryChange::Place { was, now } => {
            (l!(language, "journal-category-place"), format!("{id}: {was} → {now}"))
        }
        CategoryChange::Hidden => (l!(language, "journal-category-hidden"), about),
        CategoryChange::Shown => (l!(language, "journal-category-shown"), about),
        CategoryChange::Removed => (l!(language, "journal-category-removed"), about),
    }
}

fn product(language: Language, id: ProductId, title: &str, change: &ProductChange) -> (String, String) {
    let about = format!("{id} {title}");
    let changed = |was: &str, now: &str| format!("{about}: {was} → {now}");
    match change {
        ProductChange::Added { price } => {
            (l!(language, "journal-product-added"), format!("{about}: {}", price.grouped()))
        }
        ProductChange::Title { was } => (l!(language, "journal-product-title"), changed(was, title)),
        ProductChange::Description { was, now } => {
            (l!(language, "journal-product-description"), changed(or_none(was), or_none(now)))
        }
        ProductChange::Price { was, now } => {
            (l!(language, "journal-product-price"), changed(&was.grouped(), &now.grouped()))
        }
        ProductChange::Stock { was, now, portion } => {
            let stock = |stock| stock_text(language, stock, *portion);
            (l!(language, "journal-product-stock"), changed(&stock(*was), &stock(*now)))
        }
        ProductChange::Photo => (l!(language, "journal-product-photo"), about),
        ProductChange::Fiscal { field, was, now } => {
            let label = match field {
                FiscalField::Mxik => l!(language, "edit-field-mxik"),
                FiscalField::PackageCode => l!(language, "edit-field-package"),
                FiscalField::VatPercent => l!(language, "edit-field-vat"),
            };
            let unit = if *field == FiscalField::VatPercent { "%" } else { "" };
            let text = |value: &Option<String>| match value {
                Some(value) => format!("{label} {value}{unit}"),
                None => format!("{label} {NONE}"),
            };
            (l!(language, "journal-product-fiscal"), changed(&text(was), &text(now)))
        }
        ProductChange::Category { was, now, now_title } => (
            l!(language, "journal-product-category"),
            changed(&was.to_string(), &format!("{now} {now_title}")),
        ),
        ProductChange::Hidden => (l!(language, "journal-product-hidden"), about),
        ProductChange::Shown => (l!(language, "journal-product-shown"), about),
        ProductChange::Removed => (l!(language, "journal-product-removed"), about),
    }
}

fn variant(
    language: Language,
    product: &str,
    (id, label): (ProductId, &str),
    change: &VariantChange,
) -> (String, String) {
    let changed = |was: &str, now: &str| format!("{product} · {label}: {was} → {now}");
    match change {
        VariantChange::Added { price } => {
            (l!(language, "journal-variant-added"), format!("{product}: {id} {label} {}", price.grouped()))
        }
        VariantChange::Label { was } => (l!(language, "journal-variant-label"), changed(was, label)),
        VariantChange::Price { was, now } => {
            (l!(language, "journal-variant-price"), changed(&was.grouped(), &now.grouped()))
        }
        VariantChange::Stock { was, now, portion } => {
            let stock = |stock| stock_text(language, stock, *portion);
            (l!(language, "journal-variant-stock"), changed(&stock(*was), &stock(*now)))
        }
        VariantChange::Removed => {
            (l!(language, "journal-variant-removed"), format!("{product}: {id} {label}"))
        }
    }
}

fn member(language: Language, id: UserId, name: &str, change: MemberChange) -> (String, String) {
    let role = |role: Role| role_name(language, role);
    let (what, values) = match change {
        MemberChange::Added { role: now } => (l!(language, "journal-staff-added"), role(now)),
        MemberChange::Role { was, now } => {
            (l!(language, "journal-staff-role"), format!("{} → {}", role(was), role(now)))
        }
        MemberChange::Removed { role: was } => (l!(language, "journal-staff-removed"), role(was)),
    };
    (what, format!("{id} {}: {values}", isolated(name)))
}

fn off_text(language: Language, off: Off) -> String {
    match off {
        Off::Percent(percent) => whole_percent(language, percent),
        Off::Amount(amount) => amount.grouped(),
    }
}

/// Without a stock, the product is not counted.
fn stock_text(language: Language, stock: Option<u32>, portion: Option<Portion>) -> String {
    match (stock, portion) {
        (None, _) => "∞".to_owned(),
        (Some(stock), Some(portion)) => amount(language, portion, stock),
        (Some(stock), None) => stock.to_string(),
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { NONE } else { text }
}

#[cfg(test)]
#[path = "journal_texts_tests.rs"]
mod tests;
