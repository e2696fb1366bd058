//! One variant, new or existing: its label, price and stock.

use tolov_domain::{ProductId, Tiyin, order::Portion};
use tolov_shop::{
    catalogue::{self, Product, VARIANTS_MAX, Variant},
    records,
    staff::VariantChange,
};

use crate::{
    conversation::{
        callback::CatalogueCallback,
        context::Ctx,
        dialogue::{CatalogueStep, Field, VariantField},
        error::HandlerResult,
        screen::{Button, Screen},
    },
    staff::{
        catalogue::{
            card::{Holds, pieces_text},
            categories,
            fields::{price_question, stock_question},
            variants,
        },
        input,
    },
    texts::{Html, l, t},
};

const LABEL_MAX_CHARS: usize = 40;

/// A value for a field of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Label(String),
    Price(Tiyin),
    Stock(Option<u32>),
}

impl Value {
    fn read(field: VariantField, portion: Option<Portion>, text: &str) -> Option<Self> {
        Some(match field {
            VariantField::Label => Self::Label(input::line(text, LABEL_MAX_CHARS)?),
            VariantField::Price => Self::Price(input::price(text)?),
            VariantField::Stock => Self::Stock(Some(input::stock(text, portion)?)),
        })
    }

    fn put(&self, variant: &mut Variant) {
        match self {
            Self::Label(label) => variant.label.clone_from(label),
            Self::Price(price) => variant.price = *price,
            Self::Stock(stock) => variant.stock = *stock,
        }
    }

    /// What the journal enters; `None` where nothing is changed.
    fn change_of(&self, portion: Option<Portion>, before: &Variant, now: &Variant) -> Option<VariantChange> {
        match self {
            Self::Label(_) => {
                (before.label != now.label).then(|| VariantChange::Label { was: before.label.clone() })
            }
            Self::Price(_) => (before.price != now.price)
                .then_some(VariantChange::Price { was: before.price, now: now.price }),
            Self::Stock(_) => (before.stock != now.stock).then_some(VariantChange::Stock {
                was: before.stock,
                now: now.stock,
                portion,
            }),
        }
    }

    /// Whether another variant has this label.
    fn is_taken_in(&self, product: &Product, id: ProductId) -> bool {
        let Self::Label(label) = self else { return false };
        let label = label.to_lowercase();
        product.variants.iter().any(|other| other.id != id && other.label.to_lowercase() == label)
    }
}

pub(crate) async fn ask_new(ctx: Ctx, product_id: ProductId) -> HandlerResult {
    let Some(product) = catalogue::product(ctx.documents(), product_id).await? else {
        return categories::gone(ctx).await;
    };
    if product.variants.len() >= VARIANTS_MAX {
        return ctx.alert(l!(ctx.language, "edit-variants-full")).await;
    }
    let id = catalogue::next_article_id(ctx.documents()).await?;
    let draft = Variant { id, label: String::new(), price: Tiyin::ZERO, stock: None };
    ask_of_new(ctx, &product, draft, VariantField::Label).await
}

async fn ask_of_new(ctx: Ctx, product: &Product, draft: Variant, field: VariantField) -> HandlerResult {
    let screen = question(&ctx, product, &draft, field, None);
    let step = CatalogueStep::NewVariant { product_id: product.id, draft, field };
    ctx.wait_for(step);
    ctx.show(screen).await
}

pub(crate) async fn ask(
    ctx: Ctx,
    (product_id, id, field): (ProductId, ProductId, VariantField),
) -> HandlerResult {
    let Some(product) = catalogue::product(ctx.documents(), product_id).await? else {
        return categories::gone(ctx).await;
    };
    let Some(variant) = variants::find(&product, id) else { return variants::gone(ctx, product_id).await };
    let step = CatalogueStep::EditVariant { product_id, id, field };
    ctx.wait_for(step);
    ctx.show(question(&ctx, &product, variant, field, None)).await
}

fn question(
    ctx: &Ctx,
    product: &Product,
    variant: &Variant,
    field: VariantField,
    wrong: Option<String>,
) -> Screen {
    let language = ctx.language;
    let is_new = variants::find(product, variant.id).is_none();
    let question = match field {
        VariantField::Label => t!(language, "edit-ask-label", count = LABEL_MAX_CHARS),
        VariantField::Price => price_question(language, product.portion),
        VariantField::Stock => {
            stock_question(language, product.portion, Holds::of_article(product, variant.id))
        }
    };
    let title = if variant.label.is_empty() {
        product.title.clone()
    } else {
        format!("{} · {}", product.title, variant.label)
    };
    let mut html = wrong.map_or(question.clone(), |wrong| format!("{wrong}\n\n{question}"));
    // Unpaid orders hold the product as it was sold until now, and are honoured.
    let holds = Holds::of_article(product, product.id);
    if is_new && product.variants.is_empty() && field == VariantField::Label && holds.orders > 0 {
        html.push_str("\n\n");
        let pieces = pieces_text(language, holds.pieces, product.portion);
        html.push_str(&t!(language, "edit-variant-first-holds", count = holds.orders, pieces = pieces));
    }
    let mut screen = Screen::new(t!(language, "edit-product-asked", title = title, asked = Html(html)));
    if field == VariantField::Stock {
        let leave = CatalogueCallback::LeaveEmpty { field: Field::Stock };
        screen = screen.row([Button::callback(l!(language, "edit-stock-do-not-count"), leave)]);
    }
    let back = if is_new {
        CatalogueCallback::Variants { id: product.id, page: 0 }
    } else {
        CatalogueCallback::Variant { product_id: product.id, id: variant.id }
    };
    screen.row([Button::callback(l!(language, "edit-cancel"), back)])
}

