//! A quantity that is typed.

use tolov_domain::{ProductId, order::Portion};
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
    texts::{amount, l, t},
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
    let text = match article.portion {
        Some(portion) => {
            let (portion, example) = (amount(language, portion, 1), amount(language, portion, 3));
            t!(language, "quantity-ask-amount", title = article.title, example = example, portion = portion)
        }
        None => t!(language, "quantity-ask", title = article.title),
    };
    ctx.show(Screen::new(text).row([Button::callback(l!(language, "back"), back)])).await
}

/// A quantity was typed; 0 takes the article out of the cart.
pub(crate) async fn take(ctx: Ctx, article_id: ProductId) -> HandlerResult {
    let product = catalogue::product_of_article(ctx.documents(), article_id).await?;
    let portion = product.and_then(|product| product.portion);
    let typed = ctx.text().and_then(|text| match portion {
        Some(portion) => portions_in(text, portion),
        None => quantity_in(text),
    });
    match (typed.filter(|count| *count <= COUNT_MAX), portion) {
        (Some(count), _) => card::set(ctx, (article_id, count)).await,
        (None, Some(portion)) => {
            let (one, most) = (amount(ctx.language, portion, 1), amount(ctx.language, portion, COUNT_MAX));
            ctx.reply(t!(ctx.language, "quantity-unclear-amount", portion = one, most = most)).await
        }
        (None, None) => ctx.reply(t!(ctx.language, "quantity-unclear", most = COUNT_MAX)).await,
    }
}

/// `1,5`, `1.5 kg`, `500 g`: whole portions alone.
fn portions_in(text: &str, portion: Portion) -> Option<u32> {
    let (count, is_whole) = portion.count_in(portion.thousandths_in(text)?)?;
    is_whole.then_some(count)
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

    #[test]
    fn an_amount_is_read_in_whole_portions() {
        let half = Portion::parse("0,5 kg").unwrap();
        for (text, count) in [("1,5", 3), ("1.5 kg", 3), ("500 g", 1), ("2", 4), ("0", 0)] {
            assert_eq!(portions_in(text, half), Some(count), "{text}");
        }
        for text in ["1,3", "0,1 kg", "bir kilo", "-1", ""] {
            assert_eq!(portions_in(text, half), None, "{text}");
        }
    }
}
