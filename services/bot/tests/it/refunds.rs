//! An owner gives money back, from the order's card and from its post.

use std::sync::Arc;

use tolov_domain::{
    ClickPaymentId, EventId, OrderedProduct, ProductId, RefundId, Tiyin, UserId,
    notification::{Notification, Subject},
    refund::{Change, RefundState, RefundStatus, UndecidedState},
};
use tolov_shop::{
    order::{OrderRefund, OrderState, ShopOrder, Stage},
    records,
    staff::{self, Action, RefundChange},
};

use crate::{
    ledger::Ledger,
    orders::{is_paid, posted, stored},
    shopfront::Chat,
    telegram::{Answer, Edited},
    world::{STAFF, World, for_shopper, for_staff},
};

pub(crate) const OWNER: i64 = 1;
pub(crate) const PARTNER: i64 = 2;
pub(crate) const SHOPPER: &str = "5551";

pub(crate) async fn world() -> (World, Arc<Ledger>) {
    let mut world = World::new().await;
    let (ledger, url) = Ledger::start().await;
    world.config.webhook_url = url;
    world.config.owners = vec![UserId::try_new(OWNER).unwrap(), UserId::try_new(PARTNER).unwrap()];
    ledger.is_paid(1024, soum(30_000), vec![pieces(2)]);
    (world, ledger)
}

fn soum(soum: i64) -> Tiyin {
    Tiyin::from_soum(soum).unwrap()
}

pub(crate) fn pieces(count: u32) -> OrderedProduct {
    OrderedProduct { product_id: ProductId::try_new(7).unwrap(), count }
}

/// Taps on the order's post, one tap after the other; what the post shows after the last.
pub(crate) async fn taps(world: &World, who: i64, post: i64, taps: &[&str]) -> Edited {
    for tap in taps {
        let before = world.telegram.edited(STAFF).len();
        world.telegram.tap_in_channel(who, (STAFF, post), tap);
        world.telegram.until_edited(STAFF, before + 1).await;
    }
    world.telegram.edited(STAFF).pop().unwrap()
}

fn payment_id() -> ClickPaymentId {
    ClickPaymentId::try_new(2001).unwrap()
}

#[tokio::test]
async fn two_owners_who_give_an_order_back_make_one_refund() {
    let (world, ledger) = world().await;
    let bot = world.run_bot();
    let post = posted(&world, 1024).await;
    let asked = taps(&world, OWNER, post, &["1:ar:1024", "1:ara:1024:0:1"]).await;
    assert!(asked.text.contains("30\u{a0}000") && asked.text.contains("CLICK orqali"), "{}", asked.text);
    let confirm = "1:ars:1024:0:1:3000000:0";
    assert!(asked.buttons.to_string().contains(confirm), "{}", asked.buttons);
    let requested = taps(&world, OWNER, post, &[confirm]).await;
    assert!(requested.text.contains("⏳"), "{}", requested.text);
    for who in [PARTNER, OWNER] {
        world.telegram.tap_in_channel(who, (STAFF, post), confirm);
    }
    world.telegram.until_toasts(5).await;
    bot.stop().await;
    let refunds = ledger.refunds(1024);
    let [refund] = refunds.as_slice() else { panic!("{refunds:?}") };
    assert_eq!((refund.status(), refund.amount_tiyin), (RefundStatus::Requested, soum(30_000)));
    assert_eq!((refund.requested_by.as_str(), &refund.returned), ("1", &vec![pieces(2)]));
    let entries = staff::latest_actions(&world.shop.documents, 0, 10).await.unwrap();
    let entered = |entry: &&staff::StaffAction| {
        matches!(entry.action, Action::Refund { change: RefundChange::Requested, .. })
    };
    assert_eq!(entries.iter().filter(entered).count(), 1, "{entries:?}");
    // Nothing is told before the money is back.
    assert_eq!(stored(&world, 1024).await.stage(), Stage::Paid);
    assert!(world.telegram.arrived(SHOPPER).is_empty());
}

