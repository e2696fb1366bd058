//! The card of a product, or of one of its variants, from which it goes into the cart.

use tolov_domain::{Language, OrderedProduct, ProductId, ports::PortError};
use tolov_shop::{
    catalogue::{self, Article, FileId, Product},
    shopper::{
        Shopper,
        cart::{self, COUNT_MAX},
    },
};

use crate::{
    conversation::{
        callback::ShopCallback,
        context::Ctx,
        error::HandlerResult,
        screen::{Button, Screen, fitting_beside},
    },
    shopper::{
        account::language::language_switch,
        cart::change_text,
        catalogue::{
            browse::{gone_screen, price, variant_label},
            inline,
        },
        menu,
    },
    texts::{amount, l, t, unit_price},
};

/// From this stock down a card says how many are left.
const FEW_LEFT: u32 = 5;
/// Labels of variants are short.
const VARIANTS_PER_ROW: usize = 2;

/// What a card depends on beside the product.
#[derive(Debug, Clone, Copy)]
struct Around<'a> {
    language: Language,
    cart: &'a [OrderedProduct],
    /// How many pieces are in the cart.
    pieces: u32,
    /// Where "back" on a product's card leads.
    back: &'a ShopCallback,
    /// Which of the photos is shown, from 0.
    photo: u32,
}

impl Around<'_> {
    fn in_cart(&self, article_id: ProductId) -> u32 {
        self.cart.iter().find(|line| line.product_id == article_id).map_or(0, |line| line.count)
    }
}

pub(crate) async fn open(ctx: Ctx, id: ProductId) -> HandlerResult {
    ctx.leave_step().await?;
    match shown(&ctx, catalogue::product(ctx.documents(), id).await?).await? {
        Some(product) => show(&ctx, &product, None, 0).await,
        None => gone(&ctx).await,
    }
}

/// The card as the first screen of a new shopper: other languages are offered below it.
pub(crate) async fn open_first(ctx: Ctx, id: ProductId) -> HandlerResult {
    let Some(product) = shown(&ctx, catalogue::product(ctx.documents(), id).await?).await? else {
        return gone(&ctx).await;
    };
    let languages = language_switch(ctx.language, |language| ShopCallback::ProductIn { id, language });
    ctx.show(screen_of(&ctx, ctx.shopper(), &product, None, 0).row(languages)).await
}

pub(crate) async fn open_variant(
    ctx: Ctx,
    (product_id, article_id): (ProductId, ProductId),
) -> HandlerResult {
    open_photo(ctx, (product_id, article_id, 0)).await
}

/// The same card with another of its photos.
pub(crate) async fn open_photo(
    ctx: Ctx,
    (product_id, article_id, photo): (ProductId, ProductId, u32),
) -> HandlerResult {
    ctx.leave_step().await?;
    match shown(&ctx, catalogue::product(ctx.documents(), product_id).await?).await? {
        Some(product) => show(&ctx, &product, product.article(article_id).as_ref(), photo).await,
        None => gone(&ctx).await,
    }
}

/// Sets the quantity of an article in the cart.
pub(crate) async fn set(ctx: Ctx, (article_id, count): (ProductId, u32)) -> HandlerResult {
    ctx.leave_step().await?;
    let wanted = OrderedProduct { product_id: article_id, count };
    let set = cart::set_on_card(ctx.documents(), ctx.id(), ctx.stored_shopper(), wanted).await?;
    let product = shown(&ctx, set.product).await?;
    let article = product.as_ref().and_then(|product| product.article(article_id));
    let portion = article.as_ref().and_then(|article| article.portion);
    if let Some(said) = change_text(ctx.language, &set.change, portion) {
        ctx.toast(said).await?;
    }
    match &product {
        Some(product) => ctx.show(screen_of(&ctx, Some(&set.shopper), product, article.as_ref(), 0)).await,
        None => gone(&ctx).await,
    }
}

