//! One purchase, each step observed where it happens: at CLICK, in the outbox, in the shop store, in Telegram.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tolov_domain::EventId;
use tolov_kit::clock::{Clock, SystemClock};
use tolov_sandbox::click::{Payment, Step};
use tolov_shop::order;

use super::{
    checkout::Order,
    shop::{DemoShop, STAFF_CHANNEL},
    timeline::Timeline,
};

/// The longest that any one step may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a store is polled while a step is awaited.
const POLL_EVERY: Duration = Duration::from_millis(2);

/// Places an order.
pub(super) async fn register(shop: &DemoShop, timeline: &Timeline) -> Result<Order> {
    let order = shop.checkout.register(shop.shopper_id(), true).await?;
    let (id, total) = (order.id, order.total.grouped());
    timeline.note(format_args!("order {id}: 2 × Ko‘k choy 95, 1 × Toshkent noni, {total} so'm"));
    Ok(order)
}

/// Pays the order at the simulated CLICK and follows the payment. Returns the time from Complete to the shopper's message.
pub(super) async fn pay_and_follow(shop: &DemoShop, order: &Order, timeline: &Timeline) -> Result<Duration> {
    let paying = async {
        let payment = shop.sandbox.click().pay(&order.id.to_string(), &order.total.soum_text()).await?;
        ensure!(payment.is_paid(), "CLICK's payment ended as {:?}", payment.status);
        Ok::<_, anyhow::Error>(payment)
    };
    // Followed from the start: the later steps may be over before CLICK has read its answer.
    let (payment, notified_at_ms) = tokio::try_join!(paying, follow(shop, order, timeline))?;
    let complete = payment.exchanges.iter().find(|exchange| exchange.step == Step::Complete);
    let complete_at_ms = complete.context("the payment has no Complete")?.sent_at_ms;
    Ok(Duration::from_millis(u64::try_from(notified_at_ms.saturating_sub(complete_at_ms)).unwrap_or(0)))
}

/// Waits without a limit until somebody pays the order; the timeline begins with the first callback.
pub(super) async fn wait_for_payer(shop: &DemoShop, order: &Order) -> Result<Timeline> {
    loop {
        if payment_of(shop, order).is_some() {
            return Ok(Timeline::start());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Follows a payment to both messages. Returns when the shopper was notified, in milliseconds since 1970.
pub(super) async fn follow(shop: &DemoShop, order: &Order, timeline: &Timeline) -> Result<i64> {
    let answered = |step: Step| async move {
        within(&format!("CLICK's {step:?} was not answered with 0"), async {
            loop {
                let payment = payment_of(shop, order);
                let exchange = payment
                    .iter()
                    .flat_map(|payment| &payment.exchanges)
                    .find(|call| call.step == step && call.answer.error() == Some(0));
                if exchange.is_some() {
                    timeline.note(format_args!("CLICK's {step:?} answered with 0"));
                    return Ok(());
                }
                tokio::time::sleep(POLL_EVERY).await;
            }
        })
        .await
    };
    let (.., notified_at_ms, ()) = tokio::try_join!(
        answered(Step::Prepare),
        answered(Step::Complete),
        published(shop, order, timeline),
        paid(shop, order, timeline),
        shopper_notified(shop, order, timeline),
        staff_notified(shop, order, timeline),
    )?;
    Ok(notified_at_ms)
}

fn payment_of(shop: &DemoShop, order: &Order) -> Option<Payment> {
    let order_id = order.id.to_string();
    shop.sandbox.click().payments().into_iter().rev().find(|payment| payment.order_id == order_id)
}

async fn published(shop: &DemoShop, order: &Order, timeline: &Timeline) -> Result<()> {
    let event_id = EventId::new(format!("payment.completed:{}", order.id));
    within("the event was not published", async {
        while shop.ledger.event_sent_at(&event_id).await?.is_none() {
            tokio::time::sleep(POLL_EVERY).await;
        }
        timeline.note(format_args!("event {event_id} published"));
        Ok(())
    })
    .await
}

async fn paid(shop: &DemoShop, order: &Order, timeline: &Timeline) -> Result<()> {
    within("the shop store does not show the order as paid", async {
        loop {
            let shown = order::order(&*shop.store, order.id).await?;
            if shown.is_some_and(|order| order.is_paid()) {
                timeline.note("order paid in the shop store, cart emptied, order_count bumped");
                return Ok(());
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
    })
    .await
}

async fn shopper_notified(shop: &DemoShop, order: &Order, timeline: &Timeline) -> Result<i64> {
    message_with_order(shop, shop.shopper_id(), order).await.context("the shopper was not notified")?;
    timeline.note("shopper told in Telegram");
    Ok(tolov_domain::time::unix_ms(SystemClock.now()))
}

async fn staff_notified(shop: &DemoShop, order: &Order, timeline: &Timeline) -> Result<()> {
    message_with_order(shop, STAFF_CHANNEL, order).await.context("staff were not notified")?;
    timeline.note("staff told in their channel");
    Ok(())
}

async fn message_with_order(shop: &DemoShop, chat_id: i64, order: &Order) -> Result<()> {
    let number = order.id.to_string();
    shop.sandbox.telegram().wait_for(chat_id, &number, 0, STEP_TIMEOUT).await?;
    Ok(())
}

async fn within<T>(what_if_not: &str, step: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(STEP_TIMEOUT, step).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => bail!("{what_if_not} within {} s", STEP_TIMEOUT.as_secs()),
    }
}
