//! Inline mode: `@the_bot words` in any chat offers products.

use teloxide::types::{
    FileId, InlineKeyboardButtonKind, InlineKeyboardMarkup, InlineQuery, InlineQueryResult,
    InlineQueryResultArticle, InlineQueryResultCachedPhoto, InlineQueryResultsButton,
    InlineQueryResultsButtonKind, InputMessageContent, InputMessageContentText, ParseMode,
};
use tolov_domain::{Language, ProductId, ports::PortError};
use tolov_shop::catalogue::{self, PHOTOS_MAX, Product};
use url::Url;

use crate::{
    conversation::{
        context::Ctx,
        error::HandlerResult,
        link::Link,
        screen::{Button, Screen},
    },
    shopper::catalogue::browse::price,
    telegram::errors::SendError,
    texts::{l, t},
};

/// Telegram takes 50; more are asked for when somebody scrolls.
const RESULTS_MAX: usize = 20;
/// The payload of the button above the results: it leads to the menu.
const TO_THE_SHOP: &str = "inline";

/// The query that finds exactly one product.
pub(crate) fn query_of(id: ProductId) -> String {
    format!("#{id}")
}

pub(crate) async fn answer(ctx: Ctx, query: InlineQuery) -> HandlerResult {
    let found = found(&ctx, query.query.trim()).await?;
    let offset = query.offset.parse().unwrap_or(0);
    let page: Vec<ProductId> = found.iter().skip(offset).take(RESULTS_MAX).copied().collect();
    let page = catalogue::shown_products(ctx.documents(), &page).await?;
    let end = offset.saturating_add(RESULTS_MAX);
    let next = if end < found.len() { end.to_string() } else { String::new() };
    let results = |with_photos: bool| -> Vec<InlineQueryResult> {
        // Of one product alone, each photo can be chosen.
        let photos = if page.len() == 1 && with_photos { PHOTOS_MAX } else { 1 };
        let of_product = |product| results_of(&ctx, product, if with_photos { photos } else { 0 });
        page.iter().flat_map(of_product).collect()
    };
    let telegram = &ctx.deps.telegram;
    let button = to_the_shop(ctx.language);
    let answered = telegram.answer_inline(&query.id, results(true), next.clone(), button.clone()).await;
    match answered {
        // Telegram refuses all results because of one photo that this bot cannot send, such as another bot's file.
        Err(SendError::Refused(reason)) if page.iter().any(|product| product.photo.is_some()) => {
            tracing::debug!(%reason, "an inline query is answered without photos");
            telegram.answer_inline(&query.id, results(false), next, button).await
        }
        answered => answered,
    }
    .map_err(Into::into)
}

async fn found(ctx: &Ctx, query: &str) -> Result<Vec<ProductId>, PortError> {
    match query.strip_prefix('#').and_then(|id| ProductId::parse(id).ok()) {
        Some(id) => Ok(vec![id]),
        None => Ok(ctx.deps.catalogue().await?.search(query)),
    }
}

fn to_the_shop(language: Language) -> InlineQueryResultsButton {
    InlineQueryResultsButton {
        text: l!(language, "inline-open-shop"),
        kind: InlineQueryResultsButtonKind::StartParameter(TO_THE_SHOP.to_owned()),
    }
}

/// None only where the bot's name is not known yet.
fn results_of(ctx: &Ctx, product: &Product, photos_max: usize) -> Vec<InlineQueryResult> {
    let url = ctx.deps.url_of(Link::Product(product.id)).parse().ok();
    url.map_or_else(Vec::new, |url| results_in(ctx.language, product, &url, photos_max))
}

/// The product with each of its first photos, or without any.
fn results_in(language: Language, product: &Product, url: &Url, photos_max: usize) -> Vec<InlineQueryResult> {
    let photos: Vec<String> = product.photos().into_iter().take(photos_max).collect();
    if photos.is_empty() {
        return vec![result_in(language, product, url, None)];
    }
    let with_photo = |photo: (usize, String)| result_in(language, product, url, Some(photo));
    photos.into_iter().enumerate().map(with_photo).collect()
}

fn result_in(
    language: Language,
    product: &Product,
    url: &Url,
    photo: Option<(usize, String)>,
) -> InlineQueryResult {
    let (place, photo) = photo.map_or((0, None), |(place, photo)| (place, Some(photo)));
    let screen = message(language, product, url.clone()).photo(photo.clone());
    let (html, markup) = (screen.fitting_html(), screen.markup());
    let id = if place == 0 { product.id.to_string() } else { format!("{}-{place}", product.id) };
    let (title, facts) = (product.title.clone(), facts(language, product));
    if let Some(photo) = photo {
        return InlineQueryResultCachedPhoto::new(id, FileId(photo))
            .title(title)
            .description(facts)
            .caption(html)
            .parse_mode(ParseMode::Html)
            .reply_markup(markup)
            .into();
    }
    let text = InputMessageContentText::new(html).parse_mode(ParseMode::Html);
    InlineQueryResultArticle::new(id, title, InputMessageContent::Text(text))
        .description(facts)
        .reply_markup(markup)
        .into()
}

