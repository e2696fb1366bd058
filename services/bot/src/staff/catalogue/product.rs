//! One product: its card, and what can be done with it.

use tolov_domain::{Language, ProductId, ports::PortError};
use tolov_shop::{
    catalogue::{self, Category, Product},
    staff::{Action, ProductChange},
};

use crate::{
    conversation::{
        callback::CatalogueCallback,
        context::Ctx,
        dialogue::{Field, Step},
        error::HandlerResult,
        pages::Page,
        screen::{Button, Screen},
    },
    staff::{
        catalogue::{
            card::{self, Holds},
            categories,
        },
        people::journal,
    },
    texts::{l, t, whole_percent},
};

pub(crate) async fn open(ctx: Ctx, id: ProductId) -> HandlerResult {
    ctx.wait_for(Step::Idle);
    let Some(product) = catalogue::product(ctx.documents(), id).await? else {
        return categories::gone(ctx).await;
    };
    let category = categories::find(&ctx, product.category_id).await?;
    ctx.show(screen(ctx.language, &product, category.as_ref())).await
}

fn screen(language: Language, product: &Product, category: Option<&Category>) -> Screen {
    let id = product.id;
    let edit = |label: String, field| Button::callback(label, CatalogueCallback::EditProduct { id, field });
    let hidden = !product.hidden;
    let hide = if hidden { l!(language, "edit-hide") } else { l!(language, "edit-unhide") };
    let details = card::details(language, product, category.map(|category| category.title.as_str()));
    let mut screen =
        Screen::new(card::preview(language, product, &details)).photo(product.photo.clone()).row([
            edit(l!(language, "edit-field-title"), Field::Title),
            edit(l!(language, "edit-field-description"), Field::Description),
            edit(l!(language, "edit-field-photo"), Field::Photo),
        ]);
    // Variants have prices and stocks of their own.
    if product.variants.is_empty() {
        screen = screen.row([
            edit(l!(language, "edit-field-price"), Field::Price),
            edit(l!(language, "edit-field-stock"), Field::Stock),
        ]);
    }
    screen
        .row([
            Button::callback(
                l!(language, "edit-field-variants", count = product.variants.len()),
                CatalogueCallback::Variants { id, page: 0 },
            ),
            Button::callback(l!(language, "edit-field-fiscal"), CatalogueCallback::Fiscal { id }),
        ])
        .row([
            Button::callback(
                l!(language, "edit-field-category"),
                CatalogueCallback::MoveProduct { id, page: 0 },
            ),
            Button::callback(hide, CatalogueCallback::HideProduct { id, hidden }),
            Button::callback(l!(language, "edit-remove"), CatalogueCallback::RemoveProduct { id }),
        ])
        .row([Button::callback(
            l!(language, "edit-back"),
            CatalogueCallback::Category { id: product.category_id, page: 0 },
        )])
}

/// The data for fiscal receipts.
pub(crate) async fn fiscal(ctx: Ctx, id: ProductId) -> HandlerResult {
    ctx.wait_for(Step::Idle);
    let Some(product) = catalogue::product(ctx.documents(), id).await? else {
        return categories::gone(ctx).await;
    };
    let language = ctx.language;
    let edit = |label: String, field| [Button::callback(label, CatalogueCallback::EditProduct { id, field })];
    let fiscal = product.fiscal;
    let receipts = ctx.deps.config.receipts.as_ref();
    let is_missing = receipts.is_some_and(|receipts| !receipts.completes(&fiscal));
    let none = || l!(language, "edit-not-set");
    let mut card = t!(
        language,
        "edit-fiscal-card",
        title = product.title,
        mxik = fiscal.mxik.unwrap_or_else(none),
        package = fiscal.package_code.unwrap_or_else(none),
        vat = fiscal.vat_percent.map_or_else(none, |percent| whole_percent(language, percent))
    );
    if is_missing {
        card = format!("{card}\n\n{}", t!(language, "receipt-data-missing"));
    }
    let screen = Screen::new(card)
        .row(edit(l!(language, "edit-field-mxik"), Field::Mxik))
        .row(edit(l!(language, "edit-field-package"), Field::PackageCode))
        .row(edit(l!(language, "edit-field-vat"), Field::Vat))
        .row([Button::callback(l!(language, "edit-back"), CatalogueCallback::Product { id })]);
    ctx.show(screen).await
}

pub(crate) async fn hide(ctx: Ctx, (id, hidden): (ProductId, bool)) -> HandlerResult {
    let changed = catalogue::change(ctx.documents(), id.get(), |product: &mut Product| {
        std::mem::replace(&mut product.hidden, hidden)
    });
    let Some((product, was)) = changed.await? else { return categories::gone(ctx).await };
    if was != hidden {
        let change = if hidden { ProductChange::Hidden } else { ProductChange::Shown };
        record(&ctx, &product, change).await?;
    }
    open(ctx, id).await
}

