//! One function a step of the conversation.

use std::{sync::Arc, time::Duration};

use teloxide::{
    Bot, RequestError,
    payloads::SendMessageSetters,
    requests::Requester,
    types::{Message, ParseMode},
};
use tolov_domain::{
    Language, UserId,
    ports::{PortError, shop::ShopStore},
};

use crate::{pace::Pace, render};

/// All that the handlers need: one thing to inject, so one thing that could be forgotten.
#[derive(Debug)]
pub(crate) struct HandlerDeps {
    pub(crate) shop: Arc<dyn ShopStore>,
    pub(crate) overall: Arc<Pace>,
}

const ORDERS_SHOWN: u32 = 10;
/// A person waits for an answer: a longer "retry after" is not waited out.
const RETRY_AFTER_LONGEST: Duration = Duration::from_secs(5);

/// /start: the shopper is known from now on, and greeted.
pub(crate) async fn start(bot: Bot, message: Message, deps: Arc<HandlerDeps>) -> Result<(), RequestError> {
    let Some(person) = Person::who_wrote(&message) else { return Ok(()) };
    if let Err(error) = deps.shop.meet(person.id, person.told).await {
        tracing::warn!(user.id = %person.id, %error, "a shopper who came in could not be kept");
    }
    let language = deps.language_of(&person).await;
    deps.answer(&bot, &message, render::greeting(language)).await
}

/// /orders: the latest ones.
pub(crate) async fn list_orders(
    bot: Bot,
    message: Message,
    deps: Arc<HandlerDeps>,
) -> Result<(), RequestError> {
    let Some(person) = Person::who_wrote(&message) else { return Ok(()) };
    let language = deps.language_of(&person).await;
    let text = match deps.shop.orders_of(person.id, 0, ORDERS_SHOWN).await {
        Ok(orders) => render::orders(language, &orders),
        Err(error) => {
            tracing::warn!(user.id = %person.id, %error, "orders could not be shown");
            render::try_later(language)
        }
    };
    deps.answer(&bot, &message, text).await
}

/// Any other text: what the bot can do.
pub(crate) async fn say_what_i_can(
    bot: Bot,
    message: Message,
    deps: Arc<HandlerDeps>,
) -> Result<(), RequestError> {
    let Some(person) = Person::who_wrote(&message) else { return Ok(()) };
    let language = deps.language_of(&person).await;
    deps.answer(&bot, &message, render::unknown(language)).await
}

struct Person {
    id: UserId,
    /// What Telegram says of the language of the person's device.
    told: Option<Language>,
}

impl Person {
    fn who_wrote(message: &Message) -> Option<Self> {
        let from = message.from.as_ref()?;
        let id = i64::try_from(from.id.0).ok().and_then(|id| UserId::try_new(id).ok())?;
        Some(Self { id, told: from.language_code.as_deref().and_then(Language::from_tag) })
    }
}

impl HandlerDeps {
    /// The one that was chosen, else the device's, else Uzbek.
    async fn language_of(&self, person: &Person) -> Language {
        let stored = match self.shop.user(person.id).await {
            Ok(user) => user.and_then(|user| user.language),
            Err(PortError::Unavailable(_) | PortError::Refused(_)) => None,
        };
        stored.or(person.told).unwrap_or_default()
    }

    async fn answer(&self, bot: &Bot, message: &Message, html: String) -> Result<(), RequestError> {
        self.overall.jump_the_line();
        let request = bot.send_message(message.chat.id, html).parse_mode(ParseMode::Html);
        match request.clone().await {
            Err(RequestError::RetryAfter(wait)) if wait.duration() <= RETRY_AFTER_LONGEST => {
                tokio::time::sleep(wait.duration()).await;
                request.await.map(drop)
            }
            sent => sent.map(drop),
        }
    }
}