/// The value in the message; else what is wrong with it.
fn read(ctx: &Ctx, product: &Product, id: ProductId, field: VariantField) -> Result<Value, String> {
    let value = ctx.text().and_then(|text| Value::read(field, product.portion, text));
    let value = value.ok_or_else(|| t!(ctx.language, "edit-not-understood"))?;
    if value.is_taken_in(product, id) { Err(t!(ctx.language, "edit-variant-label-taken")) } else { Ok(value) }
}

pub(crate) async fn answer_new(
    ctx: Ctx,
    (product_id, draft, field): (ProductId, Variant, VariantField),
) -> HandlerResult {
    let Some(product) = catalogue::product(ctx.documents(), product_id).await? else {
        return categories::gone(ctx).await;
    };
    match read(&ctx, &product, draft.id, field) {
        Ok(value) => take_new(ctx, product_id, draft, value).await,
        Err(wrong) => ctx.show(question(&ctx, &product, &draft, field, Some(wrong))).await,
    }
}

pub(super) async fn take_new(
    ctx: Ctx,
    product_id: ProductId,
    mut draft: Variant,
    value: Value,
) -> HandlerResult {
    value.put(&mut draft);
    let next = match value {
        Value::Label(_) => VariantField::Price,
        Value::Price(_) => VariantField::Stock,
        Value::Stock(_) => return add(ctx, product_id, draft).await,
    };
    let Some(product) = catalogue::product(ctx.documents(), product_id).await? else {
        return categories::gone(ctx).await;
    };
    ask_of_new(ctx, &product, draft, next).await
}

async fn add(ctx: Ctx, product_id: ProductId, draft: Variant) -> HandlerResult {
    let changed = records::change(ctx.documents(), product_id.get(), |product: &mut Product| {
        let is_new = variants::find(product, draft.id).is_none() && product.variants.len() < VARIANTS_MAX;
        if is_new {
            product.variants.push(draft.clone());
            *product = product.clone().seal();
        }
        is_new
    });
    let Some((product, is_new)) = changed.await? else { return categories::gone(ctx).await };
    catalogue::mark_changed(ctx.documents()).await?;
    if is_new {
        let change = VariantChange::Added { price: draft.price };
        variants::record(&ctx, &product, &draft, change).await?;
    }
    variants::list(ctx, (product_id, 0)).await
}

pub(crate) async fn answer(
    ctx: Ctx,
    (product_id, id, field): (ProductId, ProductId, VariantField),
) -> HandlerResult {
    let Some(product) = catalogue::product(ctx.documents(), product_id).await? else {
        return categories::gone(ctx).await;
    };
    let Some(variant) = variants::find(&product, id) else { return variants::gone(ctx, product_id).await };
    match read(&ctx, &product, id, field) {
        Ok(value) => put(ctx, product_id, id, value).await,
        Err(wrong) => ctx.show(question(&ctx, &product, variant, field, Some(wrong))).await,
    }
}

pub(super) async fn put(ctx: Ctx, product_id: ProductId, id: ProductId, value: Value) -> HandlerResult {
    let changed = records::change(ctx.documents(), product_id.get(), |product: &mut Product| {
        let variant = product.variants.iter_mut().find(|variant| variant.id == id)?;
        let before = variant.clone();
        value.put(variant);
        Some((before, variant.clone()))
    });
    let Some((product, found)) = changed.await? else { return categories::gone(ctx).await };
    let Some((before, variant)) = found else { return variants::gone(ctx, product_id).await };
    if before.label != variant.label {
        catalogue::mark_changed(ctx.documents()).await?;
    }
    if let Some(change) = value.change_of(product.portion, &before, &variant) {
        variants::record(&ctx, &product, &variant, change).await?;
    }
    variants::open(ctx, (product_id, id)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::catalogue::card::tests::teapot;

    #[test]
    fn two_variants_cannot_have_the_same_label() {
        let mut product = teapot();
        let id = |number| ProductId::try_new(number).unwrap();
        product.variants.push(Variant {
            id: id(8),
            label: "Qizil".to_owned(),
            price: product.price,
            stock: None,
        });
        let value = Value::read(VariantField::Label, None, " QIZIL ").unwrap();
        assert!(value.is_taken_in(&product, id(9)));
        assert!(!value.is_taken_in(&product, id(8)), "its own name");
        assert_eq!(Value::read(VariantField::Price, None, "0"), None);
        assert_eq!(Value::read(VariantField::Stock, None, "3"), Some(Value::Stock(Some(3))));
    }
}