pub(crate) async fn ask_removal(ctx: Ctx, id: ProductId) -> HandlerResult {
    let Some(product) = catalogue::product(ctx.documents(), id).await? else {
        return categories::gone(ctx).await;
    };
    let language = ctx.language;
    let mut html = t!(language, "edit-product-ask-removal", title = product.title);
    let holds = Holds::of(&product);
    if holds.orders > 0 {
        html.push_str("\n\n");
        html.push_str(&t!(
            language,
            "edit-product-removal-holds",
            count = holds.orders,
            pieces = card::pieces_text(language, holds.pieces, product.portion)
        ));
    }
    let mut screen = Screen::new(html).row([Button::callback(
        l!(language, "edit-remove-surely"),
        CatalogueCallback::RemoveProductConfirmed { id },
    )]);
    if !product.hidden {
        let hide = CatalogueCallback::HideProduct { id, hidden: true };
        screen = screen.row([Button::callback(l!(language, "edit-hide-instead"), hide)]);
    }
    ctx.show(screen.row([Button::callback(l!(language, "edit-keep"), CatalogueCallback::Product { id })]))
        .await
}

pub(crate) async fn remove(ctx: Ctx, id: ProductId) -> HandlerResult {
    let Some(product) = catalogue::remove::<Product>(ctx.documents(), id.get()).await? else {
        return categories::gone(ctx).await;
    };
    record(&ctx, &product, ProductChange::Removed).await?;
    ctx.toast(l!(ctx.language, "edit-removed")).await?;
    categories::open(ctx, (product.category_id, 0)).await
}

/// Asks for the category to move the product to.
pub(crate) async fn ask_category(ctx: Ctx, (id, page): (ProductId, u32)) -> HandlerResult {
    ctx.wait_for(Step::Idle);
    let Some(product) = catalogue::product(ctx.documents(), id).await? else {
        return categories::gone(ctx).await;
    };
    let categories = catalogue::categories(ctx.documents()).await?;
    let language = ctx.language;
    let page = Page::of(&categories, page);
    let row = |category: &Category| {
        let label = card::category_label(&category.title, category.hidden);
        let label = if category.id == product.category_id { format!("• {label}") } else { label };
        vec![Button::callback(label, CatalogueCallback::MoveProductTo { id, category_id: category.id })]
    };
    let screen = Screen::new(t!(language, "edit-product-ask-category", title = product.title))
        .rows(page.items.iter().map(row))
        .row(page.buttons(|page| CatalogueCallback::MoveProduct { id, page }))
        .row([Button::callback(l!(language, "edit-back"), CatalogueCallback::Product { id })]);
    ctx.show(screen).await
}

pub(crate) async fn move_to(ctx: Ctx, (id, category_id): (ProductId, i64)) -> HandlerResult {
    let Some(category) = categories::find(&ctx, category_id).await? else {
        return categories::gone(ctx).await;
    };
    let changed = catalogue::change(ctx.documents(), id.get(), |product: &mut Product| {
        std::mem::replace(&mut product.category_id, category_id)
    });
    let Some((product, was)) = changed.await? else { return categories::gone(ctx).await };
    if was != category_id {
        let change = ProductChange::Category { was, now: category_id, now_title: category.title };
        record(&ctx, &product, change).await?;
    }
    open(ctx, id).await
}

pub(super) async fn record(ctx: &Ctx, product: &Product, change: ProductChange) -> Result<(), PortError> {
    let title = product.title.clone();
    journal::record(ctx, Action::Product { product_id: product.id, title, change }).await
}

#[cfg(test)]
mod tests {
    use tolov_domain::Tiyin;
    use tolov_shop::catalogue::Variant;

    use super::*;
    use crate::staff::catalogue::card::tests::teapot;

    fn labels(product: &Product) -> Vec<String> {
        let rows = screen(Language::En, product, None).markup().inline_keyboard;
        rows.concat().into_iter().map(|button| button.text).collect()
    }

    #[test]
    fn price_and_stock_belong_to_the_variants_where_there_are_any() {
        let mut product = teapot();
        let price = l!(Language::En, "edit-field-price");
        assert!(labels(&product).contains(&price));
        let id = ProductId::try_new(8).unwrap();
        product.variants.push(Variant { id, label: "M".to_owned(), price: Tiyin::ZERO, stock: None });
        assert!(!labels(&product).contains(&price));
        assert!(labels(&product).contains(&l!(Language::En, "edit-unhide")));
    }
}
