//! The button that sends an invoice, and the invoice.

use serde::{Serialize, Serializer};
use serde_json::Value;
use teloxide::requests::{JsonRequest, Payload, Request};
use tolov_domain::{
    Language, OrderId,
    telegram_payment::{CURRENCY, payload_of},
};
use tolov_kit::secret::Secret;
use tolov_shop::order::{ShopOrder, Stage, order};

use crate::{
    config::Config,
    conversation::{callback::ShopCallback, context::Ctx, error::HandlerResult, screen::Button},
    orders::texts::stage_for_shopper,
    telegram::errors::SendError,
    texts::{l, number},
};

/// As Telegram limits them.
const TITLE_MAX_CHARS: usize = 32;
const DESCRIPTION_MAX_CHARS: usize = 255;

/// An invoice without photo and shipping. teloxide's own has sums of 32 bits, which are 43 million so'm.
#[derive(Debug, Clone, Serialize)]
struct SendInvoice {
    chat_id: i64,
    title: String,
    description: String,
    payload: String,
    #[serde(serialize_with = "expose")]
    provider_token: Secret,
    currency: &'static str,
    prices: [Price; 1],
    /// A forwarded copy leads to the bot and has no button to pay.
    start_parameter: String,
}

#[derive(Debug, Clone, Serialize)]
struct Price {
    label: String,
    /// Tiyin.
    amount: i64,
}

/// A secret is written only where it is meant to be.
fn expose<S: Serializer>(token: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(token.expose())
}

impl Payload for SendInvoice {
    type Output = Value;

    const NAME: &'static str = "SendInvoice";
}

/// "Pay in Telegram", where this shop has a provider token.
pub(crate) fn button(language: Language, order: &ShopOrder, config: &Config) -> Option<Button> {
    config.provider_token.as_ref()?;
    let callback = ShopCallback::PayInTelegram { id: order.id };
    Some(Button::callback(l!(language, "order-pay-in-telegram"), callback))
}

/// Sends the invoice of an order that waits for its payment.
pub(crate) async fn send(ctx: Ctx, id: OrderId) -> HandlerResult {
    let order = order(ctx.documents(), id).await?.filter(|order| order.user_id == ctx.id());
    let (Some(order), Some(token)) = (order, ctx.deps.config.provider_token.as_ref()) else {
        return ctx.stale().await;
    };
    let language = ctx.language;
    if order.stage() != Stage::AwaitingPayment {
        return ctx.toast(stage_for_shopper(language, &order)).await;
    }
    let invoice = SendInvoice {
        chat_id: ctx.id().get(),
        title: short(&l!(language, "invoice-title", order = id), TITLE_MAX_CHARS),
        description: short(&titles(language, &order), DESCRIPTION_MAX_CHARS),
        payload: payload_of(id),
        provider_token: token.clone(),
        currency: CURRENCY,
        prices: [Price { label: l!(language, "invoice-title", order = id), amount: order.total.get() }],
        start_parameter: format!("order_{id}"),
    };
    ctx.deps.rate_limiter.reserve_priority();
    let sent = JsonRequest::new(ctx.deps.telegram.listening.clone(), invoice).send().await;
    match sent.map_err(|error| ctx.deps.telegram.failed(&error)) {
        Ok(_) => {
            ctx.answer(None, false).await;
            Ok(())
        }
        // Such as a sum that Telegram takes from nobody, or a token that is not CLICK's.
        Err(SendError::Refused(error)) => {
            tracing::warn!(order.id = %id, %error, "Telegram refuses an invoice; the link to CLICK's page is left");
            ctx.alert(l!(language, "invoice-refused")).await
        }
        Err(error) => Err(error.into()),
    }
}

fn titles(language: Language, order: &ShopOrder) -> String {
    let titles: Vec<&str> =
        order.lines.iter().map(|line| line.title.as_str()).filter(|title| !title.is_empty()).collect();
    if titles.is_empty() { number(language, order.id) } else { titles.join(", ") }
}

/// At most so many characters.
fn short(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(max - 1).collect();
    cut.push('…');
    cut
}
