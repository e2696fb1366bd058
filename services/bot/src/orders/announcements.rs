//! What staff did to orders, until the shopper has been told.
//!
//! A message that Telegram did not take is sent again by [`retry`], also after a restart.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tolov_domain::{
    OrderId,
    ports::{
        PortError,
        documents::{Collection, Key},
    },
    time::{Timestamp, millis},
};
use tolov_shop::{
    order::{OrderAction, ShopOrder, order},
    records::{self, Record},
};

use crate::{
    conversation::screen::Screen,
    deps::HandlerDeps,
    orders::{order_message, texts::message_of_action},
    telegram::errors::SendError,
};

pub(crate) const ANNOUNCEMENTS: Collection = Collection::new("announcements", &[]);

/// How long after an attempt the next one may begin.
const RETRY_AFTER: Duration = Duration::from_secs(30);
/// News of that age would only confuse; the order's message shows its state anyway.
const GIVE_UP_AFTER: Duration = Duration::from_hours(48);
/// How many are tried in one round.
const ROUND_MAX: u32 = 100;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Announcement {
    id: String,
    order_id: OrderId,
    action: OrderAction,
    #[serde(with = "millis")]
    done_at: Timestamp,
    #[serde(with = "millis")]
    next_try_at: Timestamp,
}

impl Record for Announcement {
    const COLLECTION: Collection = ANNOUNCEMENTS;

    fn key(&self) -> Key {
        Key::Text(self.id.clone())
    }
}

impl Announcement {
    fn new(order_id: OrderId, action: OrderAction, now: Timestamp) -> Self {
        Self {
            id: format!("{order_id}:{action:?}"),
            order_id,
            action,
            done_at: now,
            next_try_at: now + RETRY_AFTER,
        }
    }

    /// Reserves the attempt that is due; another bot may have done so.
    fn claim(&mut self, now: Timestamp) -> bool {
        let is_due = self.next_try_at <= now;
        if is_due {
            self.next_try_at = now + RETRY_AFTER;
        }
        is_due
    }
}

/// Shows in the order's message what staff have done, and tells the shopper. A shopper who cannot be written to finds it in
/// the list of orders.
pub(crate) async fn announce(deps: &HandlerDeps, order: &ShopOrder, action: OrderAction) {
    let id = order.id;
    let announcement = Announcement::new(id, action, deps.now());
    // Stored before it is sent: a crash in between must not lose it.
    if let Err(error) = records::insert(deps.documents(), &announcement).await {
        tracing::warn!(order.id = %id, %error, "what staff did is told once only: it could not be stored");
    }
    if let Err(error) = order_message::refresh(deps, id).await {
        tracing::info!(order.id = %id, %error, "the order's message could not be updated");
    }
    if let Err(error) = tell(deps, order, &announcement).await {
        tracing::warn!(order.id = %id, %error, "what staff told could not be removed from the store");
    }
}

/// Tells what earlier attempts could not, oldest first.
pub(crate) async fn retry(deps: &HandlerDeps) -> Result<(), PortError> {
    let documents = deps.documents();
    let mut due: Vec<Announcement> = records::page_after(documents, None, ROUND_MAX).await?;
    due.sort_by_key(|announcement| announcement.done_at);
    for announcement in due {
        let now = deps.now();
        let claimed =
            records::change(documents, announcement.key(), |stored: &mut Announcement| stored.claim(now));
        if !claimed.await?.is_some_and(|(_, is_claimed)| is_claimed) {
            continue;
        }
        let is_old = now - announcement.done_at > GIVE_UP_AFTER;
        match order(documents, announcement.order_id).await? {
            Some(order) if !is_old => tell(deps, &order, &announcement).await?,
            Some(_) | None => {
                tracing::warn!(order.id = %announcement.order_id, "the shopper was never told what staff did");
                drop(records::remove::<Announcement>(documents, announcement.key()).await?);
            }
        }
    }
    Ok(())
}

/// One attempt. What Telegram may take later stays stored.
async fn tell(deps: &HandlerDeps, order: &ShopOrder, announcement: &Announcement) -> Result<(), PortError> {
    let id = order.id;
    let language = deps.language_of(order.user_id).await;
    if let Some(html) = message_of_action(language, order, announcement.action) {
        match deps.send_to(order.user_id, &Screen::new(html)).await {
            Ok(_) => {}
            Err(error @ (SendError::ChatClosed(_) | SendError::Refused(_))) => {
                tracing::info!(order.id = %id, %error, "the shopper cannot be told what staff did");
            }
            Err(error) => {
                tracing::warn!(order.id = %id, %error, "the shopper is not told yet what staff did");
                return Ok(());
            }
        }
    }
    records::remove::<Announcement>(deps.documents(), announcement.key()).await.map(drop)
}
