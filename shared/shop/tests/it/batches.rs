//! What batches of events do to orders, carts and counts, in any order and with repetitions.

use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{
    ClickPaydocId, ClickTransId, Event, EventKind, OrderId, OrderedProduct, PrepareId, Tiyin, UserId,
    order::OrderLine,
    payment::{Anomaly, ClickError},
    ports::documents::Documents,
    time::Timestamp,
};
use tolov_shop::{
    order::{self, HistoryItem, OrderAction, OrderState, ShopOrder, Stage, Stock},
    records,
    shopper::{self, Shopper},
};

use crate::shop::{NOON, article_id, awaiting, pieces, settle, soum};

/// The price of one piece of every product.
const PRICE: i64 = 15_000;

/// An order of a shopper, and what can happen to it.
#[derive(Debug, Clone)]
struct Purchase {
    order_id: OrderId,
    user_id: UserId,
    products: Vec<OrderedProduct>,
}

fn purchase(order: i64, user: i64, products: &[(i64, u32)]) -> Purchase {
    Purchase {
        order_id: crate::shop::order_id(order),
        user_id: crate::shop::user_id(user),
        products: products.iter().map(|(id, count)| pieces(*id, *count)).collect(),
    }
}

fn at(second: i64) -> Timestamp {
    NOON + time::Duration::seconds(second)
}

impl Purchase {
    fn total(&self) -> Tiyin {
        let pieces: u32 = self.products.iter().map(|product| product.count).sum();
        soum(PRICE).checked_times(pieces).unwrap()
    }

    fn order(&self) -> ShopOrder {
        let line = |product: &OrderedProduct| OrderLine {
            product_id: product.product_id,
            count: product.count,
            title: format!("Non №{}", product.product_id),
            price: Some(soum(PRICE)),
            portion: None,
            fiscal: None,
        };
        ShopOrder {
            id: self.order_id,
            user_id: self.user_id,
            lines: self.products.iter().map(line).collect(),
            total: self.total(),
            placed_at: at(self.order_id.get()),
            terms: None,
            state: awaiting(),
            stock: Stock::Held,
            refunds: Vec::new(),
            receipt_url: None,
            history: Vec::new(),
        }
    }

    fn event(&self, kind: EventKind, second: i64) -> Event {
        Event {
            id: Event::id_of(self.order_id, &kind),
            order_id: self.order_id,
            user_id: self.user_id,
            products: self.products.clone(),
            amount: self.total(),
            occurred_at: at(second),
            kind,
        }
    }

    fn click_ids(&self) -> (ClickTransId, ClickPaydocId) {
        let number = self.order_id.get();
        (
            ClickTransId::try_new(3_600_000_000 + number).unwrap(),
            ClickPaydocId::try_new(2_000 + number).unwrap(),
        )
    }

    fn completed(&self, second: i64) -> Event {
        self.completed_at(second, false)
    }

    fn completed_at(&self, second: i64, late: bool) -> Event {
        let (click_trans_id, click_paydoc_id) = self.click_ids();
        let merchant_prepare_id = PrepareId::try_new(7).unwrap();
        let kind = EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, merchant_prepare_id, late };
        self.event(kind, second)
    }

    /// `attempt` tells the cancelled attempts of one order apart.
    fn cancelled(&self, attempt: i64, second: i64) -> Event {
        let (click_trans_id, click_paydoc_id) = self.click_ids();
        let kind = EventKind::PaymentCancelled {
            click_trans_id,
            click_paydoc_id,
            merchant_prepare_id: PrepareId::try_new(attempt).unwrap(),
            error: ClickError::from_code(-5017).unwrap(),
        };
        self.event(kind, second)
    }

    fn questioned(&self, anomaly: Anomaly, second: i64) -> Event {
        let (click_trans_id, click_paydoc_id) = self.click_ids();
        let kind = EventKind::PaymentQuestioned {
            click_trans_id,
            click_paydoc_id,
            merchant_prepare_id: None,
            click_amount: None,
            anomaly,
        };
        self.event(kind, second)
    }

    fn expired(&self, second: i64) -> Event {
        self.event(EventKind::OrderExpired, second)
    }

    /// Fills the shopper's cart with the products and stores the order: the state just after checkout.
    async fn check_out(&self, shop: &dyn Documents) {
        for product in &self.products {
            set_cart_line(shop, self.user_id, *product).await;
        }
        records::insert(shop, &self.order()).await.unwrap();
    }

    async fn stored(&self, shop: &dyn Documents) -> ShopOrder {
        order::order(shop, self.order_id).await.unwrap().unwrap()
    }
}

