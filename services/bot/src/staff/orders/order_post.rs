//! The post of an order in the staff channel: it follows the order.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tolov_domain::{Language, OrderId, ports::PortError};
use tolov_kit::lifecycle::Stop;
use tolov_shop::{
    fulfilment::{Fulfilment, Stage, fulfilment},
    records,
};
use url::Url;

use crate::{
    conversation::{
        dialogue::ShownMessage,
        screen::{Button, Screen},
    },
    deps::HandlerDeps,
    staff::{
        orders::order_text::{deed_rows, map_row, order_html, short_history},
        people::names::Names,
    },
    telegram::{errors::SendError, limits::Turn},
};

/// How often a post is changed, or posted anew, before it is left as it is. The order's card is right in any case.
const TRIES_MAX: u32 = 6;
/// The longest wait for a turn in the channel, or for Telegram's "retry after".
const WAIT_LONGEST: Duration = Duration::from_mins(10);
const LINKS_IN_ROW: usize = 4;

/// Those of the orders that were placed in this shop, in the order given, each once.
pub(crate) async fn known(deps: &HandlerDeps, ids: &[OrderId]) -> Result<Vec<Fulfilment>, PortError> {
    let mut unique: Vec<i64> = Vec::new();
    for id in ids.iter().map(|id| id.get()) {
        if !unique.contains(&id) {
            unique.push(id);
        }
    }
    let found: Vec<Fulfilment> = records::read_many(deps.documents(), unique.iter().copied()).await?;
    Ok(unique.into_iter().filter_map(|id| found.iter().find(|order| order.id.get() == id).cloned()).collect())
}

/// The post as it is now. Names that cannot be read just now are numbers.
pub(crate) async fn screen(deps: &HandlerDeps, order: &Fulfilment) -> Screen {
    let names = Names::of_order(deps.documents(), order).await.unwrap_or_else(|error| {
        tracing::debug!(order.id = %order.id, %error, "the names on a post cannot be read");
        Names::default()
    });
    post(deps, deps.config.staff_language, order, &names).rows(deed_rows(deps.config.staff_language, order))
}

/// The post without what can be done.
pub(crate) fn post(deps: &HandlerDeps, language: Language, order: &Fulfilment, names: &Names) -> Screen {
    let history = short_history(language, order, names);
    Screen::new(order_html(language, order, names, &history))
        .row(map_row(language, &order.delivery).into_iter().chain(link(deps, order.id)))
}

/// Under a digest: a link to each of its orders in the private chat.
pub(crate) fn links(deps: &HandlerDeps, orders: &[Fulfilment]) -> Screen {
    let links: Vec<Button> = orders.iter().filter_map(|order| link(deps, order.id)).collect();
    Screen::new(String::new()).rows(links.chunks(LINKS_IN_ROW).map(<[Button]>::to_vec))
}

/// Opens the order in the private chat with the bot; none until Telegram has said who the bot is.
fn link(deps: &HandlerDeps, id: OrderId) -> Option<Button> {
    if deps.username().is_empty() {
        return None;
    }
    let url = Url::parse(&deps.start_link(&format!("order_{id}"))).ok()?;
    Some(Button::Link { label: format!("№{id}"), url })
}

/// Which post is the order's. The post is there in any case; without its number it is only not edited.
pub(crate) async fn keep_number(deps: &HandlerDeps, id: OrderId, message_id: i64) -> Option<Stage> {
    let kept = records::change(deps.documents(), id.get(), |order: &mut Fulfilment| {
        order.staff_message_id = Some(message_id);
    });
    match kept.await {
        Ok(kept) => kept.map(|(order, ())| order.stage),
        Err(error) => {
            tracing::warn!(order.id = %id, %error, "the number of a post could not be kept; it will not follow its order");
            None
        }
    }
}

/// Lets the order's post show how the order is now; where it is gone it is posted anew, in the channel's own time.
pub(crate) async fn refresh(deps: &Arc<HandlerDeps>, id: OrderId) {
    let Err(again) = try_to_refresh(deps, id).await else { return };
    // Nobody waits for it: the tap is answered meanwhile.
    let deps = Arc::clone(deps);
    tokio::spawn(async move { keep_trying(&deps, id, again).await });
}

/// What is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    EditIn(Duration),
    PostAnew,
}

async fn keep_trying(deps: &Arc<HandlerDeps>, id: OrderId, mut again: Again) {
    for _ in 0..TRIES_MAX {
        let outcome = match again {
            Again::EditIn(wait) => {
                tokio::time::sleep(wait.min(WAIT_LONGEST)).await;
                try_to_refresh(deps, id).await
            }
            Again::PostAnew => try_to_post_anew(deps, id).await,
        };
        match outcome {
            Ok(()) => return,
            Err(next) => again = next,
        }
    }
    tracing::warn!(order.id = %id, "the post of an order stays as it was");
}

/// Reads the order each time, so that of several edits under way the last one shows the last state.
async fn try_to_refresh(deps: &HandlerDeps, id: OrderId) -> Result<(), Again> {
    const SOON: Again = Again::EditIn(Duration::from_secs(5));
    let order = match fulfilment(deps.documents(), id).await {
        Ok(Some(order)) => order,
        Ok(None) => return Ok(()),
        Err(_) => return Err(SOON),
    };
    // Not paid yet, or told of in a digest: there is no post of its own.
    let Some(message_id) = order.staff_message_id.and_then(|id| i32::try_from(id).ok()) else {
        return Ok(());
    };
    let shown = ShownMessage { message_id, has_photo: false };
    let screen = screen(deps, &order).await;
    match deps.telegram.change(deps.staff_chat.recipient(), shown, &screen).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Again::PostAnew),
        Err(SendError::Wait(wait)) => Err(Again::EditIn(wait)),
        // A supergroup has none of the group's messages under their numbers.
        Err(SendError::Migrated(chat)) => {
            deps.staff_chat.moved_to(chat);
            Err(Again::PostAnew)
        }
        Err(SendError::ServerFailed { .. } | SendError::NotConnected(_) | SendError::Unknown(_)) => Err(SOON),
        Err(error @ (SendError::ChatClosed(_) | SendError::Refused(_) | SendError::TokenRefused)) => {
            tracing::warn!(order.id = %id, ?error, "the post of an order cannot be changed");
            Ok(())
        }
    }
}

async fn try_to_post_anew(deps: &HandlerDeps, id: OrderId) -> Result<(), Again> {
    let deadline = Instant::now() + WAIT_LONGEST;
    if deps.staff_chat.pace.turn(deadline, &Stop::new()).await != Turn::Yours {
        return Err(Again::PostAnew);
    }
    let Ok(Some(order)) = fulfilment(deps.documents(), id).await else { return Ok(()) };
    let screen = screen(deps, &order).await;
    deps.overall.reserve_priority();
    match deps.staff_chat.post(&deps.telegram, &screen.fitting_html(), &screen.markup()).await {
        Ok(message_id) => {
            keep_number(deps, id, message_id).await;
            Ok(())
        }
        Err(SendError::Wait(wait)) => {
            deps.staff_chat.pace.hold_until(Instant::now() + wait);
            Err(Again::PostAnew)
        }
        Err(error) => {
            tracing::warn!(order.id = %id, ?error, "the post of an order is gone and could not be posted anew");
            Ok(())
        }
    }
}
