//! The cart: quantities, the promo code, and what has changed since the shopper looked.

use tolov_domain::{Language, OrderedProduct, ProductId, Tiyin, order::Portion};
use tolov_shop::{
    promo::{self, PromoRefusal},
    shopper::{
        self, Shopper,
        cart::{self, CartChange, News, Quote, QuoteLine},
        checkout::Agreement,
    },
};

use crate::{
    conversation::{
        callback::ShopCallback,
        context::Ctx,
        dialogue::Step,
        error::{HandlerError, HandlerResult},
        pages::{Page, page_of_index},
        screen::{Button, Screen},
    },
    orders::{order_lines, order_message},
    shopper::checkout::{
        draft::{self, Prepared},
        pay_button,
    },
    texts::{amount, l, money, t},
};

pub(crate) async fn open(ctx: Ctx) -> HandlerResult {
    let shopper = shopper::shopper(ctx.documents(), ctx.id()).await?;
    open_of(ctx, shopper.as_ref(), 0).await
}

/// A page of the cart as it was when the update came.
pub(crate) async fn open_page(ctx: Ctx, page: u32) -> HandlerResult {
    let shopper = ctx.shopper().cloned();
    open_of(ctx, shopper.as_ref(), page).await
}

async fn open_of(ctx: Ctx, shopper: Option<&Shopper>, page: u32) -> HandlerResult {
    ctx.leave_step().await?;
    let screen = screen_of(&ctx, shopper, page).await?;
    ctx.show(screen).await
}

/// As a new message: the tapped one stays as it is.
pub(crate) async fn open_below(ctx: Ctx) -> HandlerResult {
    ctx.leave_step().await?;
    let shopper = shopper::shopper(ctx.documents(), ctx.id()).await?;
    let screen = screen_of(&ctx, shopper.as_ref(), 0).await?;
    ctx.show_below(screen).await
}

async fn screen_of(ctx: &Ctx, shopper: Option<&Shopper>, page: u32) -> Result<Screen, HandlerError> {
    // First, since an order that was begun holds stock.
    let prepared = match draft::prepare(ctx, shopper).await {
        Ok(prepared) => Some(prepared),
        Err(HandlerError::Ledger(error)) => {
            tracing::warn!(user.id = %ctx.id(), %error, "an order that was begun cannot be given up yet");
            None
        }
        Err(error) => return Err(error),
    };
    let quote = cart::quote_of(ctx.documents(), shopper, ctx.now()).await?;
    let agreed = match prepared {
        Some(prepared) => as_before(ctx, prepared, &quote).await?,
        None => None,
    };
    let terms = agreed.as_ref().map(|agreed| terms(ctx, agreed));
    Ok(screen(ctx.language, &quote, page, terms.as_ref()))
}

/// The order that somebody who has ordered before would place now, to the same place. It is shown in the cart, and takes one
/// tap.
async fn as_before(
    ctx: &Ctx,
    Prepared { draft, has_ordered }: Prepared,
    quote: &Quote,
) -> Result<Option<Agreement>, HandlerError> {
    let can_be_ordered = quote.is_sold() && !quote.must_be_seen() && quote.pieces() <= cart::PIECES_MAX;
    if !has_ordered || !can_be_ordered || draft::order_in_the_way(ctx).await?.is_some() {
        return Ok(None);
    }
    let agreed = draft::agreement(ctx, draft, quote.clone());
    if let Some(agreed) = &agreed {
        draft::mark_shown(ctx, agreed.total());
    }
    Ok(agreed)
}

/// What an order would be placed with, below the lines of the cart.
struct Terms {
    delivery_price: Tiyin,
    total: Tiyin,
    html: String,
}

fn terms(ctx: &Ctx, agreed: &Agreement) -> Terms {
    let Agreement { delivery, phone, comment, .. } = agreed;
    let pickup = ctx.deps.config.pickup_address.as_deref();
    Terms {
        delivery_price: agreed.delivery_price,
        total: agreed.total(),
        html: order_message::terms(ctx.language, delivery, phone, comment.as_deref(), pickup),
    }
}

/// Sets the quantity of a line; the screen stays on its page.
pub(crate) async fn set(ctx: Ctx, (article_id, count): (ProductId, u32)) -> HandlerResult {
    let cart = ctx.shopper().map(|shopper| shopper.cart.as_slice()).unwrap_or_default();
    // A line that was removed meanwhile does not come back by a tap on an old screen.
    let Some(index) = cart.iter().position(|line| line.product_id == article_id) else {
        return open_page(ctx, 0).await;
    };
    let wanted = OrderedProduct { product_id: article_id, count };
    let portion = ctx.shopper().and_then(|shopper| shopper.seen(article_id)?.portion);
    let set = cart::set_on_card(ctx.documents(), ctx.id(), ctx.stored_shopper(), wanted).await?;
    if let Some(text) = change_text(ctx.language, &set.change, portion) {
        ctx.toast(text).await?;
    }
    open_of(ctx, Some(&set.shopper), page_of_index(index)).await
}