async fn set_cart_line(shop: &dyn Documents, id: UserId, line: OrderedProduct) {
    shopper::change(shop, id, |shopper| shopper.set_cart_line(line)).await.unwrap();
}

async fn user(shop: &dyn Documents, id: UserId) -> Shopper {
    shopper::shopper(shop, id).await.unwrap().unwrap()
}

/// The cart as pairs of product and count, by product.
async fn cart(shop: &dyn Documents, id: UserId) -> Vec<(i64, u32)> {
    let lines = user(shop, id).await.cart;
    let mut pairs: Vec<_> = lines.iter().map(|line| (line.product_id.get(), line.count)).collect();
    pairs.sort_unstable();
    pairs
}

/// What the history of an order says.
fn told(order: &ShopOrder) -> Vec<HistoryItem> {
    order.history.iter().map(|entry| entry.what).collect()
}

const PAID: HistoryItem = HistoryItem::Action(OrderAction::Paid);
const EXPIRED: HistoryItem = HistoryItem::Action(OrderAction::Expired);

#[tokio::test]
async fn a_payment_takes_what_was_bought_out_of_the_cart_and_leaves_later_additions() {
    let shop = MemoryDocuments::default();
    let bought = purchase(1024, 5551, &[(7, 2), (8, 1)]);
    bought.check_out(&shop).await;
    set_cart_line(&shop, bought.user_id, pieces(7, 5)).await;
    set_cart_line(&shop, bought.user_id, pieces(9, 4)).await;
    assert_eq!(cart(&shop, bought.user_id).await, [(7, 5), (8, 1), (9, 4)]);
    settle(&shop, &[bought.completed(60)]).await;
    assert_eq!(cart(&shop, bought.user_id).await, [(7, 3), (9, 4)]);
    let paid = bought.stored(&shop).await;
    assert_eq!((paid.lines, paid.placed_at), (bought.order().lines, at(1024)), "those of checkout");
}

#[tokio::test]
async fn a_repeated_payment_has_one_effect() {
    let shop = MemoryDocuments::default();
    let bought = purchase(1024, 5551, &[(7, 2)]);
    bought.check_out(&shop).await;
    let first = settle(&shop, &[bought.completed(60)]).await;
    set_cart_line(&shop, bought.user_id, pieces(7, 2)).await;
    for _ in 0..3 {
        assert_eq!(settle(&shop, &[bought.completed(60)]).await, first);
    }
    assert_eq!(cart(&shop, bought.user_id).await, [(7, 2)], "what was added after the payment stays");
    assert_eq!(user(&shop, bought.user_id).await.order_count, 1);
    assert_eq!(told(&bought.stored(&shop).await), [PAID]);
}

#[tokio::test]
async fn one_batch_may_hold_the_same_event_twice() {
    let shop = MemoryDocuments::default();
    let bought = purchase(1024, 5551, &[(7, 2)]);
    bought.check_out(&shop).await;
    set_cart_line(&shop, bought.user_id, pieces(7, 5)).await;
    let event = bought.completed(60);
    let answered = settle(&shop, &[event.clone(), event.clone(), event]).await;
    assert_eq!(answered.len(), 3);
    assert!(answered.iter().all(|answer| *answer == answered[0] && answer.stage == Some(Stage::Paid)));
    assert_eq!(cart(&shop, bought.user_id).await, [(7, 3)]);
    assert_eq!(user(&shop, bought.user_id).await.order_count, 1);
}

