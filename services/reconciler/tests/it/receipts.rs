//! One receipt of an order, always with the same content, whatever is lost and whenever the process dies.

use time::Duration;
use tolov_domain::{
    OrderId, Tiyin,
    receipt::{
        Content, ContentLine, Decision, Fiscal, MissingReason, Receipt, ReceiptState, ReceiptStatus,
        api::RefundExtent,
    },
};
use tolov_kit::clock::Clock;

use crate::world::{Fault, ORDER, PAYDOC, RECEIPT_URL, World, payment_id};

fn tiyin(amount: i64) -> Tiyin {
    Tiyin::try_new(amount).unwrap()
}

fn content(mxik: Option<&str>) -> Content {
    let line = ContentLine {
        name: "Choy dona".to_owned(),
        fiscal: Fiscal {
            mxik: mxik.map(str::to_owned),
            package_code: Some("1506113".to_owned()),
            vat_percent: Some(12),
        },
        amount: 2_000,
        good_price: tiyin(1_500_000),
        price: tiyin(3_000_000),
        discount: Tiyin::ZERO,
        vat: tiyin(321_429),
    };
    Content { lines: vec![line] }
}

/// Order 1001 is paid, and its receipt is needed.
fn world() -> World {
    let world = World::new();
    let now = world.clock.now();
    world.ledger.state().receipt = Some(Receipt {
        order_id: OrderId::try_new(ORDER).unwrap(),
        amount_tiyin: tiyin(3_000_000),
        content: content(Some("01234567890123456")),
        state: ReceiptState::NEEDED,
        body_hash: None,
        since: now,
        changed_at: now,
        step: 1,
        tries: 0,
        next_step_at: Some(now),
    });
    world
}

fn receipt(world: &World) -> Receipt {
    world.ledger.state().receipt.clone().unwrap()
}

fn status(world: &World) -> ReceiptStatus {
    receipt(world).state.status()
}

fn why(world: &World) -> Option<MissingReason> {
    let ReceiptState::Missing { why, .. } = receipt(world).state else { return None };
    Some(why)
}

fn known() -> ReceiptState {
    ReceiptState::Known { payment_id: payment_id(PAYDOC), url: RECEIPT_URL.to_owned() }
}

#[tokio::test]
async fn a_receipt_is_looked_for_sent_once_and_fetched() {
    let mut world = world();
    world.round().await;
    assert_eq!(status(&world), ReceiptStatus::Submitted);
    world.pass(Duration::minutes(1)).await;
    assert_eq!(receipt(&world).state, known());
    let calls = world.ledger.state().calls.clone();
    let methods: Vec<&str> = calls.iter().map(|call| call.method.as_str()).collect();
    assert_eq!(methods, ["GET", "GET", "POST", "GET"], "status, ofd_data before, the items, ofd_data after");
    world.pass(Duration::days(1)).await;
    assert_eq!(world.click.items_sent(), 1);
    let printed = world.click.state().printed.clone();
    assert_eq!(printed[&PAYDOC][0].received_card, 3_000_000);
}

#[tokio::test]
async fn a_receipt_that_click_has_printed_by_itself_is_not_sent() {
    let mut world = world();
    world.click.state().printed.insert(PAYDOC, Vec::new());
    world.round().await;
    assert_eq!((receipt(&world).state, world.click.items_sent()), (known(), 0));
}

/// Every call to the ledger fails once, before its effect or after it, as when the process dies there.
#[tokio::test]
async fn a_crash_at_any_step_ends_in_one_receipt() {
    for after_the_effect in [false, true] {
        for nth in 1..=12 {
            let mut world = world();
            world.dies_at(nth, after_the_effect);
            world.round().await;
            world.restart();
            world.pass(Duration::hours(3)).await;
            let what = format!("dies at {nth}, {after_the_effect}");
            assert_eq!(receipt(&world).state, known(), "{what}");
            assert_eq!(world.click.state().printed[&PAYDOC].len(), 1, "{what}");
        }
    }
}

/// Every call to CLICK is lost, before its effect or after it, or has no body.
#[tokio::test]
async fn a_lost_call_is_made_up_for_with_the_same_content() {
    for fault in [Fault::LostBefore, Fault::LostAfter, Fault::Empty] {
        for nth in 0..4 {
            let mut world = world();
            world.click.state().faults.extend(std::iter::repeat_n(Fault::None, nth).chain([fault]));
            world.pass(Duration::hours(6)).await;
            let what = format!("{fault:?} at call {nth}");
            assert_eq!(receipt(&world).state, known(), "{what}");
            let printed = world.click.state().printed[&PAYDOC].clone();
            assert_eq!(printed.len(), 1, "{what}: an outcome that is not known is asked for first");
        }
    }
}

