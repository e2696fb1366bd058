//! The categories, and the products of one.

use tolov_domain::Language;
use tolov_shop::catalogue::{self, Category, Product};

use crate::{
    conversation::{
        callback::CatalogueCallback,
        context::Ctx,
        dialogue::Step,
        error::{HandlerError, HandlerResult},
        pages::{self, Page},
        screen::{Button, Screen},
    },
    staff::{catalogue::card, panel},
    texts::{l, t},
};

pub(crate) async fn list(ctx: Ctx, page: u32) -> HandlerResult {
    ctx.wait_for(Step::Idle);
    let categories = catalogue::categories(ctx.documents()).await?;
    ctx.show(list_screen(ctx.language, &categories, page)).await
}

fn list_screen(language: Language, categories: &[Category], page: u32) -> Screen {
    let html = if categories.is_empty() {
        t!(language, "edit-categories-empty")
    } else {
        t!(language, "edit-categories-title", count = categories.len())
    };
    let page = Page::of(categories, page);
    let row = |category: &Category| {
        let label = card::category_label(&category.title, category.hidden);
        vec![Button::callback(label, CatalogueCallback::Category { id: category.id, page: 0 })]
    };
    Screen::new(html)
        .rows(page.items.iter().map(row))
        .row(page.buttons(|page| CatalogueCallback::Categories { page }))
        .row([
            Button::callback(l!(language, "edit-category-add"), CatalogueCallback::NewCategory),
            Button::callback(l!(language, "exchange-open"), CatalogueCallback::Exchange),
        ])
        .row(panel::back(language))
}

/// The products of a category.
pub(crate) async fn open(ctx: Ctx, (id, page): (i64, u32)) -> HandlerResult {
    ctx.wait_for(Step::Idle);
    let Some(category) = find(&ctx, id).await? else { return gone(ctx).await };
    let count = catalogue::count_products_in(ctx.documents(), id).await?;
    let page = page.min(pages::count(count) - 1);
    let skip = page.saturating_mul(pages::PER_PAGE);
    let products = catalogue::products_in(ctx.documents(), id, skip, pages::PER_PAGE).await?;
    ctx.show(category_screen(ctx.language, &category, &products, (page, count))).await
}

/// `count`: of all products of the category; `products` are those of the page.
fn category_screen(
    language: Language,
    category: &Category,
    products: &[Product],
    (page, count): (u32, u64),
) -> Screen {
    let id = category.id;
    let title = card::category_label(&category.title, category.hidden);
    let html = if count == 0 {
        t!(language, "edit-category-empty", title = title)
    } else {
        t!(language, "edit-category-products", title = title, count = count)
    };
    let to = |page| CatalogueCallback::Category { id, page };
    let row = |product: &Product| {
        let label = card::product_label(language, product);
        vec![Button::callback(label, CatalogueCallback::Product { id: product.id })]
    };
    Screen::new(html)
        .rows(products.iter().map(row))
        .row(pages::page_buttons(page, pages::count(count), to))
        .row([
            Button::callback(
                l!(language, "edit-product-add"),
                CatalogueCallback::NewProduct { category_id: id },
            ),
            Button::callback(
                l!(language, "edit-category-settings"),
                CatalogueCallback::CategorySettings { id },
            ),
        ])
        .row([Button::callback(
            l!(language, "edit-categories-back"),
            CatalogueCallback::Categories { page: 0 },
        )])
}

pub(super) async fn find(ctx: &Ctx, id: i64) -> Result<Option<Category>, HandlerError> {
    Ok(catalogue::category(ctx.documents(), id).await?)
}

/// What was tapped does not exist any more.
pub(super) async fn gone(ctx: Ctx) -> HandlerResult {
    ctx.toast(l!(ctx.language, "edit-catalogue-gone")).await?;
    list(ctx, 0).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_of_categories_has_pages() {
        let category =
            |id| Category { id, title: format!("<{id}>"), photo: None, position: id, hidden: id == 1 };
        let categories: Vec<Category> = (1..=20).map(category).collect();
        let markup = list_screen(Language::Uz, &categories, 2).markup().inline_keyboard;
        // Four categories, the pager, two rows of buttons.
        assert_eq!(markup.len(), 7, "{markup:?}");
        assert_eq!(markup[0][0].text, "<17>");
        let first = list_screen(Language::Uz, &categories, 0).markup().inline_keyboard;
        assert_eq!(first[0][0].text, "🙈 <1>");
    }
}
