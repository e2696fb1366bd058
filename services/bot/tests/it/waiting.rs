//! What the clock does for orders that wait for their payment, and messages that show an order as it was.

use std::time::Duration;

use serde_json::Value;
use tolov_domain::{ClickPaydocId, ClickTransId, OrderId, UserId};
use tolov_kit::clock::Clock;
use tolov_shop::{
    order::{self as orders, OrderState, PaymentFacts, Progress, Sale, ShopOrder, Stock},
    records,
};

use crate::{
    registering::{SHOPPER, check_out, world},
    shopfront::{Chat, text},
    telegram::Answer,
    world::{self, World, expired, for_shopper},
};

const CHAT: &str = "5";

fn paid(world: &World) -> OrderState {
    let payment = PaymentFacts {
        click_trans_id: ClickTransId::try_new(501).unwrap(),
        click_paydoc_id: ClickPaydocId::try_new(2001).unwrap(),
        paid_at: world.clock.now(),
        late: false,
    };
    OrderState::Paid { sale: Sale { payment, missing: Vec::new() }, progress: Progress::New }
}

/// An order of two pieces waits for its payment for half an hour. Its message is number 1.
async fn is_placed(world: &World) {
    let bot = world.run_bot();
    check_out(world).await;
    bot.stop().await;
}