#[tokio::test]
async fn a_part_goes_by_hand_and_the_owner_says_what_proves_it() {
    let (world, ledger) = world().await;
    let bot = world.run_bot();
    let post = posted(&world, 1024).await;
    let chosen = taps(&world, OWNER, post, &["1:ar:1024", "1:arl:1024", "1:arn:1024:7:1"]).await;
    assert!(chosen.buttons.to_string().contains("1/2 · Pizza"), "{}", chosen.buttons);
    let confirm = "1:ars:1024:1:1:1500000:0";
    let asked = taps(&world, OWNER, post, &["1:ara:1024:1:1"]).await;
    assert!(asked.buttons.to_string().contains(confirm), "{}", asked.buttons);
    let manual = taps(&world, OWNER, post, &[confirm]).await;
    let refund = ledger.refunds(1024).remove(0);
    assert_eq!((refund.status(), refund.amount_tiyin), (RefundStatus::Manual, soum(15_000)));
    assert_eq!(refund.returned, [pieces(1)]);
    let by_hand = format!("1:ard:1024:{}:h", refund.refund_id);
    assert!(manual.buttons.to_string().contains(&by_hand), "{}", manual.buttons);
    assert!(!manual.buttons.to_string().contains(":r\""), "a part is never sent: {}", manual.buttons);
    let asked = taps(&world, OWNER, post, &[&by_hand]).await;
    assert!(asked.text.contains("bot bilan suhbatingizda yozing"), "{}", asked.text);
    world.telegram.write(OWNER, Some("uz"), "cabinet 4711");
    world.telegram.until("1", |arrived| !arrived.is_empty()).await;
    bot.stop().await;
    let state = ledger.refunds(1024).remove(0).state;
    let document = "cabinet 4711".to_owned();
    assert_eq!(state, RefundState::DoneByHand { decided_by: "1".to_owned(), document });
}

/// A part of order 1024 waits for an owner's word; the button that says it was given back by hand.
async fn waits_for_an_owner(world: &World, ledger: &Ledger, post: i64) -> String {
    let asked = ["1:arl:1024", "1:arn:1024:7:1", "1:ara:1024:1:1", "1:ars:1024:1:1:1500000:0"];
    taps(world, OWNER, post, &asked).await;
    format!("1:ard:1024:{}:h", ledger.refunds(1024)[0].refund_id)
}

#[tokio::test]
async fn after_no_what_an_owner_writes_is_no_proof_of_the_refund() {
    let (world, ledger) = world().await;
    let bot = world.run_bot();
    let post = posted(&world, 1024).await;
    let by_hand = waits_for_an_owner(&world, &ledger, post).await;
    let withdraw = by_hand.replace(":h", ":w");
    let owner = Chat { world: &world, id: OWNER };
    for instead in ["1:ar:1024", withdraw.as_str()] {
        taps(&world, OWNER, post, &[&by_hand, instead]).await;
        owner.write("choy").await;
        assert_eq!(ledger.refunds(1024)[0].status(), RefundStatus::Manual, "after {instead}");
    }
    bot.stop().await;
}

#[tokio::test]
async fn a_question_in_the_channel_leaves_the_answer_that_an_owner_writes_to_a_shopper_alone() {
    let (world, ledger) = world().await;
    let bot = world.run_bot();
    let post = posted(&world, 1024).await;
    let by_hand = waits_for_an_owner(&world, &ledger, post).await;
    let (owner, shopper) = (Chat { world: &world, id: OWNER }, Chat { world: &world, id: 5551 });
    shopper.tap("1:su").await;
    shopper.write("Are you open?").await;
    let arrived = world.telegram.arrived("1");
    let header = arrived.iter().find(|message| message.buttons.to_string().contains("1:asu")).unwrap();
    owner.tap_on(world.telegram.number_of(&header.text), "1:asu").await;
    taps(&world, OWNER, post, &[&by_hand]).await;
    owner.write("Yes, until nine.").await;
    bot.stop().await;
    assert_eq!(ledger.refunds(1024)[0].status(), RefundStatus::Manual);
    let told = world.telegram.arrived(SHOPPER);
    assert!(told.iter().any(|message| message.text.starts_with("copymessage 1:")), "{told:?}");
}

