//! The post of an order in the staff channel. It follows the order.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tolov_domain::{Language, OrderId, ports::PortError};
use tolov_kit::lifecycle::Stop;
use tolov_shop::{
    order::{ShopOrder, order},
    records,
};
use url::Url;

use crate::{
    conversation::{
        dialogue::ShownMessage,
        link::Link,
        screen::{Button, Screen},
    },
    deps::HandlerDeps,
    orders::messages::{SentMessage, change_messages, messages_of},
    staff::{
        orders::order_text::{action_rows, map_row, order_html, short_history, warnings},
        people::names::Names,
    },
    telegram::{client::MessageRef, errors::SendError, limits::Turn},
    texts::number,
};

/// How often a post is edited, or posted anew, before it is left as it is. The order's card is right in any case.
const TRIES_MAX: u32 = 6;
/// The longest wait for a turn in the channel, or for Telegram's "retry after".
const WAIT_MAX: Duration = Duration::from_mins(10);
const LINKS_PER_ROW: usize = 4;

/// The orders that the shop knows, in the order given, each once.
pub(crate) async fn known(deps: &HandlerDeps, ids: &[OrderId]) -> Result<Vec<ShopOrder>, PortError> {
    let mut unique: Vec<i64> = Vec::new();
    for id in ids.iter().map(|id| id.get()) {
        if !unique.contains(&id) {
            unique.push(id);
        }
    }
    let found: Vec<ShopOrder> = records::read_many(deps.documents(), unique.iter().copied()).await?;
    Ok(unique.into_iter().filter_map(|id| found.iter().find(|order| order.id.get() == id).cloned()).collect())
}

/// The post as it is now. Names that cannot be read are shown as numbers.
pub(crate) async fn screen(deps: &HandlerDeps, order: &ShopOrder, stock_settled: bool) -> Screen {
    let names = Names::of_order(deps.documents(), order).await.unwrap_or_else(|error| {
        tracing::debug!(order.id = %order.id, %error, "the names on a post cannot be read");
        Names::default()
    });
    let language = deps.config.staff_language;
    post(deps, language, order, &names, stock_settled).rows(action_rows(language, order))
}

/// The post without the buttons of actions.
pub(super) fn post(
    deps: &HandlerDeps,
    language: Language,
    order: &ShopOrder,
    names: &Names,
    stock_settled: bool,
) -> Screen {
    let warnings = warnings(language, order, stock_settled);
    let history = short_history(language, order, names);
    Screen::new(order_html(language, order, names, &warnings, &history))
        .row(map_row(language, order).into_iter().chain(link(deps, order.id)))
}

/// Under a digest: a link to each of its orders.
pub(crate) fn links(deps: &HandlerDeps, orders: &[ShopOrder]) -> Screen {
    let links: Vec<Button> = orders.iter().filter_map(|order| link(deps, order.id)).collect();
    Screen::new(String::new()).rows(links.chunks(LINKS_PER_ROW).map(<[Button]>::to_vec))
}

/// Opens the order in the private chat with the bot. `None` until the bot's name is known.
fn link(deps: &HandlerDeps, id: OrderId) -> Option<Button> {
    if deps.username().is_empty() {
        return None;
    }
    let url = Url::parse(&deps.url_of(Link::Order(id))).ok()?;
    Some(Button::Link { label: number(deps.config.staff_language, id), url })
}

/// Records which message is the order's post. A post that is not recorded is not edited.
pub(crate) async fn record_post(deps: &HandlerDeps, id: OrderId, post: MessageRef) {
    let post = SentMessage { place: post, sent_at: Some(deps.now()) };
    let recorded = change_messages(deps.documents(), id, |messages| messages.staff_post = Some(post));
    if let Err(error) = recorded.await {
        tracing::warn!(order.id = %id, %error, "a post could not be recorded; it will not follow its order");
    }
}

/// Updates the order's post; one that was deleted is posted anew, within the rate of the channel.
pub(crate) async fn refresh(deps: &Arc<HandlerDeps>, id: OrderId) {
    let Err(retry) = try_to_refresh(deps, id).await else { return };
    // In the background: nobody waits for it.
    let deps = Arc::clone(deps);
    tokio::spawn(async move { keep_trying(&deps, id, retry).await });
}

