//! Categories and what is in them.

use tolov_domain::{Language, ProductId};
use tolov_shop::{
    catalogue::{self, Article, Category, Product, Snapshot},
    shopper::cart,
};

use crate::{
    conversation::{
        callback::ShopCallback,
        context::Ctx,
        error::HandlerResult,
        pages::{Page, page_of_index},
        screen::{Button, Screen},
    },
    texts::{amount, l, t, unit_price},
};

/// A long title is cut so that the label has room for the price.
const LABEL_TITLE_MAX_CHARS: usize = 34;

pub(crate) async fn categories(ctx: Ctx, page: u32) -> HandlerResult {
    ctx.leave_step().await?;
    ctx.update(|dialogue| dialogue.search = None);
    let snapshot = ctx.deps.catalogue().await?;
    ctx.show(categories_screen(ctx.language, snapshot.categories(), page)).await
}

pub(crate) async fn category(ctx: Ctx, (id, page): (i64, u32)) -> HandlerResult {
    let snapshot = ctx.deps.catalogue().await?;
    page_in(ctx, &snapshot, (id, page)).await
}

async fn page_in(ctx: Ctx, snapshot: &Snapshot, (id, page): (i64, u32)) -> HandlerResult {
    ctx.leave_step().await?;
    ctx.update(|dialogue| dialogue.search = None);
    let listed_category = snapshot.categories().iter().find(|category| category.id == id).cloned();
    // One that is empty is in no list.
    let category = match listed_category {
        Some(category) => Some(category),
        None => catalogue::category(ctx.documents(), id).await?,
    };
    let Some(category) = category.filter(|category| !category.hidden) else {
        return ctx.show(gone_screen(ctx.language, t!(ctx.language, "category-gone"))).await;
    };
    let listed = snapshot.products_in(id);
    let page = Page::of(listed, page);
    let products = catalogue::shown_products(ctx.documents(), page.items).await?;
    let products = cart::with_own_holds(ctx.documents(), ctx.id(), products, 0).await?;
    ctx.show(category_screen(ctx.language, &category, listed.len(), &page, &products)).await
}

/// Back from a card: the page of its category that the product is on.
pub(crate) async fn page_of(ctx: Ctx, product_id: ProductId) -> HandlerResult {
    let snapshot = ctx.deps.catalogue().await?;
    if let Some((id, place)) = snapshot.place_of(product_id) {
        return page_in(ctx, &snapshot, (id, page_of_index(place))).await;
    }
    match catalogue::product(ctx.documents(), product_id).await? {
        Some(product) => page_in(ctx, &snapshot, (product.category_id, 0)).await,
        None => categories(ctx, 0).await,
    }
}

pub(crate) fn categories_screen(language: Language, categories: &[Category], page: u32) -> Screen {
    let menu = Button::callback(l!(language, "back-to-menu"), ShopCallback::Menu);
    if categories.is_empty() {
        return Screen::new(t!(language, "catalogue-empty")).row([menu]);
    }
    let page = Page::of(categories, page);
    let row = |category: &Category| {
        vec![Button::callback(category.title.as_str(), ShopCallback::Category { id: category.id, page: 0 })]
    };
    Screen::new(t!(language, "catalogue-title"))
        .rows(page.items.iter().map(row))
        .row(page.buttons(|page| ShopCallback::Categories { page }))
        .row([Button::callback(l!(language, "menu-search"), ShopCallback::Search), menu])
}

/// `count`: of all products of the category; `products` are those of the page.
fn category_screen(
    language: Language,
    category: &Category,
    count: usize,
    page: &Page<'_, ProductId>,
    products: &[Product],
) -> Screen {
    let text = if count == 0 {
        t!(language, "category-empty", title = category.title)
    } else {
        t!(language, "category-title", title = category.title, count = count)
    };
    Screen::new(text)
        .photo(category.photo.clone())
        .rows(product_rows(language, products))
        .row(page.buttons(|page| ShopCallback::Category { id: category.id, page }))
        .row([
            Button::callback(l!(language, "back"), ShopCallback::Categories { page: 0 }),
            Button::callback(l!(language, "back-to-menu"), ShopCallback::Menu),
        ])
}

/// The screen for a product or category that does not exist any more.
pub(crate) fn gone_screen(language: Language, text: String) -> Screen {
    Screen::new(text)
        .row([Button::callback(l!(language, "menu-catalogue"), ShopCallback::Categories { page: 0 })])
        .row([Button::callback(l!(language, "back-to-menu"), ShopCallback::Menu)])
}

/// A row for each product, which opens its card.
pub(crate) fn product_rows(language: Language, products: &[Product]) -> Vec<Vec<Button>> {
    let row = |product: &Product| {
        vec![Button::callback(product_label(language, product), ShopCallback::Product { id: product.id })]
    };
    products.iter().map(row).collect()
}

fn product_label(language: Language, product: &Product) -> String {
    let title = shortened(&product.title, LABEL_TITLE_MAX_CHARS);
    if product.is_sold_out() {
        l!(language, "label-sold-out", title = title)
    } else {
        l!(language, "label-price", title = title, price = price(language, product))
    }
}

/// `12 000 so'm`, `24 000 so'm/kg`; for variants of different prices the lowest one, marked as such.
pub(crate) fn price(language: Language, product: &Product) -> String {
    let from = product.price_from();
    let is_one: bool = product.articles().iter().all(|article| article.unit_price == from);
    let sum = unit_price(language, from, product.portion);
    if is_one { sum } else { l!(language, "price-from", price = sum) }
}

/// Cuts a text to at most this many characters.
pub(crate) fn shortened(text: &str, max_chars: usize) -> String {
    if text.chars().count() <= max_chars {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(max_chars.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// The label of a variant's button: what it costs, and how many of it are in the cart.
pub(crate) fn variant_label(language: Language, article: &Article, in_cart: u32) -> String {
    let label = shortened(article.label.as_deref().unwrap_or_default(), LABEL_TITLE_MAX_CHARS);
    let said = if article.is_sold_out() {
        l!(language, "label-sold-out", title = label)
    } else {
        let price = unit_price(language, article.unit_price, article.portion);
        l!(language, "label-price", title = label, price = price)
    };
    match (in_cart, article.portion) {
        (0, _) => said,
        (count, Some(portion)) => format!("{said} · 🛒 {}", amount(language, portion, count)),
        (count, None) => format!("{said} · 🛒 {count}"),
    }
}

#[cfg(test)]
#[path = "browse_tests.rs"]
pub(crate) mod tests;
