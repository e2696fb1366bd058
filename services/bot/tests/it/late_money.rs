//! Money that came late, or of which CLICK knows more than the ledger: LATE_MONEY, and "accept as paid".

use tolov_bot::LateMoney;
use tolov_domain::{
    ClickPaydocId, EventId, PrepareId,
    notification::{Notification, Subject},
    payment::Anomaly,
};
use tolov_shop::{
    order::{OrderState, ShopOrder},
    records,
    staff::{self, Action},
};

use crate::{
    orders::{is_paid, stored},
    refunds::{OWNER, PARTNER, SHOPPER, pieces, world},
    world::{STAFF, World, for_staff},
};

const COURIER: i64 = 3;

/// Order 1024 is paid late, and its goods are sold out.
async fn is_paid_late(world: &World) {
    is_paid(world, 1024).await;
    records::change(&world.shop.documents, 1024_i64, |order: &mut ShopOrder| {
        if let OrderState::Paid { sale, .. } = &mut order.state {
            sale.missing = vec![pieces(2)];
            sale.payment.late = true;
        }
    })
    .await
    .unwrap();
}

async fn is_delivered_twice(world: &World) {
    let bot = world.run_bot();
    for _ in 0..2 {
        world.bus.deliver(&for_staff(1024));
        world.bus.until_empty().await;
    }
    bot.stop().await;
}

#[tokio::test]
async fn late_money_goes_back_by_itself_once_where_the_shop_wants_that() {
    let (mut world, ledger) = world().await;
    world.config.late_money = LateMoney::GiveBack;
    is_paid_late(&world).await;
    is_delivered_twice(&world).await;
    let refunds = ledger.refunds(1024);
    assert_eq!(refunds.len(), 1);
    assert_eq!(
        (refunds[0].requested_by.as_str(), refunds[0].request_id.as_str()),
        ("LATE_MONEY", "late:1024")
    );
    assert_eq!(world.telegram.arrived(STAFF).len(), 1);
}

#[tokio::test]
async fn the_shopper_is_told_to_wait_once_where_the_shop_wants_that() {
    let (mut world, ledger) = world().await;
    world.config.late_money = LateMoney::Wait;
    is_paid_late(&world).await;
    is_delivered_twice(&world).await;
    assert_eq!(world.telegram.arrived(SHOPPER).len(), 1);
    assert_eq!(ledger.refunds(1024), []);
    assert!(stored(&world, 1024).await.missing_choice().is_some());
    let post = world.telegram.arrived(STAFF).pop().unwrap();
    assert!(!post.buttons.to_string().contains("1:alm"), "{}", post.buttons);
}

#[tokio::test]
async fn staff_decide_where_the_money_could_not_go_back_by_itself() {
    let (mut world, ledger) = world().await;
    world.config.late_money = LateMoney::GiveBack;
    is_paid_late(&world).await;
    ledger.is_away(true);
    let bot = world.run_bot();
    world.bus.deliver(&for_staff(1024));
    world.telegram.until(STAFF, |arrived| !arrived.is_empty()).await;
    bot.stop().await;
    let post = world.telegram.arrived(STAFF).pop().unwrap();
    assert!(post.buttons.to_string().contains("1:alm:1024:w"), "{}", post.buttons);
}

/// CLICK shows order 1024 as paid, and no Complete has come.
pub(crate) fn reported_paid() -> Notification {
    Notification {
        notification_id: EventId::new("payment.questioned:1024:77:trans-3647911201:reported_paid/staff"),
        subject: Subject::PaymentQuestioned {
            click_paydoc_id: ClickPaydocId::try_new(2001).ok(),
            click_trans_id: None,
            click_amount_tiyin: None,
            paid_by: None,
            merchant_prepare_id: PrepareId::try_new(77).ok(),
            anomaly: Anomaly::ReportedPaid,
        },
        ..for_staff(1024)
    }
}

#[tokio::test]
async fn an_owner_accepts_a_payment_that_click_shows_and_nobody_else_can() {
    let (world, ledger) = world().await;
    is_paid(&world, 1024).await;
    let bot = world.run_bot();
    world.bus.deliver(&reported_paid());
    world.bus.until_empty().await;
    let post = world.telegram.arrived(STAFF).pop().unwrap();
    assert!(post.buttons.to_string().contains("1:aap:1024:77"), "{}", post.buttons);
    let number = world.telegram.number_of(&post.text);
    for (taps, who) in [(1, COURIER), (2, OWNER), (3, PARTNER)] {
        world.telegram.tap_in_channel(who, (STAFF, number), "1:aap:1024:77");
        world.telegram.until_toasts(taps).await;
    }
    bot.stop().await;
    assert_eq!(
        ledger.accepted(),
        [("77".to_owned(), OWNER.to_string()), ("77".to_owned(), PARTNER.to_string())]
    );
    let order_id = tolov_domain::OrderId::try_new(1024).unwrap();
    let journal = staff::actions_on(&world.shop.documents, order_id).await.unwrap();
    let accepted = Action::PaymentAccepted { order_id };
    assert_eq!(journal.iter().filter(|entry| entry.action == accepted).count(), 1, "{journal:?}");
}
