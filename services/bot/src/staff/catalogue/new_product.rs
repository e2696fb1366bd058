//! A new product, question by question. It is a draft in the dialogue until it is confirmed.

use tolov_domain::{ProductId, ports::documents::Query};
use tolov_shop::{
    catalogue::{self, PRODUCTS, PRODUCTS_MAX, Product},
    staff::ProductChange,
};

use crate::{
    conversation::{
        callback::CatalogueCallback,
        context::Ctx,
        dialogue::{AlbumOf, Asked, CatalogueStep, Field, StaffStep, Step},
        error::HandlerResult,
        screen::{Button, Screen},
    },
    staff::catalogue::{
        card, categories,
        fields::{self, Value},
        product,
    },
    texts::{l, t},
};

pub(crate) async fn ask(ctx: Ctx, category_id: i64) -> HandlerResult {
    if categories::find(&ctx, category_id).await?.is_none() {
        return categories::gone(ctx).await;
    }
    let count = ctx.documents().count(&Query::all(PRODUCTS, 1)).await?;
    if usize::try_from(count).is_ok_and(|count| count >= PRODUCTS_MAX) {
        return ctx.alert(l!(ctx.language, "edit-products-full")).await;
    }
    // Assigned once, so that a draft that is confirmed twice becomes one product.
    let id = catalogue::next_article_id(ctx.documents()).await?;
    let draft = Product { hidden: true, ..Product::new(id, category_id) };
    go_to(ctx, Box::new(draft), Asked::Field(Field::Title)).await
}

async fn go_to(ctx: Ctx, draft: Box<Product>, asked: Asked) -> HandlerResult {
    let screen = screen(&ctx, &draft, asked, None);
    ctx.wait_for(CatalogueStep::NewProduct { draft, asked });
    ctx.show(screen).await
}

fn screen(ctx: &Ctx, draft: &Product, asked: Asked, wrong: Option<String>) -> Screen {
    let language = ctx.language;
    let leave = CatalogueCallback::Category { id: draft.category_id, page: 0 };
    let leave = [Button::callback(l!(language, "edit-cancel"), leave)];
    match asked {
        Asked::Field(Field::Title) => {
            let question = fields::question(language, Field::Title, draft);
            let question = t!(language, "edit-product-new", asked = crate::texts::Html(question));
            Screen::new(wrong.map_or(question.clone(), |wrong| format!("{wrong}\n\n{question}"))).row(leave)
        }
        Asked::Field(field) => {
            let mut screen = Screen::new(fields::asked(ctx, draft, field, wrong));
            if field.may_be_empty() {
                let label = fields::empty_label(language, field, true);
                screen = screen.row([Button::callback(label, CatalogueCallback::LeaveEmpty { field })]);
            }
            screen.row(leave)
        }
        Asked::Review => {
            let add = |hidden| CatalogueCallback::AddProduct { id: draft.id, hidden };
            Screen::new(card::preview(language, draft, &t!(language, "edit-product-review")))
                .photo(draft.photo.clone())
                .row([
                    Button::callback(l!(language, "edit-publish"), add(false)),
                    Button::callback(l!(language, "edit-add-hidden"), add(true)),
                ])
                .row(leave)
        }
    }
}

pub(crate) async fn answer(ctx: Ctx, (draft, asked): (Box<Product>, Asked)) -> HandlerResult {
    let Asked::Field(field) = asked else {
        // Only a button leads on from here.
        return ctx.show(screen(&ctx, &draft, asked, None)).await;
    };
    match fields::value_of(&ctx, &draft, field).await? {
        Ok(value) => take(ctx, draft, field, &value).await,
        Err(wrong) => ctx.show(screen(&ctx, &draft, asked, Some(wrong))).await,
    }
}

pub(super) async fn take(ctx: Ctx, mut draft: Box<Product>, field: Field, value: &Value) -> HandlerResult {
    value.put(&mut draft);
    if field == Field::Photo {
        ctx.expect_more_of_album(AlbumOf::NewProduct);
    }
    go_to(ctx, draft, field.next()).await
}

/// A further photo of the album that the first one came with.
pub(super) async fn add_photo(ctx: Ctx) -> HandlerResult {
    let Step::Staff(StaffStep::Catalogue(CatalogueStep::NewProduct { mut draft, asked })) = ctx.step() else {
        return ctx.reply(t!(ctx.language, "edit-photo-late")).await;
    };
    match fields::value_of(&ctx, &draft, Field::Photo).await? {
        Ok(Value::Photo(photo)) => {
            draft.set_photos(draft.photos().into_iter().chain(photo).collect());
            go_to(ctx, draft, asked).await
        }
        Ok(_) => Ok(()),
        Err(wrong) => ctx.reply(wrong).await,
    }
}

/// The draft is confirmed.
pub(crate) async fn add(ctx: Ctx, (id, hidden): (ProductId, bool)) -> HandlerResult {
    let Step::Staff(StaffStep::Catalogue(CatalogueStep::NewProduct { draft, asked: Asked::Review })) =
        ctx.step()
    else {
        // A second tap.
        return product::open(ctx, id).await;
    };
    if draft.id != id {
        return ctx.stale().await;
    }
    if categories::find(&ctx, draft.category_id).await?.is_none() {
        return categories::gone(ctx).await;
    }
    let made = Product { hidden, ..*draft }.seal();
    if catalogue::insert(ctx.documents(), &made).await?.is_applied() {
        product::record(&ctx, &made, ProductChange::Added { price: made.price }).await?;
    }
    ctx.toast(l!(ctx.language, "edit-added")).await?;
    product::open(ctx, id).await
}
