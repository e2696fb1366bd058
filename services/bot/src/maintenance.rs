//! What the bot does periodically. Several bots may do it at once, with one effect.
//!
//! - The messages of unpaid orders count down, and shoppers are reminded shortly before the end.
//! - Shoppers are told what staff did and Telegram did not take at once.
//! - Orders whose creation broke off are given up.
//! - The counter of order numbers is lifted over the ledger's: the shop store may have been restored from an old copy.
//! - Orders that the ledger does not know are registered again: the ledger may have been restored from an old copy.
//! - Stock that could not be settled with the event of an order is settled, and what is held for nothing is given back.

use std::sync::Arc;

use tokio::{task::JoinSet, time::Instant};
use tolov_domain::{
    OrderId, OrderedProduct,
    ports::{
        PortError,
        documents::{Documents, Key, Query},
    },
    time::Timestamp,
};
use tolov_kit::{clock_watch::ClockWatch, lifecycle::Stop};
use tolov_shop::{
    order::{self, Actor, ORDERS, OrderAction, ShopOrder, Stage},
    records,
    settling::{self, MetInCreation},
    shopper::checkout,
};

use crate::{
    conversation::error::HandlerError,
    deps::HandlerDeps,
    orders::{
        announcements,
        ledger_client::{LedgerError, Registration},
        messages::OrderMessages,
        order_message, reminder,
    },
    staff::orders::order_post,
    telegram::limits::Turn,
};

/// More unpaid orders than this do not count down: their messages say until when they can be paid.
const WAITING_MAX: u32 = 500;
/// How many messages count down at the same time, each at its turn among all that the bot sends.
const EDITS_AT_ONCE: usize = 16;
/// How many unpaid orders are looked up in the ledger in one round.
const LOOKUPS_MAX: u32 = 20;

/// Runs until `stop`. What is under way then is dropped: each step may be repeated.
pub(crate) async fn run(deps: Arc<HandlerDeps>, stop: Stop) {
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = maintain(&deps) => {}
    }
}

async fn maintain(deps: &Arc<HandlerDeps>) {
    // What changed while the process was started again is shown too.
    let every = deps.config.maintenance_every;
    let mut before = deps.now() - every;
    let mut watch = ClockWatch::new(deps.clock.as_ref(), settling::CREATING_LIMIT);
    let mut met_in_creation = MetInCreation::default();
    let (mut lifted, mut lookup_skip, mut unsettled_skip, mut last_product) = (None, 0, 0, None);
    loop {
        lifted = lift_counter(deps, lifted).await;
        // An order is registered with an address that has the bot's name in it.
        let is_known = tokio::time::timeout(every, deps.me.wait()).await.is_ok();
        if let Err(error) = announcements::retry(deps).await {
            tracing::debug!(%error, "what shoppers have not been told yet could not be read");
        }
        let now = deps.now();
        watch.look(deps.clock.as_ref());
        let placed_before = watch.older_than(settling::CREATING_LIMIT);
        abandon_old(deps, &mut met_in_creation, placed_before, now).await;
        match waiting_orders(deps.documents()).await {
            Ok(waiting) => count_down(deps, &waiting, before, now).await,
            Err(error) => tracing::debug!(%error, "unpaid orders could not be read"),
        }
        if is_known {
            lookup_skip = look_up(deps, lookup_skip).await;
        }
        if let Err(error) = reminder::remind(deps).await {
            tracing::debug!(%error, "shoppers could not be reminded of unpaid orders");
        }
        unsettled_skip = settle_left(deps, unsettled_skip).await;
        last_product = release_strays(deps.documents(), last_product).await;
        before = now;
        tokio::time::sleep(every).await;
    }
}

async fn abandon_old(
    deps: &HandlerDeps,
    met: &mut MetInCreation,
    placed_before: Option<Timestamp>,
    now: Timestamp,
) {
    let passed = deps.clock.monotonic();
    match settling::abandon_old(deps.documents(), met, placed_before, passed, now).await {
        Ok(0) => {}
        Ok(abandoned) => tracing::info!(abandoned, "orders whose creation broke off are given up"),
        Err(error) => tracing::debug!(%error, "orders in creation could not be read"),
    }
}

/// Returns how many orders the next round skips.
async fn settle_left(deps: &Arc<HandlerDeps>, skip: u32) -> u32 {
    let others_finish = tokio::time::sleep(deps.config.maintenance_every / 12);
    match settling::settle_left(deps.documents(), skip, others_finish).await {
        Ok((settled, skip)) => {
            for order in settled {
                tracing::info!(order.id = %order.id, "the stock of an order was left unsettled; it is settled now");
                order_post::refresh(deps, order.id).await;
            }
            skip
        }
        Err(error) => {
            tracing::debug!(%error, "orders that were left unsettled could not be settled");
            skip
        }
    }
}

/// Looks at some of the products, each round the next ones. Returns the last of them; `None`: the next round begins anew.
async fn release_strays(documents: &dyn Documents, after: Option<Key>) -> Option<Key> {
    match settling::release_strays(documents, after.clone()).await {
        Ok((strays, last)) => {
            for (id, OrderedProduct { product_id, count }) in strays {
                tracing::info!(order.id = %id, product.id = %product_id, count, "pieces were held for an order that is over; they can be sold again");
            }
            last
        }
        Err(error) => {
            tracing::debug!(%error, "what products hold for nothing could not be given back");
            after
        }
    }
}

/// The highest number of the ledger and the newest order of the store, for which the counter was lifted.
type LiftedFor = (OrderId, Option<OrderId>);