#[tokio::test]
async fn several_orders_of_one_shopper_in_one_batch_all_count() {
    let shop = MemoryDocuments::default();
    let mut events = Vec::new();
    for number in 1..=4 {
        let bought = purchase(number, 5551, &[(7, 2), (number + 10, 1)]);
        // The fourth order is one that the store never saw.
        if number < 4 {
            bought.check_out(&shop).await;
        }
        events.push(bought.completed(60 + number));
    }
    let shopper = events[0].user_id;
    set_cart_line(&shop, shopper, pieces(7, 9)).await;
    let answered = settle(&shop, &events).await;
    assert!(answered.iter().all(|answer| answer.stage == Some(Stage::Paid)), "{answered:?}");
    assert_eq!(user(&shop, shopper).await.order_count, 4);
    assert_eq!(cart(&shop, shopper).await, [(7, 1)]);
}

#[tokio::test]
async fn every_kind_of_event_leaves_one_entry_in_the_history() {
    let shop = MemoryDocuments::default();
    let bought = purchase(1024, 5551, &[(7, 2)]);
    bought.check_out(&shop).await;
    let events = [
        (bought.cancelled(1, 10), HistoryItem::PaymentCancelled),
        (bought.cancelled(2, 20), HistoryItem::PaymentCancelled),
        (bought.expired(30), EXPIRED),
        (bought.completed_at(40, true), PAID),
        (
            bought.questioned(Anomaly::CancelAfterPaid, 50),
            HistoryItem::PaymentQuestioned(Anomaly::CancelAfterPaid),
        ),
    ];
    for (event, _) in &events {
        for _ in 0..2 {
            settle(&shop, std::slice::from_ref(event)).await;
        }
    }
    let history = bought.stored(&shop).await.history;
    assert_eq!(history.len(), events.len());
    for (entry, (event, what)) in history.iter().zip(&events) {
        assert_eq!(
            (entry.event_id.as_ref(), entry.at, entry.what),
            (Some(&event.id), event.occurred_at, *what)
        );
    }
}

#[tokio::test]
async fn the_history_is_oldest_first_in_whatever_order_events_came() {
    let shop = MemoryDocuments::default();
    let bought = purchase(1024, 5551, &[(7, 2)]);
    bought.check_out(&shop).await;
    settle(&shop, &[bought.questioned(Anomaly::PaidTwice, 50), bought.completed(40)]).await;
    settle(&shop, &[bought.cancelled(1, 10)]).await;
    let expected = [HistoryItem::PaymentCancelled, PAID, HistoryItem::PaymentQuestioned(Anomaly::PaidTwice)];
    assert_eq!(told(&bought.stored(&shop).await), expected);
}

#[tokio::test]
async fn paid_wins_over_expired_in_both_orders_of_arrival() {
    let shop = MemoryDocuments::default();
    let purchases: Vec<_> = (1..=4).map(|number| purchase(number, 5000 + number, &[(7, 2)])).collect();
    for bought in &purchases {
        bought.check_out(&shop).await;
    }
    let both = |bought: &Purchase| [bought.expired(30), bought.completed_at(40, true)];
    settle(&shop, &both(&purchases[0])).await;
    let [expired, completed] = both(&purchases[1]);
    settle(&shop, &[completed, expired]).await;
    for event in both(&purchases[2]) {
        settle(&shop, &[event]).await;
    }
    for event in both(&purchases[3]).into_iter().rev() {
        settle(&shop, &[event]).await;
    }
    for bought in &purchases {
        let paid = bought.stored(&shop).await;
        assert_eq!(paid.stage(), Stage::Paid, "{paid:?}");
        assert_eq!(paid.payment().map(|payment| payment.late), Some(true));
        assert_eq!(told(&paid), [EXPIRED, PAID]);
        assert_eq!(user(&shop, bought.user_id).await.order_count, 1);
        assert_eq!(cart(&shop, bought.user_id).await, []);
    }
}

