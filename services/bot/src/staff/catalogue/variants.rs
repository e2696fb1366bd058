//! The variants of a product, such as sizes and colours.

use tolov_domain::{Language, ProductId, ports::PortError};
use tolov_shop::{
    catalogue::{self, Product, Variant},
    staff::{Action, VariantChange},
};

use crate::{
    conversation::{
        callback::CatalogueCallback,
        context::Ctx,
        dialogue::{Step, VariantField},
        error::HandlerResult,
        pages::Page,
        screen::{Button, Screen},
    },
    staff::{
        catalogue::{
            card::{self, Holds},
            categories, product,
        },
        people::journal,
    },
    texts::{l, money, t},
};

pub(crate) async fn list(ctx: Ctx, (id, page): (ProductId, u32)) -> HandlerResult {
    ctx.wait_for(Step::Idle);
    let Some(product) = catalogue::product(ctx.documents(), id).await? else {
        return categories::gone(ctx).await;
    };
    ctx.show(list_screen(ctx.language, &product, page)).await
}

fn list_screen(language: Language, product: &Product, page: u32) -> Screen {
    let id = product.id;
    let html = if product.variants.is_empty() {
        t!(language, "edit-variants-none", title = product.title)
    } else {
        t!(language, "edit-variants-title", title = product.title, count = product.variants.len())
    };
    let page = Page::of(&product.variants, page);
    let row = |variant: &Variant| {
        let label = format!("{} · {}", variant.label, money(language, variant.price));
        vec![Button::callback(label, CatalogueCallback::Variant { product_id: id, id: variant.id })]
    };
    Screen::new(html)
        .rows(page.items.iter().map(row))
        .row(page.buttons(|page| CatalogueCallback::Variants { id, page }))
        .row([Button::callback(
            l!(language, "edit-variant-add"),
            CatalogueCallback::NewVariant { product_id: id },
        )])
        .row([Button::callback(l!(language, "edit-back"), CatalogueCallback::Product { id })])
}

pub(crate) async fn open(ctx: Ctx, (product_id, id): (ProductId, ProductId)) -> HandlerResult {
    ctx.wait_for(Step::Idle);
    let Some(product) = catalogue::product(ctx.documents(), product_id).await? else {
        return categories::gone(ctx).await;
    };
    let Some(variant) = find(&product, id) else { return gone(ctx, product_id).await };
    let language = ctx.language;
    let mut html = t!(
        language,
        "edit-variant-card",
        title = product.title,
        id = id,
        line = crate::texts::Html(card::variant_line(language, product.portion, variant))
    );
    let holds = Holds::of_article(&product, id);
    if holds.orders > 0 {
        html.push('\n');
        let pieces = card::pieces_text(language, holds.pieces, product.portion);
        html.push_str(&t!(language, "edit-product-holds", count = holds.orders, pieces = pieces));
    }
    let edit = |label: String, field| {
        Button::callback(label, CatalogueCallback::EditVariant { product_id, id, field })
    };
    let screen = Screen::new(html)
        .row([
            edit(l!(language, "edit-field-label"), VariantField::Label),
            edit(l!(language, "edit-field-price"), VariantField::Price),
            edit(l!(language, "edit-field-stock"), VariantField::Stock),
        ])
        .row([
            Button::callback(
                l!(language, "edit-remove"),
                CatalogueCallback::RemoveVariant { product_id, id },
            ),
            Button::callback(
                l!(language, "edit-back"),
                CatalogueCallback::Variants { id: product_id, page: 0 },
            ),
        ]);
    ctx.show(screen).await
}

pub(super) fn find(product: &Product, id: ProductId) -> Option<&Variant> {
    product.variants.iter().find(|variant| variant.id == id)
}

/// The variant does not exist any more.
pub(super) async fn gone(ctx: Ctx, product_id: ProductId) -> HandlerResult {
    ctx.toast(l!(ctx.language, "edit-catalogue-gone")).await?;
    list(ctx, (product_id, 0)).await
}

pub(crate) async fn ask_removal(ctx: Ctx, (product_id, id): (ProductId, ProductId)) -> HandlerResult {
    let Some(product) = catalogue::product(ctx.documents(), product_id).await? else {
        return categories::gone(ctx).await;
    };
    let Some(variant) = find(&product, id) else { return gone(ctx, product_id).await };
    let language = ctx.language;
    let mut html = t!(language, "edit-variant-ask-removal", title = product.title, label = variant.label);
    let holds = Holds::of_article(&product, id);
    if holds.orders > 0 {
        html.push_str("\n\n");
        html.push_str(&t!(
            language,
            "edit-product-removal-holds",
            count = holds.orders,
            pieces = card::pieces_text(language, holds.pieces, product.portion)
        ));
    }
    if product.variants.len() == 1 {
        html.push_str("\n\n");
        html.push_str(&t!(language, "edit-variant-removal-last"));
    }
    let screen = Screen::new(html)
        .row([Button::callback(
            l!(language, "edit-remove-surely"),
            CatalogueCallback::RemoveVariantConfirmed { product_id, id },
        )])
        .row([Button::callback(l!(language, "edit-keep"), CatalogueCallback::Variant { product_id, id })]);
    ctx.show(screen).await
}

pub(crate) async fn remove(ctx: Ctx, (product_id, id): (ProductId, ProductId)) -> HandlerResult {
    let changed =
        catalogue::change(ctx.documents(), product_id.get(), |product: &mut Product| without(product, id));
    let Some((product, removed)) = changed.await? else { return categories::gone(ctx).await };
    if let Some(variant) = removed {
        record(&ctx, &product, &variant, VariantChange::Removed).await?;
        ctx.toast(l!(ctx.language, "edit-removed")).await?;
    }
    if product.variants.is_empty() {
        product::open(ctx, product_id).await
    } else {
        list(ctx, (product_id, 0)).await
    }
}

pub(super) async fn record(
    ctx: &Ctx,
    product: &Product,
    variant: &Variant,
    change: VariantChange,
) -> Result<(), PortError> {
    let action = Action::Variant {
        product_id: product.id,
        title: product.title.clone(),
        variant_id: variant.id,
        label: variant.label.clone(),
        change,
    };
    journal::record(ctx, action).await
}

/// Removes a variant. Without the last one the product would be sold at its own price and from its own stock, which nobody
/// has looked at for long: it is hidden until somebody has.
fn without(product: &mut Product, id: ProductId) -> Option<Variant> {
    let at = product.variants.iter().position(|variant| variant.id == id)?;
    let removed = product.variants.remove(at);
    if product.variants.is_empty() {
        product.hidden = true;
    }
    *product = product.clone().seal();
    Some(removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::catalogue::card::tests::teapot;

    #[test]
    fn a_product_that_lost_its_last_variant_is_hidden_and_sold_under_its_own_number() {
        let mut product = teapot();
        product.hidden = false;
        let id = |number| ProductId::try_new(number).unwrap();
        for (number, label) in [(8, "M"), (9, "L")] {
            let price = product.price;
            product.variants.push(Variant { id: id(number), label: label.to_owned(), price, stock: None });
        }
        let mut product = product.seal();
        assert!(without(&mut product, id(8)).is_some());
        assert_eq!((product.hidden, product.article_ids.clone()), (false, vec![id(7), id(9)]));
        assert!(without(&mut product, id(8)).is_none(), "a second tap");
        assert!(without(&mut product, id(9)).is_some());
        assert_eq!((product.hidden, product.article_ids), (true, vec![id(7)]));
    }
}
