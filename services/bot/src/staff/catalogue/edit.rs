//! Editing a field of a product.

use tolov_domain::ProductId;
use tolov_shop::{
    catalogue::{self, Product},
    records,
    staff::Right,
};

use crate::{
    conversation::{
        callback::CatalogueCallback,
        context::Ctx,
        dialogue::{AlbumOf, Asked, CatalogueStep, Field, StaffStep, Step, VariantField},
        error::HandlerResult,
        screen::{Button, Screen},
    },
    staff::catalogue::{
        categories, category,
        fields::{self, Value},
        new_product, product, variant,
    },
    texts::l,
};

pub(crate) async fn ask(ctx: Ctx, (id, field): (ProductId, Field)) -> HandlerResult {
    let Some(product) = catalogue::product(ctx.documents(), id).await? else {
        return categories::gone(ctx).await;
    };
    if field == Field::Portion {
        // It never changes, whatever a button says.
        return ctx.stale().await;
    }
    let step = CatalogueStep::EditProduct { id, field };
    ctx.wait_for(step);
    ctx.show(question(&ctx, &product, field, None)).await
}

fn question(ctx: &Ctx, product: &Product, field: Field, wrong: Option<String>) -> Screen {
    let (language, id) = (ctx.language, product.id);
    let back = match field {
        Field::Mxik | Field::PackageCode | Field::Vat => CatalogueCallback::Fiscal { id },
        Field::Title | Field::Description | Field::Portion | Field::Price | Field::Stock | Field::Photo => {
            CatalogueCallback::Product { id }
        }
    };
    let mut screen = Screen::new(fields::asked(ctx, product, field, wrong));
    if field.may_be_empty() {
        let label = fields::empty_label(language, field, false);
        screen = screen.row([Button::callback(label, CatalogueCallback::LeaveEmpty { field })]);
    }
    screen.row([Button::callback(l!(language, "edit-cancel"), back)])
}

pub(crate) async fn answer(ctx: Ctx, (id, field): (ProductId, Field)) -> HandlerResult {
    let Some(product) = catalogue::product(ctx.documents(), id).await? else {
        return categories::gone(ctx).await;
    };
    match fields::value_of(&ctx, &product, field).await? {
        Ok(value) => put(ctx, id, field, &value).await,
        Err(wrong) => ctx.show(question(&ctx, &product, field, Some(wrong))).await,
    }
}

async fn put(ctx: Ctx, id: ProductId, field: Field, value: &Value) -> HandlerResult {
    let changed = records::change(ctx.documents(), id.get(), |product: &mut Product| {
        let before = product.clone();
        value.put(product);
        before
    });
    let Some((product, before)) = changed.await? else { return categories::gone(ctx).await };
    if before.title != product.title {
        catalogue::mark_changed(ctx.documents()).await?;
    }
    if field == Field::Photo {
        ctx.expect_more_of_album(AlbumOf::Product { id });
    }
    if let Some(change) = fields::change_of(field, &before, &product) {
        product::record(&ctx, &product, change).await?;
    }
    match field {
        Field::Mxik | Field::PackageCode | Field::Vat => product::fiscal(ctx, id).await,
        Field::Title | Field::Description | Field::Portion | Field::Price | Field::Stock | Field::Photo => {
            product::open(ctx, id).await
        }
    }
}

/// Whether the message is a further part of an album of photos.
#[expect(clippy::needless_pass_by_value, reason = "dptree hands values over")]
pub(crate) fn photo_of_album(ctx: Ctx) -> Option<AlbumOf> {
    let of = ctx.album_of_part().filter(|of| matches!(of, AlbumOf::NewProduct | AlbumOf::Product { .. }))?;
    ctx.may(Right::EditCatalogue).then_some(of)
}

/// A further photo of an album: the product has all of them, in their order.
pub(crate) async fn add_photo(ctx: Ctx, of: AlbumOf) -> HandlerResult {
    let AlbumOf::Product { id } = of else { return new_product::add_photo(ctx).await };
    let Some(product) = catalogue::product(ctx.documents(), id).await? else {
        return categories::gone(ctx).await;
    };
    let photo = match fields::value_of(&ctx, &product, Field::Photo).await? {
        Ok(Value::Photo(photo)) => photo,
        Ok(_) => None,
        Err(wrong) => return ctx.reply(wrong).await,
    };
    records::change(ctx.documents(), id.get(), |product: &mut Product| {
        let mut photos = product.photos();
        photos.extend(photo.clone().filter(|photo| !photos.contains(photo)));
        product.set_photos(photos);
    })
    .await?;
    product::open(ctx, id).await
}

/// The button that leaves a field empty. It counts for the field that is asked for and for no other, so that a second tap
/// does not skip the next question.
pub(crate) async fn leave_empty(ctx: Ctx, field: Field) -> HandlerResult {
    let Step::Staff(StaffStep::Catalogue(step)) = ctx.step() else { return ctx.stale().await };
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
        | CatalogueStep::ImportFile => ctx.stale().await,
    }
}
