//! Events that contradict the order that the shop has under their number: a store was lost, or restored from an old copy.

use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{
    ClickPaydocId, ClickTransId, Event, EventKind,
    notification::{Announcement, notifications_for},
    payment::Anomaly,
};
use tolov_shop::order::{HistoryItem, ShopOrder, Stage, Stock};

use crate::shop::{
    TEA, completed, event, expired, left, minutes, open_shop, order, payment, pieces, placed, settle,
    shopper, soum, user_id, waiting,
};

async fn shop_with_an_order() -> MemoryDocuments {
    let shop = MemoryDocuments::default();
    open_shop(&shop).await;
    placed(&shop, 1, &[pieces(TEA, 2)]).await;
    shop
}

fn order_1() -> ShopOrder {
    waiting(1, &[pieces(TEA, 2)])
}

/// A payment of order 1 with another transaction than [`payment`].
fn second_payment() -> Event {
    let mut event = completed(&order_1(), false);
    if let EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, .. } = &mut event.kind {
        *click_trans_id = ClickTransId::try_new(777).unwrap();
        *click_paydoc_id = ClickPaydocId::try_new(3003).unwrap();
    }
    event.occurred_at = minutes(30);
    event
}

/// The order without its history.
fn facts(order: ShopOrder) -> ShopOrder {
    ShopOrder { history: Vec::new(), ..order }
}

#[tokio::test]
async fn an_event_of_another_shopper_or_amount_is_not_applied_and_staff_are_asked() {
    let stranger = ShopOrder { user_id: user_id(6662), ..order_1() };
    let dearer = ShopOrder { total: soum(99_000), ..order_1() };
    for other in [stranger, dearer] {
        for event in [completed(&other, false), expired(&other)] {
            let shop = shop_with_an_order().await;
            for _ in 0..2 {
                let settled = settle(&shop, std::slice::from_ref(&event)).await.remove(0);
                assert_eq!(settled.announcement, Announcement::Question(Anomaly::OrderDiffers));
                assert_eq!(settled.stage, Some(Stage::AwaitingPayment));
                assert_eq!(settled.lines[0].title, "Choy", "named by the catalogue");
                let stored = order(&shop, 1).await;
                let questioned = HistoryItem::PaymentQuestioned(Anomaly::OrderDiffers);
                assert_eq!(stored.history.iter().map(|entry| entry.what).collect::<Vec<_>>(), [questioned]);
                assert_eq!(facts(stored), order_1());
                assert_eq!(left(&shop, TEA).await, 8);
                assert_eq!(shopper(&shop).await.order_count, 0);
            }
        }
    }
}

#[tokio::test]
async fn the_rightful_event_is_applied_beside_one_that_differs() {
    let shop = shop_with_an_order().await;
    let stranger = ShopOrder { user_id: user_id(6662), ..order_1() };
    let settled = settle(&shop, &[expired(&stranger), completed(&order_1(), false)]).await;
    let announced: Vec<Announcement> = settled.iter().map(|settled| settled.announcement).collect();
    let question = Announcement::Question(Anomaly::OrderDiffers);
    assert_eq!(announced, [question, Announcement::Event { stock_settled: true }]);
    assert_eq!((order(&shop, 1).await.stage(), left(&shop, TEA).await), (Stage::Paid, 8));
}

#[tokio::test]
async fn a_second_payment_is_a_question_with_an_id_of_its_own_and_the_first_one_stays() {
    for in_one_batch in [true, false] {
        let shop = shop_with_an_order().await;
        let (first, second) = (completed(&order_1(), false), second_payment());
        assert_eq!(first.id, second.id, "event ids name the order");
        if in_one_batch {
            settle(&shop, &[first.clone(), second.clone()]).await;
        } else {
            settle(&shop, std::slice::from_ref(&first)).await;
        }
        let settled = settle(&shop, &[first.clone(), second.clone()]).await;
        assert_eq!(settled[0].announcement, Announcement::Event { stock_settled: true });
        assert_eq!(settled[1].announcement, Announcement::Question(Anomaly::PaidTwice));
        let told = notifications_for(&second, &settled[1].lines, settled[1].announcement);
        assert_eq!(told[0].notification_id.as_str(), "payment.completed:1:777:paid_twice/staff");
        let stored = order(&shop, 1).await;
        assert_eq!((stored.payment(), stored.stock), (Some(&payment()), Stock::Committed));
        let questioned = HistoryItem::PaymentQuestioned(Anomaly::PaidTwice);
        assert_eq!(stored.history.iter().filter(|entry| entry.what == questioned).count(), 1);
        assert_eq!((left(&shop, TEA).await, shopper(&shop).await.order_count), (8, 1));
    }
}

#[tokio::test]
async fn the_same_payment_under_another_prepare_id_is_a_repetition() {
    let shop = shop_with_an_order().await;
    let mut again = completed(&order_1(), false);
    settle(&shop, std::slice::from_ref(&again)).await;
    if let EventKind::PaymentCompleted { merchant_prepare_id, .. } = &mut again.kind {
        *merchant_prepare_id = tolov_domain::PrepareId::try_new(1_000_077).unwrap();
    }
    let settled = settle(&shop, &[again]).await;
    assert_eq!(settled[0].announcement, Announcement::Event { stock_settled: true });
    assert_eq!(order(&shop, 1).await.history.len(), 1);
}

#[tokio::test]
async fn of_two_events_of_an_unknown_order_that_differ_the_first_makes_it() {
    let shop = MemoryDocuments::default();
    open_shop(&shop).await;
    let stranger = ShopOrder { user_id: user_id(6662), ..order_1() };
    let kind = EventKind::OrderExpired;
    let settled = settle(&shop, &[completed(&order_1(), false), event(&stranger, kind, minutes(2))]).await;
    assert_eq!(settled[1].announcement, Announcement::Question(Anomaly::OrderDiffers));
    let made = order(&shop, 1).await;
    assert_eq!((made.user_id, made.stage(), left(&shop, TEA).await), (user_id(5551), Stage::Paid, 8));
}