/// The card that an article is on.
pub(super) async fn open_article(ctx: Ctx, article_id: ProductId) -> HandlerResult {
    match shown(&ctx, catalogue::product_of_article(ctx.documents(), article_id).await?).await? {
        Some(product) => show(&ctx, &product, product.article(article_id).as_ref(), 0).await,
        None => gone(&ctx).await,
    }
}

/// As this shopper can buy it; `None` where it is not shown.
async fn shown(ctx: &Ctx, product: Option<Product>) -> Result<Option<Product>, PortError> {
    let product = product.into_iter().filter(|product| !product.hidden).collect();
    Ok(cart::with_own_holds(ctx.documents(), ctx.id(), product, FEW_LEFT).await?.pop())
}

async fn gone(ctx: &Ctx) -> HandlerResult {
    ctx.show(gone_screen(ctx.language, t!(ctx.language, "product-gone"))).await
}

async fn show(ctx: &Ctx, product: &Product, article: Option<&Article>, photo: u32) -> HandlerResult {
    ctx.show(screen_of(ctx, ctx.shopper(), product, article, photo)).await
}

fn screen_of(
    ctx: &Ctx,
    shopper: Option<&Shopper>,
    product: &Product,
    article: Option<&Article>,
    photo: u32,
) -> Screen {
    let back = match ctx.search() {
        Some(found) => ShopCallback::FoundPage { page: found.page },
        None => ShopCallback::PageOf { product_id: product.id },
    };
    let around = Around {
        language: ctx.language,
        cart: shopper.map(|shopper| shopper.cart.as_slice()).unwrap_or_default(),
        pieces: shopper.map_or(0, Shopper::pieces_in_cart),
        back: &back,
        photo,
    };
    screen(around, product, article)
}

/// The card of the variant, where there is one, else that of the product.
fn screen(around: Around<'_>, product: &Product, article: Option<&Article>) -> Screen {
    match (article, product.variants.is_empty()) {
        (Some(article), false) => variant_screen(around, product, article),
        (_, true) => plain_screen(around, product),
        (None, false) => choice_screen(around, product),
    }
}

/// A product without variants.
fn plain_screen(around: Around<'_>, product: &Product) -> Screen {
    let language = around.language;
    let article = product.articles().into_iter().next();
    let facts = article.as_ref().map(|article| article_facts(language, article)).unwrap_or_default();
    let screen = card(around, product, &product.title, &facts).row(photo_button(around, product, product.id));
    let screen = match &article {
        Some(article) => screen.row(count_row(around, article)),
        None => screen,
    };
    ending(around, product, screen, back_button(language, around.back))
}

/// A product with variants, one of which has to be chosen.
fn choice_screen(around: Around<'_>, product: &Product) -> Screen {
    let language = around.language;
    let facts = if product.is_sold_out() {
        t!(language, "card-sold-out")
    } else {
        let price = t!(language, "card-price", price = price(language, product));
        format!("{price}\n{}", t!(language, "card-choose"))
    };
    let button = |article: &Article| {
        let callback = ShopCallback::Variant { product_id: product.id, article_id: article.id };
        Button::callback(variant_label(language, article, around.in_cart(article.id)), callback)
    };
    let articles = product.articles();
    let rows = articles.chunks(VARIANTS_PER_ROW).map(|row| row.iter().map(button).collect());
    let screen = card(around, product, &product.title, &facts)
        .row(photo_button(around, product, product.id))
        .rows(rows);
    ending(around, product, screen, back_button(language, around.back))
}

fn variant_screen(around: Around<'_>, product: &Product, article: &Article) -> Screen {
    let language = around.language;
    let facts = article_facts(language, article);
    let screen = card(around, product, &article.title, &facts)
        .row(photo_button(around, product, article.id))
        .row(count_row(around, article));
    let back = back_button(language, &ShopCallback::Product { id: product.id });
    ending(around, product, screen, back)
}

