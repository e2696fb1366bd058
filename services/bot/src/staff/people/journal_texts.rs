//! The words that stand in the records of what happened, as people read them.

use tolov_domain::{Language, UserId};
use tolov_shop::staff::{Role, StaffAction};

use crate::{
    staff::{panel::role_name, people::names::Names},
    texts::l,
};

/// What staff did. What another version of the shop has written down is shown as it is.
pub(crate) fn deed_name(language: Language, what: &str) -> String {
    match what {
        "category.added" => l!(language, "did-category-added"),
        "category.title" => l!(language, "did-category-title"),
        "category.photo" => l!(language, "did-category-photo"),
        "category.place" => l!(language, "did-category-place"),
        "category.hidden" => l!(language, "did-category-hidden"),
        "category.shown" => l!(language, "did-category-shown"),
        "category.removed" => l!(language, "did-category-removed"),
        "product.added" => l!(language, "did-product-added"),
        "product.title" => l!(language, "did-product-title"),
        "product.description" => l!(language, "did-product-description"),
        "product.price" => l!(language, "did-product-price"),
        "product.stock" => l!(language, "did-product-stock"),
        "product.photo" => l!(language, "did-product-photo"),
        "product.fiscal" => l!(language, "did-product-fiscal"),
        "product.category" => l!(language, "did-product-category"),
        "product.hidden" => l!(language, "did-product-hidden"),
        "product.shown" => l!(language, "did-product-shown"),
        "product.removed" => l!(language, "did-product-removed"),
        "variant.added" => l!(language, "did-variant-added"),
        "variant.label" => l!(language, "did-variant-label"),
        "variant.price" => l!(language, "did-variant-price"),
        "variant.stock" => l!(language, "did-variant-stock"),
        "variant.removed" => l!(language, "did-variant-removed"),
        "promo.added" => l!(language, "did-promo-added"),
        "promo.on" => l!(language, "did-promo-on"),
        "promo.off" => l!(language, "did-promo-off"),
        "staff.added" => l!(language, "did-staff-added"),
        "staff.role" => l!(language, "did-staff-role"),
        "staff.removed" => l!(language, "did-staff-removed"),
        "catalogue.imported" => l!(language, "did-catalogue-imported"),
        "order.placed" => l!(language, "did-order-placed"),
        "order.registered" => l!(language, "did-order-registered"),
        "order.paid" => l!(language, "did-order-paid"),
        "order.accepted" => l!(language, "did-order-accepted"),
        "order.made_ready" => l!(language, "did-order-made-ready"),
        "order.sent_off" => l!(language, "did-order-sent-off"),
        "order.delivered" => l!(language, "did-order-delivered"),
        "order.cancelled" => l!(language, "did-order-cancelled"),
        "order.expired" => l!(language, "did-order-expired"),
        "order.refunded" => l!(language, "did-order-refunded"),
        "broadcast.started" => l!(language, "did-broadcast-started"),
        "broadcast.paused" => l!(language, "did-broadcast-paused"),
        "broadcast.resumed" => l!(language, "did-broadcast-resumed"),
        "broadcast.stopped" => l!(language, "did-broadcast-stopped"),
        "support.answered" => l!(language, "did-support-answered"),
        other => other.to_owned(),
    }
}

/// What an event told of an order.
pub(crate) fn event_name(language: Language, name: &str) -> String {
    match name {
        "payment.completed" => l!(language, "event-payment-completed"),
        "payment.cancelled" => l!(language, "event-payment-cancelled"),
        "payment.questioned" => l!(language, "event-payment-questioned"),
        "order.expired" => l!(language, "event-order-expired"),
        other => other.to_owned(),
    }
}

/// What it was done to, and how. Records are kept in no language: what is a word in them is said in the reader's.
pub(crate) fn detail(language: Language, action: &StaffAction, names: &Names) -> String {
    let detail = action.detail.as_str();
    let said = match action.what.as_str() {
        "staff.added" | "staff.role" | "staff.removed" => {
            values(detail, |value| role(value).map(|role| role_name(language, role)))
        }
        "product.fiscal" => values(detail, |value| fiscal(language, value)),
        // The name of a file says nothing to a person.
        "product.photo" => detail.rsplit_once(": ").map(|(about, _)| about.to_owned()),
        "catalogue.imported" => imported(language, detail),
        "support.answered" => whom(detail).map(|id| names.plain(id)),
        _ => None,
    };
    said.unwrap_or_else(|| detail.to_owned())
}

/// Whom a deed was done to, where it needs a name.
pub(crate) fn person_in(action: &StaffAction) -> Option<UserId> {
    if action.what == "support.answered" { whom(&action.detail) } else { None }
}

fn whom(detail: &str) -> Option<UserId> {
    detail.parse().ok().and_then(|id| UserId::try_new(id).ok())
}

/// `7 Choynak: before → after`, with the values said otherwise where that can be.
fn values(detail: &str, say: impl Fn(&str) -> Option<String>) -> Option<String> {
    let (about, values) = detail.rsplit_once(": ")?;
    let said: Vec<String> =
        values.split(" → ").map(|value| say(value).unwrap_or_else(|| value.to_owned())).collect();
    Some(format!("{about}: {}", said.join(" → ")))
}

fn role(word: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role.as_str() == word)
}

fn fiscal(language: Language, value: &str) -> Option<String> {
    let (word, value) = value.split_once(' ')?;
    let label = match word {
        "MXIK" => l!(language, "edit-field-mxik"),
        "package" => l!(language, "edit-field-package"),
        "VAT" => l!(language, "edit-field-vat"),
        _ => return None,
    };
    Some(format!("{label} {value}"))
}

/// How an import is written down: read again by [`imported`].
pub(crate) fn import_detail(new: usize, changed: usize, categories: usize) -> String {
    format!("+{new} products, {changed} changed, +{categories} categories")
}

fn imported(language: Language, detail: &str) -> Option<String> {
    let numbers: Vec<u32> = detail
        .split(|character: char| !character.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect();
    let [new, changed, categories] = numbers.as_slice() else { return None };
    Some(l!(language, "did-import-detail", new = *new, changed = *changed, categories = *categories))
}

#[cfg(test)]
#[path = "journal_texts_tests.rs"]
mod tests;