#[tokio::test]
async fn a_refund_that_is_not_known_is_sent_again_only_after_a_question() {
    let (world, ledger) = world().await;
    let bot = world.run_bot();
    let post = posted(&world, 1024).await;
    taps(&world, OWNER, post, &["1:ara:1024:0:0", "1:ars:1024:0:0:3000000:0"]).await;
    ledger.advance(
        1024,
        [
            Change::FoundPaid { payment_id: payment_id() },
            Change::Send,
            Change::OutcomeUnknown { click_code: None, click_note: String::new() },
        ],
    );
    let shown = taps(&world, OWNER, post, &["1:ar:1024"]).await;
    let id = ledger.refunds(1024)[0].refund_id;
    for button in ["h", "r", "w"].map(|decision| format!("1:ard:1024:{id}:{decision}")) {
        assert!(shown.buttons.to_string().contains(&button), "{}", shown.buttons);
    }
    taps(&world, OWNER, post, &[&format!("1:ard:1024:{id}:r")]).await;
    assert_eq!(ledger.refunds(1024)[0].status(), RefundStatus::Unknown, "only asked");
    taps(&world, OWNER, post, &[&format!("1:arx:1024:{id}:r")]).await;
    assert_eq!(ledger.refunds(1024)[0].status(), RefundStatus::Requested);
    // While it is sent nobody can decide.
    ledger.advance(1024, [Change::FoundPaid { payment_id: payment_id() }, Change::Send]);
    taps(&world, PARTNER, post, &[&format!("1:arx:1024:{id}:w")]).await;
    assert_eq!(ledger.refunds(1024)[0].status(), RefundStatus::Sending);
    bot.stop().await;
}

#[tokio::test]
async fn only_owners_refund() {
    let (world, ledger) = world().await;
    let bot = world.run_bot();
    let post = posted(&world, 1024).await;
    world.telegram.tap_in_channel(666, (STAFF, post), "1:ars:1024:0:1:3000000:0");
    world.telegram.until_toasts(1).await;
    bot.stop().await;
    assert_eq!(ledger.refunds(1024), []);
}

#[tokio::test]
async fn refunded_on_a_cancelled_order_is_recorded_in_the_ledger_as_given_by_hand() {
    let (world, ledger) = world().await;
    let bot = world.run_bot();
    let post = posted(&world, 1024).await;
    let done = taps(&world, OWNER, post, &["1:ads:1024:cn", "1:ad:1024:rf", "1:ads:1024:rf"]).await;
    assert!(done.text.contains("30\u{a0}000"), "{}", done.text);
    world
        .telegram
        .until(SHOPPER, |arrived| arrived.iter().any(|told| told.text.contains("qaytarildi")))
        .await;
    bot.stop().await;
    assert_eq!(stored(&world, 1024).await.stage(), Stage::Refunded);
    let refunds = ledger.refunds(1024);
    let [refund] = refunds.as_slice() else { panic!("{refunds:?}") };
    assert_eq!((refund.status(), refund.amount_tiyin), (RefundStatus::DoneByHand, soum(30_000)));
}

#[tokio::test]
async fn after_a_part_went_back_staff_are_asked_to_give_back_the_rest() {
    let (world, _ledger) = world().await;
    let bot = world.run_bot();
    let post = posted(&world, 1024).await;
    records::change(&world.shop.documents, 1024_i64, |order: &mut ShopOrder| {
        order.refunds.push(OrderRefund {
            refund_id: RefundId::try_new(3).ok(),
            amount: soum(10_000),
            by_hand: false,
            returned: Vec::new(),
            is_restocked: true,
            is_told: true,
            at: order.placed_at,
        });
    })
    .await
    .unwrap();
    let asked = taps(&world, OWNER, post, &["1:ads:1024:cn", "1:ad:1024:rf"]).await;
    bot.stop().await;
    let question = asked.text.lines().next().unwrap();
    assert!(question.contains("20\u{a0}000") && question.contains("qo‘lda"), "{question}");
    let toasts = world.telegram.until_toasts(1).await;
    assert!(toasts[0].contains("20\u{a0}000"), "{toasts:?}");
}

