//! What staff did to orders, until the shopper has been told.
//!
//! An announcement is stored before the action, and holds once the order's history has the action: whatever ends the process
//! after the action, [`retry`] finds it. The store rather than the bus: the action is a document of the same store, while a
//! message that is published before or after it would need an outbox of its own there.

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};
use tolov_domain::{
    OrderId,
    ports::{
        PortError,
        documents::{Collection, Key},
    },
    time::{Timestamp, is_due, millis},
};
use tolov_shop::{
    order::{Actor, HistoryItem, ShopOrder, order},
    records::{self, Record},
};

use crate::{conversation::screen::Screen, deps::HandlerDeps, orders::texts::message_of};

pub(crate) const ANNOUNCEMENTS: Collection = Collection::new("announcements", &[]);

/// How long after an attempt the next one may begin.
const RETRY_AFTER: Duration = Duration::from_secs(30);
/// An action that the order lacks after this time will not come: far above what handling an update may take.
const ACTION_MAX: Duration = Duration::from_mins(5);
/// News of that age would only confuse; the order's message shows its state anyway.
const GIVE_UP_AFTER: Duration = Duration::from_hours(48);
/// How many are tried in one round.
const ROUND_MAX: u32 = 100;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Announcement {
    id: String,
    order_id: OrderId,
    what: HistoryItem,
    by: Actor,
    #[serde(with = "millis")]
    prepared_at: Timestamp,
    #[serde(with = "millis")]
    next_try_at: Timestamp,
}

impl Record for Announcement {
    const COLLECTION: Collection = ANNOUNCEMENTS;

    fn key(&self) -> Key {
        Key::Text(self.id.clone())
    }
}

/// Those of one order follow each other in the order of keys.
fn id_of(order_id: OrderId, what: HistoryItem, by: Actor) -> String {
    format!("{order_id}:{what:?}:{by:?}")
}

impl Announcement {
    fn new(order_id: OrderId, what: HistoryItem, by: Actor, now: Timestamp) -> Self {
        Self {
            id: id_of(order_id, what, by),
            order_id,
            what,
            by,
            prepared_at: now,
            next_try_at: now + RETRY_AFTER,
        }
    }

    /// Reserves the attempt that is due; another bot may have done so.
    fn claim(&mut self, now: Timestamp) -> bool {
        let is_due = is_due(self.next_try_at, now, now + RETRY_AFTER);
        if is_due {
            self.next_try_at = now + RETRY_AFTER;
        }
        is_due
    }

    fn has_happened(&self, order: &ShopOrder) -> bool {
        order.history.iter().any(|entry| entry.what == self.what && entry.by == self.by)
    }
}

/// What became of telling the shopper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    Told,
    /// Telegram did not take it: it is sent again.
    Later,
    /// The shopper cannot be written to, and finds it in the list of orders.
    Impossible,
}

/// Stores an announcement before its action is applied. May be repeated.
pub(crate) async fn prepare(
    deps: &HandlerDeps,
    id: OrderId,
    what: HistoryItem,
    by: Actor,
) -> Result<(), PortError> {
    let new = Announcement::new(id, what, by, deps.now());
    if !records::insert(deps.documents(), &new).await?.is_applied() {
        // One that an earlier attempt left must not grow too old during this one.
        let renewed =
            records::change(deps.documents(), new.key(), |stored: &mut Announcement| stored.clone_from(&new));
        renewed.await?;
    }
    Ok(())
}

/// The action was not applied, or not by this person.
pub(crate) async fn withdraw(
    deps: &HandlerDeps,
    id: OrderId,
    what: HistoryItem,
    by: Actor,
) -> Result<(), PortError> {
    records::remove::<Announcement>(deps.documents(), Key::Text(id_of(id, what, by))).await.map(drop)
}

/// Tells the shopper what staff did to this order and what still waits to be told, oldest first.
pub(crate) async fn announce(deps: &HandlerDeps, order: &ShopOrder) -> Telling {
    tell_all(deps, order).await.unwrap_or_else(|error| {
        tracing::warn!(order.id = %order.id, %error, "whether the shopper was told what staff did is not recorded");
        Telling::Later
    })
}

async fn tell_all(deps: &HandlerDeps, order: &ShopOrder) -> Result<Telling, PortError> {
    let prefix = format!("{}:", order.id);
    let after = Some(Key::Text(prefix.clone()));
    let mut waiting: Vec<Announcement> = records::page_after(deps.documents(), after, ROUND_MAX).await?;
    waiting.retain(|announcement| announcement.id.starts_with(&prefix) && announcement.has_happened(order));
    waiting.sort_by_key(|announcement| announcement.prepared_at);
    let mut telling = Telling::Told;
    for announcement in waiting {
        telling = tell(deps, order, &announcement).await?;
        if telling == Telling::Later {
            break;
        }
    }
    Ok(telling)
}

/// Tells what earlier attempts could not, oldest first.
pub(crate) async fn retry(deps: &HandlerDeps) -> Result<(), PortError> {
    let documents = deps.documents();
    let mut waiting: Vec<Announcement> = records::page_after(documents, None, ROUND_MAX).await?;
    waiting.sort_by_key(|announcement| announcement.prepared_at);
    // What was done to an order is told in its order.
    let mut held_up = BTreeSet::new();
    for announcement in waiting {
        if !held_up.contains(&announcement.order_id) && !try_again(deps, &announcement).await? {
            held_up.insert(announcement.order_id);
        }
    }
    Ok(())
}

/// `false`: it still waits, and so do later ones of its order.
async fn try_again(deps: &HandlerDeps, announcement: &Announcement) -> Result<bool, PortError> {
    let (documents, now) = (deps.documents(), deps.now());
    let claimed =
        records::change(documents, announcement.key(), |stored: &mut Announcement| stored.claim(now));
    let Some((_, is_claimed)) = claimed.await? else { return Ok(true) };
    if !is_claimed {
        return Ok(false);
    }
    let age = now - announcement.prepared_at;
    let order = order(documents, announcement.order_id).await?;
    if let Some(order) = order.filter(|order| announcement.has_happened(order)) {
        if age <= GIVE_UP_AFTER {
            return Ok(tell(deps, &order, announcement).await? != Telling::Later);
        }
        tracing::warn!(order.id = %order.id, "the shopper was never told what staff did");
    } else if age <= ACTION_MAX {
        return Ok(true);
    }
    records::remove::<Announcement>(documents, announcement.key()).await?;
    Ok(true)
}

/// One attempt. What Telegram may take later stays stored.
async fn tell(
    deps: &HandlerDeps,
    order: &ShopOrder,
    announcement: &Announcement,
) -> Result<Telling, PortError> {
    let id = order.id;
    let language = deps.language_of(order.user_id).await;
    let mut telling = Telling::Told;
    if let Some(html) = message_of(language, order, announcement.what) {
        match deps.send_to(order.user_id, &Screen::new(html)).await {
            Ok(_) => {}
            Err(error) if error.is_permanent() => {
                tracing::info!(order.id = %id, %error, "the shopper cannot be told what staff did");
                telling = Telling::Impossible;
            }
            Err(error) => {
                tracing::warn!(order.id = %id, %error, "the shopper is not told yet what staff did");
                return Ok(Telling::Later);
            }
        }
    }
    records::remove::<Announcement>(deps.documents(), announcement.key()).await?;
    Ok(telling)
}