/// Makes sure that no number of the ledger is given out again. Either store may be restored at any time, so it looks in every
/// round, and lifts the counter once for what it finds.
async fn lift_counter(deps: &HandlerDeps, lifted: Option<LiftedFor>) -> Option<LiftedFor> {
    let highest = match deps.ledger.highest_order_id().await {
        Ok(highest) => highest?,
        Err(error) => {
            tracing::debug!(%error, "the ledger's highest order number is not known yet");
            return lifted;
        }
    };
    lift_above(deps.documents(), highest, lifted).await.unwrap_or_else(|error| {
        tracing::debug!(%error, "the counter of order numbers could not be lifted");
        lifted
    })
}

async fn lift_above(
    documents: &dyn Documents,
    highest: OrderId,
    lifted: Option<LiftedFor>,
) -> Result<Option<LiftedFor>, PortError> {
    let newest: Vec<ShopOrder> = records::find(documents, &Query::all(ORDERS, 1).newest_first()).await?;
    let newest = newest.first().map(|order| order.id);
    if newest.is_some_and(|newest| newest >= highest) || lifted == Some((highest, newest)) {
        return Ok(lifted);
    }
    let next = order::next_order_id(documents, Some(highest)).await?;
    tracing::info!(%highest, %next, "the ledger has newer orders than the shop: their numbers are skipped");
    Ok(Some((highest, newest)))
}

async fn waiting_orders(documents: &dyn Documents) -> Result<Vec<ShopOrder>, PortError> {
    let query = order::query_in(Stage::AwaitingPayment, WAITING_MAX).newest_first();
    records::find(documents, &query).await
}

/// Updates the messages in which the remaining time is shown differently now.
async fn count_down(deps: &Arc<HandlerDeps>, waiting: &[ShopOrder], before: Timestamp, now: Timestamp) {
    let due: Vec<&ShopOrder> =
        waiting.iter().filter(|order| order_message::countdown_changed(order, before, now)).collect();
    let ids = due.iter().map(|order| order.id.get());
    let messages: Vec<OrderMessages> = match records::read_many(deps.documents(), ids).await {
        Ok(messages) => messages,
        Err(error) => return tracing::debug!(%error, "the messages of unpaid orders could not be read"),
    };
    let shown = |order: &&&ShopOrder| {
        messages.iter().any(|message| message.id == order.id && message.shopper.is_some())
    };
    let deadline = Instant::now() + deps.config.maintenance_every;
    // Dropped with this future, they are aborted.
    let mut edits = JoinSet::new();
    for order in due.iter().filter(shown) {
        if edits.len() >= EDITS_AT_ONCE {
            edits.join_next().await;
        }
        // Those whose turn does not come before the next round are shown right the next time.
        if deps.rate_limiter.acquire(deadline, &Stop::new()).await != Turn::Granted {
            break;
        }
        let (deps, id) = (Arc::clone(deps), order.id);
        edits.spawn(async move {
            // A shopper who blocked the bot, or whose edit takes long, does not keep the others waiting.
            if let Err(error) = order_message::count_down(&deps, id).await {
                tracing::debug!(order.id = %id, %error, "an order's message does not count down");
            }
        });
    }
    while edits.join_next().await.is_some() {}
}

/// Looks up some of the unpaid orders in the ledger, each round the next ones, however many there are. Returns how many the
/// next round skips. One that is missed because others were paid meanwhile comes when it begins anew.
async fn look_up(deps: &HandlerDeps, skip: u32) -> u32 {
    let query = order::query_in(Stage::AwaitingPayment, LOOKUPS_MAX).newest_first().skip(skip);
    let waiting: Vec<ShopOrder> = match records::find(deps.documents(), &query).await {
        Ok(waiting) => waiting,
        Err(error) => {
            tracing::debug!(%error, "unpaid orders could not be read");
            return skip;
        }
    };
    for order in &waiting {
        match restore_registration(deps, order).await {
            Ok(()) => {}
            Err(HandlerError::Ledger(error @ LedgerError::Unavailable(_))) => {
                tracing::debug!(%error, "unpaid orders could not be looked up in the ledger");
                return skip;
            }
            Err(error) => {
                tracing::warn!(order.id = %order.id, %error, "an order that the ledger forgot could not be registered");
            }
        }
    }
    if waiting.is_empty() { 0 } else { skip.saturating_add(LOOKUPS_MAX) }
}

/// Registers an order again that the ledger does not know; one whose time is over is closed.
async fn restore_registration(deps: &HandlerDeps, order: &ShopOrder) -> Result<(), HandlerError> {
    if deps.ledger.knows(order.id).await? {
        return Ok(());
    }
    let (documents, id, now) = (deps.documents(), order.id, deps.now());
    let is_over = order.link().and_then(|link| link.pay_until).is_some_and(|until| until <= now);
    // An order that was made from an event is not the bot's to register.
    if order.terms.is_none() {
        return Ok(());
    }
    let registration = if is_over { Registration::Ended } else { deps.register(order).await? };
    match registration {
        Registration::Registered(link) => {
            checkout::registered(documents, id, &link, now).await?;
            tracing::warn!(order.id = %id, "the ledger did not know an order; it is registered again");
        }
        Registration::Ended | Registration::NumberTaken { .. } => {
            settling::close(documents, id, OrderAction::Expired, Actor::Clock, now).await?;
            tracing::warn!(order.id = %id, "the ledger did not know an order that can no longer be paid; it is closed");
        }
    }
    order_message::refresh(deps, id).await?;
    Ok(())
}
