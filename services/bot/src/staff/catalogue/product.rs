//! One product: what a shopper sees of it, what staff should know, and what can be done with it.

use tolov_domain::{Language, ProductId};
use tolov_shop::{
    catalogue::{self, Category, Product},
    records,
};

use crate::{
    conversation::{
        callback::CatalogueCallback,
        context::Ctx,
        dialogue::{Field, Step},
        error::HandlerResult,
        screen::{Button, Screen},
    },
    staff::{
        catalogue::{
            card::{self, Holds},
            categories,
        },
        panel,
        people::journal,
    },
    texts::{l, t},
};

const CATEGORIES_ON_A_PAGE: usize = 8;

pub(crate) async fn open(ctx: Ctx, id: ProductId) -> HandlerResult {
    ctx.expect(Step::Idle).await?;
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
    // With variants, theirs count.
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

/// What a tax receipt wants to know.
pub(crate) async fn fiscal(ctx: Ctx, id: ProductId) -> HandlerResult {
    ctx.expect(Step::Idle).await?;
    let Some(product) = catalogue::product(ctx.documents(), id).await? else {
        return categories::gone(ctx).await;
    };
    let language = ctx.language;
    let edit = |label: String, field| [Button::callback(label, CatalogueCallback::EditProduct { id, field })];
    let fiscal = product.fiscal;
    let none = || l!(language, "edit-not-set");
    let screen = Screen::new(t!(
        language,
        "edit-fiscal-card",
        title = product.title,
        mxik = fiscal.mxik.unwrap_or_else(none),
        package = fiscal.package_code.unwrap_or_else(none),
        vat = fiscal.vat_percent.map_or_else(none, |percent| format!("{percent}%"))
    ))
    .row(edit(l!(language, "edit-field-mxik"), Field::Mxik))
    .row(edit(l!(language, "edit-field-package"), Field::PackageCode))
    .row(edit(l!(language, "edit-field-vat"), Field::Vat))
    .row([Button::callback(l!(language, "edit-back"), CatalogueCallback::Product { id })]);
    ctx.show(screen).await
}

pub(crate) async fn hide(ctx: Ctx, (id, hidden): (ProductId, bool)) -> HandlerResult {
    let changed = records::change(ctx.documents(), id.get(), |product: &mut Product| {
        std::mem::replace(&mut product.hidden, hidden)
    });
    let Some((product, was)) = changed.await? else { return categories::gone(ctx).await };
    if was != hidden {
        let what = if hidden { "product.hidden" } else { "product.shown" };
        journal::note(&ctx, what, about(&product)).await?;
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
            pieces = holds.pieces
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
    let Some(product) = records::remove::<Product>(ctx.documents(), id.get()).await? else {
        return categories::gone(ctx).await;
    };
    journal::note(&ctx, "product.removed", about(&product)).await?;
    ctx.toast(l!(ctx.language, "edit-removed")).await?;
    categories::open(ctx, (product.category_id, 0)).await
}

/// Asks for the category that the product goes to.
pub(crate) async fn ask_category(ctx: Ctx, (id, page): (ProductId, u32)) -> HandlerResult {
    ctx.expect(Step::Idle).await?;
    let Some(product) = catalogue::product(ctx.documents(), id).await? else {
        return categories::gone(ctx).await;
    };
    let categories = catalogue::categories(ctx.documents()).await?;
    let language = ctx.language;
    let (page, pages, shown) = panel::page_of(&categories, page, CATEGORIES_ON_A_PAGE);
    let row = |category: &Category| {
        let label = card::category_label(&category.title, category.hidden);
        let label = if category.id == product.category_id { format!("• {label}") } else { label };
        vec![Button::callback(label, CatalogueCallback::MoveProductTo { id, category_id: category.id })]
    };
    let screen = Screen::new(t!(language, "edit-product-ask-category", title = product.title))
        .rows(shown.iter().map(row))
        .row(panel::pager(page, pages, |page| CatalogueCallback::MoveProduct { id, page }.into()))
        .row([Button::callback(l!(language, "edit-back"), CatalogueCallback::Product { id })]);
    ctx.show(screen).await
}

pub(crate) async fn move_to(ctx: Ctx, (id, category_id): (ProductId, i64)) -> HandlerResult {
    let Some(category) = categories::find(&ctx, category_id).await? else {
        return categories::gone(ctx).await;
    };
    let changed = records::change(ctx.documents(), id.get(), |product: &mut Product| {
        std::mem::replace(&mut product.category_id, category_id)
    });
    let Some((product, was)) = changed.await? else { return categories::gone(ctx).await };
    if was != category_id {
        let detail = format!("{}: {was} → {category_id} {}", about(&product), category.title);
        journal::note(&ctx, "product.category", detail).await?;
    }
    open(ctx, id).await
}

/// As the journal names it.
pub(super) fn about(product: &Product) -> String {
    format!("{} {}", product.id, product.title)
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
    fn price_and_stock_of_a_product_with_variants_are_theirs() {
        let mut product = teapot();
        let price = l!(Language::En, "edit-field-price");
        assert!(labels(&product).contains(&price));
        let id = ProductId::try_new(8).unwrap();
        product.variants.push(Variant { id, label: "M".to_owned(), price: Tiyin::ZERO, stock: None });
        assert!(!labels(&product).contains(&price));
        assert!(labels(&product).contains(&l!(Language::En, "edit-unhide")));
    }
}