/// What the screen does not show of a change.
pub(crate) fn change_text(
    language: Language,
    change: &CartChange,
    portion: Option<Portion>,
) -> Option<String> {
    match change {
        CartChange::Set(_) => None,
        CartChange::OnlyLeft(left) if let Some(portion) = portion => {
            Some(l!(language, "cart-only-left-amount", amount = amount(language, portion, *left)))
        }
        CartChange::OnlyLeft(left) => Some(l!(language, "cart-only-left", count = *left)),
        CartChange::Gone => Some(l!(language, "cart-gone")),
        CartChange::Full => Some(l!(language, "cart-full", count = cart::LINES_MAX)),
    }
}

pub(crate) async fn ask_to_clear(ctx: Ctx) -> HandlerResult {
    let language = ctx.language;
    let screen = Screen::new(t!(language, "cart-clear-surely")).row([
        Button::callback(l!(language, "cart-clear-yes"), ShopCallback::ClearCartConfirmed),
        Button::callback(l!(language, "back"), ShopCallback::Cart),
    ]);
    ctx.show(screen).await
}

pub(crate) async fn clear(ctx: Ctx) -> HandlerResult {
    let (shopper, ()) = shopper::change(ctx.documents(), ctx.id(), |shopper| shopper.cart.clear()).await?;
    open_of(ctx, Some(&shopper), 0).await
}

pub(crate) async fn accept_news(ctx: Ctx) -> HandlerResult {
    cart::accept_news(ctx.documents(), ctx.id(), ctx.now()).await?;
    open(ctx).await
}

pub(crate) async fn ask_promo(ctx: Ctx) -> HandlerResult {
    ctx.leave_step().await?;
    ctx.wait_for(Step::PromoCode);
    let language = ctx.language;
    let screen = Screen::new(t!(language, "promo-ask"))
        .row([Button::callback(l!(language, "back"), ShopCallback::Cart)]);
    ctx.show(screen).await
}

/// A promo code was typed.
pub(crate) async fn enter_promo(ctx: Ctx) -> HandlerResult {
    let language = ctx.language;
    let Some(code) = ctx.text().and_then(promo::fold_code) else {
        return ctx.reply(t!(language, "promo-unknown")).await;
    };
    let goods = cart::quote(ctx.documents(), ctx.id(), ctx.now()).await?.goods;
    match promo::discount(ctx.documents(), &code, ctx.id(), goods, ctx.now()).await? {
        // With more in the cart it may count later, so it is kept; the cart says why it does not yet.
        Ok(_) | Err(PromoRefusal::TooLittle(_)) => {}
        Err(refusal) => return ctx.reply(refusal_text(language, refusal)).await,
    }
    shopper::change(ctx.documents(), ctx.id(), |shopper| shopper.promo_code = Some(code.clone())).await?;
    open(ctx).await
}

pub(crate) async fn drop_promo(ctx: Ctx) -> HandlerResult {
    shopper::change(ctx.documents(), ctx.id(), |shopper| shopper.promo_code = None).await?;
    open(ctx).await
}

pub(crate) fn refusal_text(language: Language, refusal: PromoRefusal) -> String {
    match refusal {
        PromoRefusal::Unknown => t!(language, "promo-unknown"),
        PromoRefusal::Expired => t!(language, "promo-expired"),
        PromoRefusal::UsedUp => t!(language, "promo-used-up"),
        PromoRefusal::UsedByYou => t!(language, "promo-used-by-you"),
        PromoRefusal::TooLittle(min) => t!(language, "promo-too-little", sum = money(language, min)),
    }
}

/// `terms`: where the order can be placed at once.
fn screen(language: Language, quote: &Quote, page: u32, terms: Option<&Terms>) -> Screen {
    let menu = Button::callback(l!(language, "back-to-menu"), ShopCallback::Menu);
    let catalogue = Button::callback(l!(language, "menu-catalogue"), ShopCallback::Categories { page: 0 });
    if quote.is_empty() {
        return Screen::new(t!(language, "cart-empty")).row([catalogue]).row([menu]);
    }
    let page = Page::of(&quote.lines, page);
    let rows =
        page.items.iter().zip(page.first() + 1..).map(|(line, number)| line_buttons(language, number, line));
    let screen = Screen::new(text(language, quote, terms))
        .rows(rows)
        .row(page.buttons(|page| ShopCallback::CartPage { page }));
    if quote.must_be_seen() {
        return screen
            .row([Button::callback(l!(language, "cart-accept-news"), ShopCallback::AcceptNews)])
            .row([menu]);
    }
    let promo = match &quote.promo {
        Some(promo) => {
            Button::callback(l!(language, "promo-drop", code = &promo.code), ShopCallback::DropPromo)
        }
        None => Button::callback(l!(language, "promo-enter"), ShopCallback::AskPromo),
    };
    let order = if let Some(terms) = terms {
        vec![
            vec![pay_button(language, terms.total)],
            vec![Button::callback(l!(language, "cart-change-terms"), ShopCallback::CheckOut)],
        ]
    } else {
        let total = money(language, quote.total());
        let label = l!(language, "cart-check-out", total = total);
        vec![vec![Button::callback(label, ShopCallback::CheckOut)]]
    };
    screen
        .rows(order)
        .row([promo, Button::callback(l!(language, "cart-clear"), ShopCallback::ClearCart)])
        .row([catalogue, menu])
}