const SOON: Retry = Retry::EditIn(Duration::from_secs(5));

/// What is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Retry {
    EditIn(Duration),
    PostAnew,
}

async fn keep_trying(deps: &Arc<HandlerDeps>, id: OrderId, mut retry: Retry) {
    for _ in 0..TRIES_MAX {
        let outcome = match retry {
            Retry::EditIn(wait) => {
                tokio::time::sleep(wait.min(WAIT_MAX)).await;
                try_to_refresh(deps, id).await
            }
            Retry::PostAnew => try_to_post_anew(deps, id).await,
        };
        match outcome {
            Ok(()) => return,
            Err(next) => retry = next,
        }
    }
    tracing::warn!(order.id = %id, "the post of an order could not be updated");
}

/// Whether a post that shows one of them shows the other.
pub(super) fn is_same(order: &ShopOrder, other: &ShopOrder) -> bool {
    order.state == other.state && order.history == other.history && order.refunds == other.refunds
}

/// Edits the post until it shows the order as it is.
async fn try_to_refresh(deps: &HandlerDeps, id: OrderId) -> Result<(), Retry> {
    // An order changes at most a few times while Telegram takes an edit.
    const TRIES: u32 = 4;
    let mut shown = None;
    for _ in 0..TRIES {
        let messages = messages_of(deps.documents(), id).await.map_err(|_| SOON)?;
        // Not paid yet, or posted in a digest.
        let Some(post) = messages.staff_post else { return Ok(()) };
        let Some(order) = order(deps.documents(), id).await.map_err(|_| SOON)? else { return Ok(()) };
        // Whoever showed a newer state while this edit waited was overwritten by it.
        if shown.as_ref().is_some_and(|shown| is_same(shown, &order)) {
            return Ok(());
        }
        edit(deps, post.place, &order).await?;
        shown = Some(order);
    }
    Ok(())
}

async fn edit(deps: &HandlerDeps, post: MessageRef, order: &ShopOrder) -> Result<(), Retry> {
    let (id, MessageRef { chat, message_id }) = (order.id, post);
    let shown = ShownMessage { message_id, has_photo: false };
    let screen = screen(deps, order, true).await;
    match deps.telegram.change(chat, shown, &screen).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Retry::PostAnew),
        Err(SendError::Wait(wait)) => Err(Retry::EditIn(wait)),
        // A supergroup does not have the messages of the group that it was.
        Err(SendError::Migrated(chat)) => {
            deps.staff_chat.migrate_to(chat);
            Err(Retry::PostAnew)
        }
        Err(SendError::ServerFailed { .. } | SendError::NotConnected(_) | SendError::Unknown(_)) => Err(SOON),
        Err(error @ (SendError::ChatClosed(_) | SendError::Refused(_) | SendError::TokenRefused)) => {
            tracing::warn!(order.id = %id, %error, "the post of an order cannot be edited");
            Ok(())
        }
    }
}

async fn try_to_post_anew(deps: &HandlerDeps, id: OrderId) -> Result<(), Retry> {
    let deadline = Instant::now() + WAIT_MAX;
    if deps.staff_chat.rate_limiter.acquire(deadline, &Stop::new()).await != Turn::Granted {
        return Err(Retry::PostAnew);
    }
    let Ok(Some(order)) = order(deps.documents(), id).await else { return Ok(()) };
    let screen = screen(deps, &order, true).await;
    deps.rate_limiter.reserve_priority();
    match deps.staff_chat.post(&deps.telegram, &screen.fitting_html(), &screen.markup()).await {
        Ok(post) => {
            record_post(deps, id, post).await;
            Ok(())
        }
        Err(SendError::Wait(wait)) => {
            deps.staff_chat.rate_limiter.pause_until(Instant::now() + wait);
            Err(Retry::PostAnew)
        }
        Err(error) => {
            tracing::warn!(order.id = %id, %error, "the post of an order was deleted and could not be posted anew");
            Ok(())
        }
    }
}