#[tokio::test]
async fn a_cancelled_or_questioned_payment_changes_the_history_alone() {
    let shop = MemoryDocuments::default();
    let (pending, paid) = (purchase(1, 5551, &[(7, 2)]), purchase(2, 5551, &[(8, 2)]));
    for bought in [&pending, &paid] {
        bought.check_out(&shop).await;
    }
    settle(&shop, &[paid.completed(20)]).await;
    for bought in [&pending, &paid] {
        let before = bought.stored(&shop).await;
        settle(&shop, &[bought.cancelled(1, 30), bought.questioned(Anomaly::AmountDiffers, 40)]).await;
        let after = bought.stored(&shop).await;
        let news = [HistoryItem::PaymentCancelled, HistoryItem::PaymentQuestioned(Anomaly::AmountDiffers)];
        assert!(told(&after).ends_with(&news), "{after:?}");
        assert_eq!(ShopOrder { history: before.history.clone(), ..after }, before);
    }
    assert_eq!(cart(&shop, pending.user_id).await, [(7, 2)]);
    assert_eq!(user(&shop, pending.user_id).await.order_count, 1);
}

#[tokio::test]
async fn an_unknown_order_and_its_shopper_are_made_from_the_event() {
    let shop = MemoryDocuments::default();
    records::insert(&shop, &crate::shop::tea(Some(10)).seal()).await.unwrap();
    let unknown: Vec<_> = (1..=4).map(|number| purchase(number, 5000 + number, &[(9, 1), (7, 2)])).collect();
    let events = [
        (unknown[0].completed(10), Stage::Paid, PAID),
        (unknown[1].expired(20), Stage::Expired, EXPIRED),
        (unknown[2].cancelled(1, 30), Stage::AwaitingPayment, HistoryItem::PaymentCancelled),
        (
            unknown[3].questioned(Anomaly::TransactionReused, 40),
            Stage::AwaitingPayment,
            HistoryItem::PaymentQuestioned(Anomaly::TransactionReused),
        ),
    ];
    for _ in 0..2 {
        settle(&shop, &events.each_ref().map(|(event, ..)| event.clone())).await;
        for (bought, (event, stage, what)) in unknown.iter().zip(&events) {
            let made = bought.stored(&shop).await;
            assert_eq!((made.user_id, made.total, made.stage()), (bought.user_id, bought.total(), *stage));
            assert_eq!((made.products(), made.placed_at), (bought.products.clone(), event.occurred_at));
            let titles: Vec<&str> = made.lines.iter().map(|line| line.title.as_str()).collect();
            assert_eq!(titles, ["", "Choy"], "as the catalogue knows them");
            assert_eq!((told(&made), made.missing()), (vec![*what], &[][..]));
            if *stage == Stage::AwaitingPayment {
                assert_eq!(made.state, OrderState::AwaitingPayment { link: None, cancel_requested_by: None });
                continue;
            }
            if *stage == Stage::Paid {
                let shopper = user(&shop, bought.user_id).await;
                assert_eq!((shopper.order_count, shopper.cart, shopper.phone), (1, vec![], None));
            }
        }
        let tea = tolov_shop::catalogue::product(&shop, article_id(7)).await.unwrap().unwrap();
        assert_eq!((tea.stock, tea.holds), (Some(8), vec![]), "the paid one took its tea");
    }
}

#[tokio::test]
async fn each_event_is_answered_in_the_order_given() {
    let shop = MemoryDocuments::default();
    let purchases: Vec<_> = (1..=20).map(|number| purchase(number, 5000 + number % 3, &[(7, 1)])).collect();
    for bought in &purchases {
        bought.check_out(&shop).await;
    }
    let mut events = Vec::new();
    for bought in purchases.iter().rev().skip(1) {
        events.push(bought.expired(10));
        events.push(purchases[19].cancelled(bought.order_id.get(), 10));
    }
    let answered = settle(&shop, &events).await;
    assert_eq!(answered.len(), events.len());
    for (event, answer) in events.iter().zip(&answered) {
        let is_expiry = event.kind == EventKind::OrderExpired;
        let expected = if is_expiry { Stage::Expired } else { Stage::AwaitingPayment };
        assert_eq!(answer.stage, Some(expected));
        assert_eq!(answer.lines, purchase(event.order_id.get(), 1, &[(7, 1)]).order().lines);
    }
    assert_eq!(settle(&shop, &[]).await, []);
}

#[tokio::test]
async fn shuffled_and_repeated_events_end_where_ordered_ones_do() {
    let shop = MemoryDocuments::default();
    let straight = play(&shop, 0, |events| events.chunks(1).map(<[Event]>::to_vec).collect()).await;
    for round in 1..=12_u32 {
        let shuffled = play(&shop, round, |events| shuffled_batches(events, round)).await;
        assert_eq!(shuffled, straight, "round {round}");
    }
}

