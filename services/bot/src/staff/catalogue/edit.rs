//! A field of a product that is there: asked for, and written when it was typed or sent.

use tolov_domain::ProductId;
use tolov_shop::{
    catalogue::{self, Product},
    records,
};

use crate::{
    conversation::{
        callback::CatalogueCallback,
        context::Ctx,
        dialogue::{Asked, CatalogueStep, Field, StaffStep, Step, VariantField},
        error::{HandlerError, HandlerResult},
        screen::{Button, Screen},
    },
    staff::{
        catalogue::{
            categories, category,
            fields::{self, Value},
            new_product,
            photo::{self, Photo},
            product, variant,
        },
        people::journal,
    },
    texts::{l, t},
};

pub(crate) async fn ask(ctx: Ctx, (id, field): (ProductId, Field)) -> HandlerResult {
    let Some(product) = catalogue::product(ctx.documents(), id).await? else {
        return categories::gone(ctx).await;
    };
    let step = CatalogueStep::EditProduct { id, field };
    ctx.expect(Step::Staff(StaffStep::Catalogue(step))).await?;
    ctx.show(question(&ctx, &product, field, None)).await
}

/// The question again says first what was wrong with the answer.
fn question(ctx: &Ctx, product: &Product, field: Field, wrong: Option<String>) -> Screen {
    let (language, id) = (ctx.language, product.id);
    let back = match field {
        Field::Mxik | Field::PackageCode | Field::Vat => CatalogueCallback::Fiscal { id },
        Field::Title | Field::Description | Field::Price | Field::Stock | Field::Photo => {
            CatalogueCallback::Product { id }
        }
    };
    let mut screen = Screen::new(asked(ctx, product, field, wrong));
    if field.may_be_empty() {
        let label = fields::empty_label(language, field, false);
        screen = screen.row([Button::callback(label, CatalogueCallback::LeaveEmpty { field })]);
    }
    screen.row([Button::callback(l!(language, "edit-cancel"), back)])
}

pub(super) fn asked(ctx: &Ctx, product: &Product, field: Field, wrong: Option<String>) -> String {
    let question = fields::question(ctx.language, field, product);
    let html = wrong.map_or(question.clone(), |wrong| format!("{wrong}\n\n{question}"));
    t!(ctx.language, "edit-product-asked", title = product.title, asked = crate::texts::Html(html))
}

/// What the message says of a field; else what is wrong with it.
pub(super) async fn value_of(
    ctx: &Ctx,
    product: &Product,
    field: Field,
) -> Result<Result<Value, String>, HandlerError> {
    if field == Field::Photo {
        let language = ctx.deps.config.staff_language;
        let caption = l!(language, "edit-photo-of-product", id = product.id, title = product.title);
        return Ok(match photo::keep(ctx, caption).await? {
            Photo::Kept(file_id) => Ok(Value::Photo(Some(file_id))),
            Photo::Not(why) => Err(why),
        });
    }
    let value = ctx.text().and_then(|text| Value::read(field, text));
    Ok(value.ok_or_else(|| t!(ctx.language, "edit-not-understood")))
}

pub(crate) async fn answer(ctx: Ctx, (id, field): (ProductId, Field)) -> HandlerResult {
    let Some(product) = catalogue::product(ctx.documents(), id).await? else {
        return categories::gone(ctx).await;
    };
    match value_of(&ctx, &product, field).await? {
        Ok(value) => put(ctx, id, field, &value).await,
        Err(wrong) => ctx.show(question(&ctx, &product, field, Some(wrong))).await,
    }
}

async fn put(ctx: Ctx, id: ProductId, field: Field, value: &Value) -> HandlerResult {
    let changed = records::change(ctx.documents(), id.get(), |product: &mut Product| {
        let before = fields::written(field, product);
        value.put(product);
        before
    });
    let Some((changed, before)) = changed.await? else { return categories::gone(ctx).await };
    let after = fields::written(field, &changed);
    journal::note_change(&ctx, fields::deed(field), &product::about(&changed), (before, after)).await?;
    match field {
        Field::Mxik | Field::PackageCode | Field::Vat => product::fiscal(ctx, id).await,
        Field::Title | Field::Description | Field::Price | Field::Stock | Field::Photo => {
            product::open(ctx, id).await
        }
    }
}

/// "Skip", "not counted", "without a photo": for the field that is asked for just now, and for no other, so that a
/// second tap does not skip the next question too.
pub(crate) async fn leave_empty(ctx: Ctx, field: Field) -> HandlerResult {
    let Step::Staff(StaffStep::Catalogue(step)) = ctx.dialogue.step.clone() else { return ctx.stale().await };
    let Some(value) = Value::empty(field) else { return ctx.stale().await };
    match step {
        CatalogueStep::NewProduct { draft, asked } if asked == Asked::Field(field) => {
            new_product::take(ctx, draft, field, &value).await
        }
        CatalogueStep::EditProduct { id, field: asked } if asked == field => {
            put(ctx, id, field, &value).await
        }
        CatalogueStep::CategoryPhoto { id } if field == Field::Photo => {
            category::put_photo(ctx, id, None).await
        }
        CatalogueStep::NewVariant { product_id, draft, field: VariantField::Stock }
            if field == Field::Stock =>
        {
            variant::take_new(ctx, product_id, draft, variant::Value::Stock(None)).await
        }
        CatalogueStep::EditVariant { product_id, id, field: VariantField::Stock }
            if field == Field::Stock =>
        {
            variant::put(ctx, product_id, id, variant::Value::Stock(None)).await
        }
        CatalogueStep::NewCategory { .. }
        | CatalogueStep::RenameCategory { .. }
        | CatalogueStep::CategoryPhoto { .. }
        | CatalogueStep::NewProduct { .. }
        | CatalogueStep::EditProduct { .. }
        | CatalogueStep::NewVariant { .. }
        | CatalogueStep::EditVariant { .. }
        | CatalogueStep::ImportFile
        | CatalogueStep::ImportPlan { .. } => ctx.stale().await,
    }
}
