//! A reminder shortly before an unpaid order expires: once an order, also over restarts.

use teloxide::types::ChatId;
use time::Duration;
use tolov_domain::time::Timestamp;
use tolov_shop::{
    order::{ShopOrder, Stage, order, query_in},
    records,
};

use crate::{
    conversation::{error::HandlerError, screen::Screen},
    deps::HandlerDeps,
    orders::{
        messages::{OrderMessages, Reminder, change_messages},
        order_message,
    },
    telegram::client::MessageRef,
    texts::t,
};

/// How long before the end of its time an order is reminded of; half way where that is sooner.
const BEFORE_THE_END: Duration = Duration::minutes(10);
/// An order that can be paid for less than this is not: it was placed a moment ago.
const TIME_TO_PAY_MIN: Duration = Duration::seconds(30);
/// How long after an attempt the next one may begin.
const RETRY_AFTER: Duration = Duration::seconds(30);
/// How many orders are looked at in one round. The oldest are the first to expire.
const ROUND_MAX: u32 = 500;

/// Reminds of the orders whose time is nearly over. What Telegram does not take now is sent in a later round, until the order
/// expires.
pub(crate) async fn remind(deps: &HandlerDeps) -> Result<(), HandlerError> {
    let oldest: Vec<ShopOrder> =
        records::find(deps.documents(), &query_in(Stage::AwaitingPayment, ROUND_MAX)).await?;
    for waiting in oldest.iter().filter(|order| time_left(order, deps.now()).is_some()) {
        let id = waiting.id;
        let now = deps.now();
        if !change_messages(deps.documents(), id, |messages| claim(messages, now)).await? {
            continue;
        }
        // It may have been paid or cancelled since it was found.
        let order = order(deps.documents(), id).await?;
        let Some((order, left)) = order.and_then(|order| time_left(&order, now).map(|left| (order, left)))
        else {
            continue;
        };
        match deps.send_to(order.user_id, &screen(deps, &order, left).await).await {
            Ok(sent) => {
                let sent = MessageRef { chat: ChatId(order.user_id.get()), message_id: sent.message_id };
                change_messages(deps.documents(), id, |messages| {
                    messages.reminder = Some(Reminder::Done);
                    messages.reminder_message = Some(sent);
                })
                .await?;
                // It may have been paid or cancelled while the reminder was sent.
                if let Some(now) = tolov_shop::order::order(deps.documents(), id).await? {
                    order_message::take_pay_buttons_away(deps, &now).await?;
                }
                continue;
            }
            Err(error) if error.is_permanent() => {
                tracing::info!(order.id = %id, %error, "a shopper cannot be reminded of an unpaid order");
            }
            Err(error) => {
                tracing::info!(order.id = %id, %error, "a shopper is not reminded of an unpaid order yet");
                // While Telegram does not answer, the round's other work would wait for each.
                return Ok(());
            }
        }
        change_messages(deps.documents(), id, |messages| messages.reminder = Some(Reminder::Done)).await?;
    }
    Ok(())
}

async fn screen(deps: &HandlerDeps, order: &ShopOrder, left: Duration) -> Screen {
    let language = deps.language_of(order.user_id).await;
    let left = order_message::left(language, left);
    Screen::new(t!(language, "payment-reminder", order = order.id, left = left))
        .row(order_message::pay_button(language, order))
}

/// The time in which an order can still be paid, where it is time to remind of it.
fn time_left(order: &ShopOrder, now: Timestamp) -> Option<Duration> {
    let until = order.link()?.pay_until?;
    let left = until - now;
    let time_to_pay = until - order.placed_at;
    let is_near = left > Duration::ZERO && left <= BEFORE_THE_END.min(time_to_pay / 2);
    let is_due = is_near && time_to_pay >= TIME_TO_PAY_MIN;
    (is_due && order.cancel_requested_by().is_none()).then_some(left)
}

/// Reserves the attempt; another bot may have done so.
fn claim(messages: &mut OrderMessages, now: Timestamp) -> bool {
    let is_free = match messages.reminder {
        None => true,
        Some(Reminder::Claimed { next_try_at }) => next_try_at <= now,
        Some(Reminder::Done) => false,
    };
    if is_free {
        messages.reminder = Some(Reminder::Claimed { next_try_at: now + RETRY_AFTER });
    }
    is_free
}
