//! A quantity that is typed.

use tolov_domain::ProductId;
use tolov_shop::{catalogue, shopper::cart::COUNT_MAX};

use crate::{
    conversation::{
        callback::ShopCallback,
        context::Ctx,
        dialogue::Step,
        error::HandlerResult,
        screen::{Button, Screen},
    },
    shopper::catalogue::card,
    texts::{l, t},
};

pub(crate) async fn ask(ctx: Ctx, article_id: ProductId) -> HandlerResult {
    let product = catalogue::product_of_article(ctx.documents(), article_id).await?;
    let Some((product, article)) =
        product.and_then(|product| product.article(article_id).map(|article| (product.id, article)))
    else {
        return card::open_article(ctx, article_id).await;
    };
    ctx.wait_for(Step::Quantity { article_id });
    let language = ctx.language;
    let back = ShopCallback::Variant { product_id: product, article_id };
    let screen = Screen::new(t!(language, "quantity-ask", title = article.title))
        .row([Button::callback(l!(language, "back"), back)]);
    ctx.show(screen).await
}

/// A quantity was typed; 0 takes the article out of the cart.
pub(crate) async fn take(ctx: Ctx, article_id: ProductId) -> HandlerResult {
    match ctx.text().and_then(quantity_in).filter(|count| *count <= COUNT_MAX) {
        Some(count) => card::set(ctx, (article_id, count)).await,
        None => ctx.reply(t!(ctx.language, "quantity-unclear", most = COUNT_MAX)).await,
    }
}

/// `250`, `1 000`, `12 ta`.
fn quantity_in(text: &str) -> Option<u32> {
    let number = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    let groups: Vec<&str> = number.split([' ', '\u{a0}']).collect();
    let is_grouped = groups.len() == 1 || groups[1..].iter().all(|group| group.len() == 3);
    let digits = groups.concat();
    let is_number = is_grouped && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_read_as_people_write_it() {
        for (text, quantity) in [("250", 250), ("1 000", 1_000), ("12 ta", 12), ("3 шт.", 3), ("0", 0)] {
            assert_eq!(quantity_in(text), Some(quantity), "{text}");
        }
        for text in ["", "ikkita", "-5", "+5", "1 2", "2,5", "1 kg 200 g", "99999999999"] {
            assert_eq!(quantity_in(text), None, "{text}");
        }
    }
}