/// The message that is sent to the chat.
fn message(language: Language, product: &Product, url: Url) -> Screen {
    let mut parts = vec![t!(language, "card-title", title = product.title)];
    if !product.description.is_empty() {
        parts.push(t!(language, "card-description", text = product.description));
    }
    parts.push(if product.is_sold_out() {
        t!(language, "card-sold-out")
    } else {
        t!(language, "card-price", price = price(language, product))
    });
    Screen::new(parts.join("\n\n")).row([Button::Link { label: l!(language, "inline-buy"), url }])
}

/// The line under the name in the list of results.
fn facts(language: Language, product: &Product) -> String {
    if product.is_sold_out() { l!(language, "card-sold-out") } else { price(language, product) }
}

/// A result that was picked in the bot's own chat arrives as a message sent via the bot: it opens the product.
#[expect(clippy::needless_pass_by_value, reason = "dptree passes values")]
pub(crate) fn picked(ctx: Ctx) -> Option<ProductId> {
    let message = ctx.message()?;
    let me = ctx.deps.me.get()?;
    if message.via_bot.as_ref()?.id != me.id {
        return None;
    }
    product_in(message.reply_markup()?)
}

fn product_in(markup: &InlineKeyboardMarkup) -> Option<ProductId> {
    markup.inline_keyboard.iter().flatten().find_map(|button| {
        let InlineKeyboardButtonKind::Url(url) = &button.kind else { return None };
        let payload = url.query_pairs().find(|(name, _)| name == "start")?.1;
        match Link::parse(&payload)? {
            Link::Product(id) => Some(id),
            Link::Order(_) | Link::Referral(_) => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shopper::catalogue::browse::tests::{id, product};

    fn url() -> Url {
        "https://t.me/shop_bot?start=product_7".parse().unwrap()
    }

    #[test]
    fn a_product_is_offered_with_its_price_and_a_link_into_the_shop() {
        let json = results_in(Language::En, &product(7, "A & B", 12_000, None), &url(), 1);
        let json = serde_json::to_value(&json[0]).unwrap();
        assert_eq!((json["type"].as_str(), json["id"].as_str()), (Some("article"), Some("7")));
        assert_eq!(
            (json["title"].as_str(), json["description"].as_str()),
            (Some("A & B"), Some("12\u{a0}000\u{a0}UZS"))
        );
        let text = json["input_message_content"]["message_text"].as_str().unwrap();
        assert_eq!(text, "<b>A &amp; B</b>\n\n100% paxta &amp; &lt;ip&gt;\n\n💰 <b>12\u{a0}000\u{a0}UZS</b>");
        let button = &json["reply_markup"]["inline_keyboard"][0][0];
        assert_eq!(button["url"].as_str(), Some("https://t.me/shop_bot?start=product_7"));
    }

    #[test]
    fn a_photo_is_sent_by_its_file_id_unless_photos_are_left_out() {
        let mut product = product(7, "Choy", 1_000, Some(0));
        product.photo = Some("file".to_owned());
        let results = |photos_max| {
            let results = results_in(Language::Ru, &product, &url(), photos_max);
            serde_json::to_value(results).unwrap()
        };
        let with = &results(1)[0];
        assert_eq!((with["type"].as_str(), with["photo_file_id"].as_str()), (Some("photo"), Some("file")));
        assert!(with["caption"].as_str().unwrap().contains("нет в наличии"), "{with}");
        assert_eq!(results(0)[0]["type"].as_str(), Some("article"));
    }

    #[test]
    fn of_one_product_each_photo_can_be_chosen() {
        let mut product = product(7, "Choy", 1_000, None);
        product.set_photos(vec!["one".to_owned(), "two".to_owned(), "three".to_owned()]);
        let results = serde_json::to_value(results_in(Language::Uz, &product, &url(), PHOTOS_MAX)).unwrap();
        let chosen: Vec<_> = results
            .as_array()
            .unwrap()
            .iter()
            .map(|result| (&result["id"], &result["photo_file_id"]))
            .collect();
        assert_eq!(
            serde_json::to_value(chosen).unwrap(),
            serde_json::json!([["7", "one"], ["7-1", "two"], ["7-2", "three"]])
        );
    }

    #[test]
    fn a_picked_result_names_its_product() {
        let markup = message(Language::Uz, &product(7, "Choy", 1, None), url()).markup();
        assert_eq!(product_in(&markup), Some(id(7)));
        let other = "https://t.me/shop_bot?start=ref_7".parse().unwrap();
        assert_eq!(product_in(&message(Language::Uz, &product(7, "Choy", 1, None), other).markup()), None);
    }
}
