//! A new product, question by question. It is a draft in the dialogue until it is looked at and agreed to.

use tolov_domain::{
    ProductId, Tiyin,
    ports::{
        documents::{Collection, Query},
        shop::Recorded,
    },
};
use tolov_shop::{
    catalogue::{self, Fiscal, PRODUCTS_MAX, Product},
    records,
};

use crate::{
    conversation::{
        callback::CatalogueCallback,
        context::Ctx,
        dialogue::{Asked, CatalogueStep, Field, StaffStep, Step},
        error::HandlerResult,
        screen::{Button, Screen},
    },
    staff::{
        catalogue::{
            card, categories, edit,
            fields::{self, Value},
            product,
        },
        people::journal,
    },
    texts::{l, t},
};

pub(crate) async fn ask(ctx: Ctx, category_id: i64) -> HandlerResult {
    if categories::find(&ctx, category_id).await?.is_none() {
        return categories::gone(ctx).await;
    }
    let there = ctx.documents().count(&Query::all(Collection::Products, 1)).await?;
    if usize::try_from(there).is_ok_and(|there| there >= PRODUCTS_MAX) {
        return ctx.alert(l!(ctx.language, "edit-products-full")).await;
    }
    // The number is drawn once, so that a draft that is agreed to twice becomes one product.
    let id = catalogue::next_article_id(ctx.documents()).await?;
    let draft = Product {
        id,
        category_id,
        title: String::new(),
        description: String::new(),
        photo: None,
        hidden: true,
        price: Tiyin::ZERO,
        stock: None,
        variants: Vec::new(),
        fiscal: Fiscal::default(),
        holds: Vec::new(),
        article_ids: Vec::new(),
    };
    go_to(ctx, Box::new(draft), Asked::Field(Field::Title)).await
}

async fn go_to(ctx: Ctx, draft: Box<Product>, asked: Asked) -> HandlerResult {
    let screen = screen(&ctx, &draft, asked, None);
    ctx.expect(Step::Staff(StaffStep::Catalogue(CatalogueStep::NewProduct { draft, asked }))).await?;
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
            let mut screen = Screen::new(edit::asked(ctx, draft, field, wrong));
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
        // Nothing is typed any more: the buttons are shown again.
        return ctx.show(screen(&ctx, &draft, asked, None)).await;
    };
    match edit::value_of(&ctx, &draft, field).await? {
        Ok(value) => take(ctx, draft, field, &value).await,
        Err(wrong) => ctx.show(screen(&ctx, &draft, asked, Some(wrong))).await,
    }
}

pub(super) async fn take(ctx: Ctx, mut draft: Box<Product>, field: Field, value: &Value) -> HandlerResult {
    value.put(&mut draft);
    go_to(ctx, draft, field.next()).await
}

/// The draft is agreed to.
pub(crate) async fn add(ctx: Ctx, (id, hidden): (ProductId, bool)) -> HandlerResult {
    let Step::Staff(StaffStep::Catalogue(CatalogueStep::NewProduct { draft, asked: Asked::Review })) =
        ctx.dialogue.step.clone()
    else {
        // A second tap: the product is there.
        return product::open(ctx, id).await;
    };
    if draft.id != id {
        return ctx.stale().await;
    }
    if categories::find(&ctx, draft.category_id).await?.is_none() {
        return categories::gone(ctx).await;
    }
    let made = Product { hidden, ..*draft }.seal();
    if records::insert(ctx.documents(), &made).await? == Recorded::Now {
        let price = made.price.grouped();
        journal::note(&ctx, "product.added", format!("{}: {price}", product::about(&made))).await?;
    }
    ctx.toast(l!(ctx.language, "edit-added")).await?;
    product::open(ctx, id).await
}