fn line_buttons(language: Language, number: usize, line: &QuoteLine) -> Vec<Button> {
    let article_id = line.article_id;
    let set = |label: &str, count| Button::callback(label, ShopCallback::SetInCart { article_id, count });
    let open = line.product_id.map_or(ShopCallback::Nothing, |id| ShopCallback::Product { id });
    let count = match line.portion {
        Some(portion) => format!("{number}) {}", amount(language, portion, line.count)),
        None => format!("{number}) × {}", line.count),
    };
    vec![
        set("➖", line.count.saturating_sub(1)),
        Button::callback(count, open),
        set("➕", line.count.saturating_add(1)),
        set("🗑", 0),
    ]
}

fn text(language: Language, quote: &Quote, terms: Option<&Terms>) -> String {
    let line = |(index, line): (usize, &QuoteLine)| {
        let text = line_text(language, index + 1, line);
        // With a blank line between two of them.
        if index == 0 { text } else { format!("\n{text}") }
    };
    let lines: Vec<String> = quote.lines.iter().enumerate().map(line).collect();
    let delivery_price = terms.map_or(Tiyin::ZERO, |terms| terms.delivery_price);
    let mut end = totals(language, quote, delivery_price);
    if let Some(terms) = terms {
        end = format!("{end}\n\n{}", terms.html);
    }
    order_lines::fit_lines(language, &t!(language, "cart-title"), &lines, &end)
}

fn line_text(language: Language, number: usize, line: &QuoteLine) -> String {
    let title = if line.title.is_empty() {
        t!(language, "cart-line-untitled", product = line.article_id)
    } else {
        teloxide::utils::html::escape(&line.title)
    };
    let mut text = format!("{number}) <b>{title}</b>");
    if line.is_sold() {
        let (price, sum) = (money(language, line.price), money(language, line.sum()));
        text.push('\n');
        text.push_str(&match line.portion {
            Some(portion) => {
                t!(language, "cart-line-amount", amount = amount(language, portion, line.count), sum = sum)
            }
            None => t!(language, "cart-line-sum", count = line.count, price = price, sum = sum),
        });
    }
    if let Some(news) = line.news {
        text.push_str(if matches!(news, News::Cheaper { .. }) { "\n🎉 " } else { "\n⚠️ " });
        text.push_str(&news_text(language, news, line));
    }
    text
}

fn news_text(language: Language, news: News, line: &QuoteLine) -> String {
    // Of what is sold by weight, the price of a portion.
    let price = |price| match line.portion {
        Some(portion) => format!("{} ({})", money(language, price), amount(language, portion, 1)),
        None => money(language, price),
    };
    let now = price(line.price);
    match news {
        News::Dearer { was } => t!(language, "news-dearer", was = price(was), now = now),
        News::Cheaper { was } => t!(language, "news-cheaper", was = price(was), now = now),
        News::OnlyLeft(left) if let Some(portion) = line.portion => {
            t!(language, "news-only-left-amount", amount = amount(language, portion, left))
        }
        News::OnlyLeft(left) => t!(language, "news-only-left", count = left),
        News::SoldOut => t!(language, "news-sold-out"),
        News::Gone => t!(language, "news-gone"),
    }
}

/// Goods, discount, delivery and total; what is zero is left out.
pub(crate) fn totals(language: Language, quote: &Quote, delivery_price: Tiyin) -> String {
    let mut sums = Vec::new();
    let total = quote.total().checked_add(delivery_price).unwrap_or(Tiyin::MAX);
    if total != quote.goods {
        sums.push(t!(language, "sum-goods", sum = money(language, quote.goods)));
    }
    if let Some(promo) = &quote.promo {
        sums.push(match promo.discount {
            Ok(discount) => {
                t!(language, "sum-discount", code = &promo.code, sum = money(language, discount))
            }
            Err(refusal) => format!("⚠️ {}: {}", promo.code, refusal_text(language, refusal)),
        });
    }
    if delivery_price > Tiyin::ZERO {
        sums.push(t!(language, "sum-delivery", sum = money(language, delivery_price)));
    }
    sums.push(t!(language, "sum-total", sum = money(language, total)));
    sums.join("\n")
}