#[tokio::test]
async fn two_reconcilers_send_it_once() {
    for waits in 0..5 {
        let mut world = world();
        world.round_of_two(waits).await;
        world.pass(Duration::minutes(5)).await;
        assert_eq!((receipt(&world).state, world.click.items_sent()), (known(), 1), "{waits}");
    }
}

#[tokio::test]
async fn refused_items_are_sent_again_after_growing_pauses_and_then_left_to_a_person() {
    let mut world = world();
    world.click.state().refused_items = Some(-500);
    world.pass(Duration::hours(23)).await;
    let sent = world.click.items_sent();
    assert!((5..=9).contains(&sent), "after 1, 5, 15, 60 minutes and then every six hours: {sent}");
    assert_eq!(status(&world), ReceiptStatus::Needed);
    world.pass(Duration::hours(8)).await;
    let missing = receipt(&world);
    assert!(
        matches!(
            &missing.state,
            ReceiptState::Missing { why: MissingReason::Refused, click_code: Some(-500), .. }
        ),
        "{missing:?}"
    );
    // Mended, and asked for once more.
    world.click.state().refused_items = None;
    let again = missing.decide(Decision::Retry, "operator", false, world.clock.now()).unwrap();
    world.ledger.state().receipt = Some(again);
    world.pass(Duration::minutes(5)).await;
    assert_eq!(receipt(&world).state, known());
}

#[tokio::test]
async fn keys_that_click_refuses_stop_everything_and_change_nothing() {
    let mut world = world();
    world.click.state().always = Some(Fault::Code(-12));
    world.pass(Duration::hours(5)).await;
    assert_eq!((status(&world), receipt(&world).step), (ReceiptStatus::Needed, 1));
    world.click.state().always = None;
    world.pass(Duration::minutes(15)).await;
    assert_eq!(receipt(&world).state, known());
}

#[tokio::test]
async fn without_codes_or_with_the_money_back_nothing_is_sent() {
    let mut world = world();
    world.ledger.state().receipt.as_mut().unwrap().content = content(None);
    world.round().await;
    assert_eq!((why(&world), world.click.items_sent()), (Some(MissingReason::NoCodes), 0));

    let mut world = self::world();
    world.ledger.state().refund_extent = RefundExtent::Open;
    world.pass(Duration::minutes(10)).await;
    assert_eq!((status(&world), world.click.items_sent()), (ReceiptStatus::Needed, 0));
    world.ledger.state().refund_extent = RefundExtent::Whole;
    world.pass(Duration::hours(1)).await;
    assert_eq!((why(&world), world.click.items_sent()), (Some(MissingReason::Refunded), 0));
}

#[tokio::test]
async fn of_a_payment_in_telegram_click_is_not_asked_and_a_person_makes_the_receipt_at_once() {
    let mut world = world();
    world.ledger.state().in_telegram = true;
    world.round().await;
    let calls = world.click.state().calls.len();
    assert_eq!((why(&world), calls), (Some(MissingReason::PaidInTelegram), 0));
}

#[tokio::test]
async fn of_an_order_whose_content_is_lost_the_receipt_that_click_has_is_found_and_no_other_is_made() {
    for is_printed in [true, false] {
        let mut world = world();
        world.ledger.state().receipt.as_mut().unwrap().content = Content { lines: Vec::new() };
        if is_printed {
            world.click.state().printed.insert(PAYDOC, Vec::new());
        }
        world.round().await;
        let expected = if is_printed { None } else { Some(MissingReason::ContentLost) };
        assert_eq!((why(&world), world.click.items_sent()), (expected, 0));
    }
}

#[tokio::test]
async fn another_body_than_the_one_that_was_sent_is_left_to_a_person() {
    let mut world = world();
    world.ledger.state().receipt.as_mut().unwrap().body_hash = Some("0".repeat(64));
    world.round().await;
    assert_eq!((why(&world), world.click.items_sent()), (Some(MissingReason::ContentDiffers), 0));
}

#[tokio::test]
async fn the_address_of_a_receipt_is_asked_for_over_a_week() {
    let mut world = world();
    world.click.state().is_printing = true;
    world.pass(Duration::hours(23)).await;
    assert_eq!(status(&world), ReceiptStatus::Submitted);
    let asked = world.click.state().calls.len();
    assert!(asked < 40, "hourly: {asked}");
    for _ in 0..9 {
        world.clock.advance(Duration::DAY);
        world.round().await;
    }
    assert_eq!((why(&world), world.click.items_sent()), (Some(MissingReason::NoAddress), 1));
}