/// A bot that starts, does one round of its maintenance, and stops. What is left to settle is the last thing of a round.
async fn one_round(world: &World, number: i64) {
    let left =
        ShopOrder { stock: Stock::Held, ..world::order(number, UserId::try_new(77).unwrap(), paid(world)) };
    records::insert(&world.shop.documents, &left).await.unwrap();
    let bot = world.run_bot();
    let is_settled = async || {
        let id = OrderId::try_new(number).unwrap();
        orders::order(&world.shop.documents, id).await.unwrap().unwrap().stock == Stock::Committed
    };
    let wait = async {
        while !is_settled().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap();
    bot.stop().await;
}

fn reminders(world: &World) -> usize {
    world.telegram.shown(CHAT).iter().filter(|text| text.contains("left to pay for order #1001")).count()
}

#[tokio::test]
async fn a_shopper_is_reminded_once_in_the_last_ten_minutes_whatever_bots_are_started() {
    let (world, _ledger) = world().await;
    is_placed(&world).await;
    for (number, minutes, expected) in [(2001, 19, 0), (2002, 2, 1), (2003, 1, 1), (2004, 5, 1)] {
        world.clock.advance(time::Duration::minutes(minutes));
        one_round(&world, number).await;
        assert_eq!(reminders(&world), expected, "order {number}");
    }
}

#[tokio::test]
async fn a_reminder_that_telegram_did_not_take_is_sent_in_a_later_round() {
    let (world, _ledger) = world().await;
    is_placed(&world).await;
    world.clock.advance(time::Duration::minutes(21));
    world.telegram.will_answer(CHAT, [Answer::Refuse(502, "Bad Gateway")]);
    one_round(&world, 2001).await;
    assert_eq!(reminders(&world), 0);
    world.clock.advance(time::Duration::minutes(1));
    one_round(&world, 2002).await;
    assert_eq!(reminders(&world), 1);
}

#[tokio::test]
async fn nobody_is_reminded_of_an_order_that_is_paid_or_cancelled() {
    let (world, _ledger) = world().await;
    is_placed(&world).await;
    let state = paid(&world);
    records::change(&world.shop.documents, 1001, |order: &mut ShopOrder| order.state = state.clone())
        .await
        .unwrap();
    let bot = world.run_bot();
    check_out(&world).await;
    Chat { world: &world, id: SHOPPER }.tap("1:oxs:1002").await;
    bot.stop().await;
    world.clock.advance(time::Duration::minutes(21));
    one_round(&world, 2001).await;
    assert!(!world.telegram.shown(CHAT).iter().any(|text| text.contains("left to pay")));
}

#[tokio::test]
async fn an_order_with_little_time_to_pay_is_reminded_of_half_way() {
    let (world, _ledger) = world().await;
    is_placed(&world).await;
    let until = world.clock.now() + time::Duration::minutes(4);
    let short = |order: &mut ShopOrder| {
        let OrderState::AwaitingPayment { link: Some(link), .. } = &mut order.state else { panic!() };
        link.pay_until = Some(until);
    };
    records::change(&world.shop.documents, 1001, short).await.unwrap();
    for (number, expected) in [(2001, 0), (2002, 1)] {
        world.clock.advance(time::Duration::seconds(90));
        one_round(&world, number).await;
        assert_eq!(reminders(&world), expected, "order {number}");
    }
}

#[tokio::test]
async fn no_message_keeps_a_button_that_pays_an_order_which_can_no_longer_be_paid() {
    for is_paid in [true, false] {
        let (world, _ledger) = world().await;
        is_placed(&world).await;
        world.clock.advance(time::Duration::minutes(21));
        one_round(&world, 2001).await;
        let reminder = world.telegram.arrived(CHAT).pop().unwrap();
        let bot = world.run_bot();
        let chat = Chat { world: &world, id: SHOPPER };
        // The order's own message may count down meanwhile.
        let is_new = |call: &Value| call["message_id"].is_null();
        let cart = chat.write("/cart").await.into_iter().rfind(is_new).unwrap();
        let messages = [&reminder.text, text(&cart)].map(|text| world.telegram.number_of(text));
        let offers = chat.tap_on(messages[1], "1:co").await;
        let offer = offers.iter().rfind(|call| call["message_id"] == messages[1]).unwrap();
        for buttons in [&reminder.buttons, &offer["reply_markup"]] {
            assert!(buttons.to_string().contains("\"url\""), "{buttons}");
        }
        let state = if is_paid { paid(&world) } else { OrderState::Expired };
        records::change(&world.shop.documents, 1001, |order: &mut ShopOrder| order.state = state.clone())
            .await
            .unwrap();
        let told = if is_paid { for_shopper(1001, SHOPPER) } else { expired(1001, SHOPPER) };
        world.bus.deliver(&told);
        world.bus.until_empty().await;
        bot.stop().await;
        for message in messages {
            let edits = world.telegram.edited(CHAT);
            let last = edits.iter().rfind(|edit| edit.message_id == message).unwrap();
            assert!(last.text.contains("#1001"), "{}", last.text);
            assert!(!last.buttons.to_string().contains("\"url\""), "{last:?}");
        }
    }
}

#[tokio::test]
async fn an_order_whose_link_telegram_refuses_is_shown_without_it() {
    let (world, _ledger) = world().await;
    world.telegram.refuses_links();
    let bot = world.run_bot();
    check_out(&world).await;
    bot.stop().await;
    let order = world.telegram.edited(CHAT).pop().unwrap();
    assert!(order.text.contains("Order #1001"), "{}", order.text);
    assert!(order.buttons.to_string().contains("1:oc:1001"), "{}", order.buttons);
}

#[tokio::test]
async fn the_clock_does_not_send_a_message_that_the_shopper_has_deleted() {
    let (world, _ledger) = world().await;
    is_placed(&world).await;
    let messages = || world.telegram.shown(CHAT).iter().filter(|text| text.contains("Order #1001")).count();
    let before = messages();
    world.telegram.is_gone(1);
    world.clock.advance(time::Duration::minutes(21));
    one_round(&world, 2001).await;
    assert_eq!(messages(), before);
    assert_eq!(reminders(&world), 1, "the reminder is a message of its own");
}

#[tokio::test]
async fn an_edit_that_waited_does_not_leave_an_older_state_on_the_message() {
    let (world, _ledger) = world().await;
    is_placed(&world).await;
    let bot = world.run_bot();
    world.telegram.holds_up_an_edit(1);
    let edits = || world.telegram.calls().iter().filter(|(method, _)| method == "editmessagetext").count();
    let before = edits();
    let is_paid_meanwhile = async {
        while edits() == before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let state = paid(&world);
        records::change(&world.shop.documents, 1001, |order: &mut ShopOrder| order.state = state.clone())
            .await
            .unwrap();
    };
    let chat = Chat { world: &world, id: SHOPPER };
    tokio::join!(chat.tap("1:oc:1001"), is_paid_meanwhile);
    bot.stop().await;
    let last = world.telegram.edited(CHAT).pop().unwrap();
    assert!(last.text.contains("✅ Paid"), "{}", last.text);
}

#[tokio::test]
async fn the_last_piece_that_an_own_unpaid_order_holds_can_still_be_ordered() {
    let (world, _ledger) = world().await;
    let ali = Chat { world: &world, id: SHOPPER };
    let bot = world.run_bot();
    // All ten, which the order holds from then on.
    for tap in ["1:sc:7:10", "1:co", "1:cog"] {
        ali.tap(tap).await;
    }
    let other = Chat { world: &world, id: SHOPPER + 1 };
    for (chat, is_sold_out) in [(&ali, false), (&other, true)] {
        let card = chat.tap("1:p:7").await.pop().unwrap();
        assert_eq!(card["text"].as_str().unwrap().contains("Sold out"), is_sold_out, "{card}");
        assert_eq!(card["reply_markup"].to_string().contains("1:sc:7:"), !is_sold_out, "{card}");
        for listed in [chat.tap("1:c:1:0").await, chat.write("choy").await] {
            assert_eq!(listed[0]["reply_markup"].to_string().contains("sold out"), is_sold_out, "{listed:?}");
        }
    }
    bot.stop().await;
}