/// Photo, title, description and facts.
fn card(around: Around<'_>, product: &Product, title: &str, facts: &str) -> Screen {
    let language = around.language;
    let title = t!(language, "card-title", title = title);
    // Where the text does not fit under the photo, the description is cut and not the price. The blank lines around it count
    // too.
    let others = format!("{title}\n\n\n\n{facts}");
    let description = fitting_beside(&product.description, &others, product.photo.is_some());
    let mut parts = vec![title];
    if !description.is_empty() {
        parts.push(t!(language, "card-description", text = description));
    }
    parts.push(facts.to_owned());
    Screen::new(parts.join("\n\n")).photo(photo_of(around, product).map(|(_, photo)| photo))
}

/// The photo that is shown, with its index. An album is shown a photo at a time, because Telegram puts no buttons under one.
fn photo_of(around: Around<'_>, product: &Product) -> Option<(usize, FileId)> {
    let photos = product.photos();
    let index = usize::try_from(around.photo).ok()?.checked_rem(photos.len())?;
    Some((index, photos.get(index)?.clone()))
}

/// Leads to the next photo, where there are several.
fn photo_button(around: Around<'_>, product: &Product, article_id: ProductId) -> Option<Button> {
    let (index, count) = (photo_of(around, product)?.0, product.photos().len());
    let next = ShopCallback::Photo {
        product_id: product.id,
        article_id,
        photo: u32::try_from((index + 1) % count).unwrap_or_default(),
    };
    (count > 1).then(|| Button::callback(format!("🖼 {} / {count} ▶️", index + 1), next))
}

fn article_facts(language: Language, article: &Article) -> String {
    let price = unit_price(language, article.unit_price, article.portion);
    let price = t!(language, "card-price", price = price);
    let few = match (article.stock.filter(|left| *left <= FEW_LEFT), article.portion) {
        _ if article.is_sold_out() => t!(language, "card-sold-out"),
        (Some(left), Some(portion)) => {
            t!(language, "card-only-left-amount", amount = amount(language, portion, left))
        }
        (Some(left), None) => t!(language, "card-only-left", count = left),
        (None, _) => return price,
    };
    format!("{price}\n{few}")
}

/// "Add to cart"; in the cart −1 count +1 (or a portion less and more), where the count can be typed. What is not in stock is refused by the cart, which
/// says how many are left.
fn count_row(around: Around<'_>, article: &Article) -> Vec<Button> {
    let count = around.in_cart(article.id);
    let (language, article_id) = (around.language, article.id);
    let to = |label: String, count: u32| {
        Button::callback(label, ShopCallback::SetOnCard { article_id, count: count.min(COUNT_MAX) })
    };
    let (step, shown) = match article.portion {
        Some(portion) => (amount(language, portion, 1), amount(language, portion, count)),
        None => ("1".to_owned(), l!(language, "card-count", count = count)),
    };
    match count {
        0 if article.is_sold_out() => Vec::new(),
        0 => vec![to(l!(language, "card-add"), 1)],
        _ => vec![
            to(format!("−{step}"), count.saturating_sub(1)),
            Button::callback(shown, ShopCallback::AskQuantity { article_id }),
            to(format!("+{step}"), count.saturating_add(1)),
        ],
    }
}

fn ending(around: Around<'_>, product: &Product, screen: Screen, back: Button) -> Screen {
    let language = around.language;
    let share = Button::Share { label: l!(language, "card-share"), query: inline::query_of(product.id) };
    let check_out = Button::callback(l!(language, "card-check-out"), ShopCallback::CheckOut);
    // Beside another button its label is cut off on a narrow phone.
    let check_out = (!around.cart.is_empty()).then_some(check_out);
    screen.row(check_out).row([menu::cart_button(language, around.pieces)]).row([back, share])
}

fn back_button(language: Language, back: &ShopCallback) -> Button {
    let is_found = matches!(back, ShopCallback::FoundPage { .. });
    let label = if is_found { l!(language, "back-to-found") } else { l!(language, "back") };
    Button::callback(label, back.clone())
}

#[cfg(test)]
#[path = "card_tests.rs"]
mod tests;