#[tokio::test]
async fn several_projectors_with_the_same_events_have_one_effect() {
    let shop = MemoryDocuments::default();
    let purchases: Vec<_> = (1..=12).map(|number| purchase(number, 5000 + number % 2, &[(7, 1)])).collect();
    for bought in purchases.iter().skip(3) {
        bought.check_out(&shop).await;
    }
    let shoppers = [5000, 5001].map(crate::shop::user_id);
    for shopper in shoppers {
        set_cart_line(&shop, shopper, pieces(7, 10)).await;
    }
    let events: Vec<_> = purchases.iter().map(|bought| bought.completed(60)).collect();
    let mut projectors = tokio::task::JoinSet::new();
    for projector in 0..4 {
        let (shop, mut events) = (shop.clone(), events.clone());
        events.rotate_left(projector * 3);
        projectors.spawn(async move {
            for batch in events.chunks(5) {
                settle(&shop, batch).await;
            }
        });
    }
    while let Some(ended) = projectors.join_next().await {
        ended.unwrap();
    }
    for shopper in shoppers {
        assert_eq!(user(&shop, shopper).await.order_count, 6);
        assert_eq!(cart(&shop, shopper).await, [(7, 4)]);
    }
    for bought in &purchases {
        assert_eq!(told(&bought.stored(&shop).await), [PAID]);
    }
}

/// Where the orders and the shoppers of a play are at its end; numbers do not appear, so that plays compare.
type Ending = (Vec<(Stage, Option<bool>, Vec<HistoryItem>)>, Vec<(u32, Vec<(i64, u32)>)>);

/// Two shoppers and five orders of their own a round; `batches` decides how the events arrive.
async fn play(shop: &MemoryDocuments, round: u32, batches: impl Fn(&[Event]) -> Vec<Vec<Event>>) -> Ending {
    let base = i64::from(round) * 10;
    let purchases = [
        purchase(base + 1, base + 1, &[(7, 2)]),
        purchase(base + 2, base + 1, &[(7, 1), (8, 1)]),
        purchase(base + 3, base + 2, &[(8, 3)]),
        purchase(base + 4, base + 2, &[(9, 1)]),
        purchase(base + 5, base + 2, &[(7, 1)]),
    ];
    for bought in &purchases[..4] {
        records::insert(shop, &bought.order()).await.unwrap();
    }
    let shoppers = [purchases[0].user_id, purchases[2].user_id];
    for shopper in shoppers {
        for id in [7, 8, 9] {
            set_cart_line(shop, shopper, pieces(id, 3)).await;
        }
    }
    let [first, second, third, fourth, fifth] = &purchases;
    let events = [
        first.cancelled(1, 10),
        first.completed(20),
        second.expired(30),
        second.completed_at(40, true),
        third.completed(50),
        third.questioned(Anomaly::PaidTwice, 60),
        fourth.expired(70),
        fifth.completed(80),
    ];
    for batch in batches(&events) {
        settle(shop, &batch).await;
    }
    let mut orders = Vec::new();
    for bought in &purchases {
        let order = bought.stored(shop).await;
        orders.push((order.stage(), order.payment().map(|payment| payment.late), told(&order)));
    }
    let mut users = Vec::new();
    for shopper in shoppers {
        users.push((user(shop, shopper).await.order_count, cart(shop, shopper).await));
    }
    (orders, users)
}

/// Every event twice, mixed, in batches of changing size; the same for the same seed.
fn shuffled_batches(events: &[Event], seed: u32) -> Vec<Vec<Event>> {
    let mut remaining: Vec<_> = events.iter().chain(events).cloned().collect();
    let mut shuffled = Vec::new();
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    while !remaining.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // The low bits of this generator repeat soon; the high ones do not.
        let place = usize::try_from(state >> 16).unwrap_or(0) % remaining.len();
        shuffled.push(remaining.swap_remove(place));
    }
    let size = usize::try_from(seed % 5).unwrap_or(0) + 1;
    shuffled.chunks(size).map(<[Event]>::to_vec).collect()
}