#[tokio::test]
async fn the_shopper_hears_of_returned_money_and_staff_of_a_refund_that_waits() {
    let (world, _ledger) = world().await;
    is_paid(&world, 1024).await;
    let bot = world.run_bot();
    let undecided = Subject::RefundUndecided {
        refund_id: RefundId::try_new(1_795_900_000).unwrap(),
        refunded_tiyin: soum(30_000),
        state: UndecidedState::Refused,
        why: None,
        click_code: Some(-500),
        click_note: Some("UZCARD <x>".to_owned()),
    };
    world.bus.deliver(&Notification {
        notification_id: EventId::new("refund.undecided:1024:1795900000:refused:4/staff"),
        subject: undecided,
        ..for_staff(1024)
    });
    let post = world.telegram.until(STAFF, |arrived| !arrived.is_empty()).await.remove(0);
    assert!(post.text.contains("-500 UZCARD &lt;x&gt;"), "{}", post.text);
    assert!(post.buttons.to_string().contains("1:ar:1024"), "{}", post.buttons);
    for (sum, is_rest) in [(10_000, false), (20_000, true)] {
        world.bus.deliver(&Notification {
            notification_id: EventId::new(format!("payment.reversed:{sum}/shopper")),
            subject: Subject::MoneyReturned { refunded_tiyin: soum(sum), is_rest },
            ..for_shopper(1024, 5551)
        });
        let said = format!("{}\u{a0}000", sum / 1_000);
        world.telegram.until(SHOPPER, |arrived| arrived.iter().any(|told| told.text.contains(&said))).await;
    }
    bot.stop().await;
}

/// Posts an order whose money came when its goods were sold out.
async fn posted_without_goods(world: &World) -> i64 {
    is_paid(world, 1024).await;
    records::change(&world.shop.documents, 1024_i64, |order: &mut ShopOrder| {
        if let OrderState::Paid { sale, .. } = &mut order.state {
            sale.missing = vec![pieces(2)];
            sale.payment.late = true;
        }
    })
    .await
    .unwrap();
    world.bus.deliver(&for_staff(1024));
    world.bus.until_empty().await;
    let post = world.telegram.arrived(STAFF).pop().unwrap();
    world.telegram.number_of(&post.text)
}

#[tokio::test]
async fn late_money_without_goods_is_decided_on_the_post_once() {
    let (world, _ledger) = world().await;
    let bot = world.run_bot();
    let number = posted_without_goods(&world).await;
    let post = world.telegram.arrived(STAFF).pop().unwrap();
    for button in ["1:alm:1024:w", "1:alm:1024:o", "1:ar:1024"] {
        assert!(post.buttons.to_string().contains(button), "{}", post.buttons);
    }
    assert!(world.telegram.arrived(SHOPPER).is_empty(), "nothing happens by itself");
    let decided = taps(&world, OWNER, number, &["1:alm:1024:w"]).await;
    assert!(!decided.buttons.to_string().contains("1:alm"), "{}", decided.buttons);
    world.telegram.tap_in_channel(PARTNER, (STAFF, number), "1:alm:1024:o");
    world.telegram.until_toasts(2).await;
    bot.stop().await;
    assert_eq!(world.telegram.arrived(SHOPPER).len(), 1);
    let history = stored(&world, 1024).await.history;
    assert_eq!(history.len(), 1, "{history:?}");
}

#[tokio::test]
async fn what_is_decided_about_missing_goods_is_told_when_telegram_takes_it() {
    let (world, _ledger) = world().await;
    let bot = world.run_bot();
    let post = posted_without_goods(&world).await;
    world.telegram.will_answer(SHOPPER, [Answer::Refuse(502, "Bad Gateway")]);
    taps(&world, OWNER, post, &["1:alm:1024:w"]).await;
    bot.stop().await;
    assert!(world.telegram.shown(SHOPPER).is_empty());
    world.clock.advance(time::Duration::minutes(1));
    let bot = world.run_bot();
    world.telegram.until(SHOPPER, |arrived| arrived.iter().any(|message| message.shown)).await;
    bot.stop().await;
}
