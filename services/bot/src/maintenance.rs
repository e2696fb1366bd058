//! What the bot does by the clock: messages of waiting orders count down, and orders whose making broke off are cleared
//! away. Each may be done by several bots at once, with one effect.

use std::{sync::Arc, time::Duration};

use tolov_domain::{
    ports::documents::{Collection, Query},
    time::Timestamp,
};
use tolov_kit::lifecycle::{Stop, pause};
use tolov_shop::{
    fulfilment::{Fulfilment, Stage},
    records, settling,
};

use crate::{conversation::error::HandlerError, deps::HandlerDeps, orders::order_message};

const EVERY: Duration = Duration::from_mins(1);
/// More waiting orders than this are not counted down: their messages say until when.
const WAITING_MAX: u32 = 500;

pub(crate) async fn run(deps: Arc<HandlerDeps>, stop: Stop) {
    let mut before = deps.now();
    while pause(&stop, EVERY).await {
        let now = deps.now();
        match settling::abandon_old(deps.documents(), now).await {
            Ok(0) => {}
            Ok(abandoned) => tracing::info!(abandoned, "orders whose making broke off are cleared away"),
            Err(error) => tracing::debug!(%error, "orders in the making could not be looked at"),
        }
        if let Err(error) = count_down(&deps, before, now).await {
            tracing::debug!(?error, "waiting orders could not be counted down");
        }
        before = now;
    }
}

/// Brings the messages up to date in which the time that is left reads otherwise than it did.
async fn count_down(deps: &HandlerDeps, before: Timestamp, now: Timestamp) -> Result<(), HandlerError> {
    let waiting = Query::is(Collection::Fulfilments, "stage", Stage::Waiting.as_str(), WAITING_MAX);
    let waiting: Vec<Fulfilment> = records::find(deps.documents(), &waiting.newest_first()).await?;
    for order in waiting.iter().filter(|order| order.shopper_message_id.is_some()) {
        if order_message::reads_otherwise(order, before, now) {
            // One that cannot be reached (a shopper who blocked the bot) does not keep the others waiting.
            if let Err(error) = order_message::refresh(deps, order.id).await {
                tracing::debug!(order.id = %order.id, ?error, "an order's message is not counted down");
            }
        }
    }
    Ok(())
}
