use time::macros::{date, datetime};
use tolov_contract::{counting::CountingDocuments, memory::MemoryDocuments};
use tolov_domain::{ClickPaydocId, ClickTransId, Phone, UserId, order::OrderLine};

use super::*;
use crate::order::{
    Actor, Delivery, HistoryEntry, OrderAction, OrderState, PaymentFacts, PaymentLink, Progress, Sale, Stock,
    Terms,
};

const NOW: Timestamp = datetime!(2026-03-04 12:00 UTC);

fn soum(soum: i64) -> Tiyin {
    Tiyin::from_soum(soum).unwrap()
}

fn line(article: i64, title: &str, count: u32, price: i64) -> OrderLine {
    let product_id = ProductId::try_new(article).unwrap();
    OrderLine {
        product_id,
        count,
        title: title.to_owned(),
        price: Some(soum(price)),
        portion: None,
        fiscal: None,
    }
}

/// An order of one tea that awaits its payment.
fn placed(number: i64, shopper: i64, placed_at: Timestamp) -> ShopOrder {
    let done = |action| HistoryEntry::of_action(action, Actor::Shopper, placed_at);
    ShopOrder {
        id: OrderId::try_new(number).unwrap(),
        user_id: UserId::try_new(shopper).unwrap(),
        lines: vec![line(1, "Choy", 1, 10_000)],
        total: soum(10_000),
        placed_at,
        terms: Some(Terms {
            goods: soum(10_000),
            discount: Tiyin::ZERO,
            promo_code: None,
            delivery_price: Tiyin::ZERO,
            delivery: Delivery::Pickup,
            phone: Phone::parse("+998901234567").unwrap(),
            comment: None,
        }),
        state: OrderState::AwaitingPayment {
            link: Some(PaymentLink { url: "https://my.click.uz".to_owned(), pay_until: None }),
            cancel_requested_by: None,
        },
        stock: Stock::Held,
        refunds: Vec::new(),
        receipt_url: None,
        history: vec![done(OrderAction::Placed), done(OrderAction::Registered)],
    }
}

fn sale(paid_at: Timestamp) -> Sale {
    let payment = PaymentFacts {
        click_trans_id: ClickTransId::try_new(1).unwrap(),
        click_paydoc_id: ClickPaydocId::try_new(2_000_000_001).unwrap(),
        paid_at,
        late: false,
    };
    Sale { payment, missing: Vec::new() }
}

fn paid(number: i64, shopper: i64, placed_at: Timestamp, paid_at: Timestamp) -> ShopOrder {
    let state = OrderState::Paid { sale: sale(paid_at), progress: Progress::New };
    ShopOrder { state, ..placed(number, shopper, placed_at) }
}

async fn stored(orders: impl IntoIterator<Item = ShopOrder>) -> MemoryDocuments {
    let documents = MemoryDocuments::default();
    for order in orders {
        records::insert(&documents, &order).await.unwrap();
    }
    documents
}

#[tokio::test]
async fn a_payment_counts_on_its_day_in_tashkent_unless_it_was_refunded() {
    // Half an hour before midnight in Tashkent, and half an hour after.
    let (evening, night) = (datetime!(2026-03-02 18:30 UTC), datetime!(2026-03-02 19:30 UTC));
    let state = OrderState::Refunded { sale: sale(evening), at: night, goods_left: false };
    let refunded = ShopOrder { state, ..paid(4, 7, evening, evening) };
    let documents = stored([
        paid(1, 5, evening, evening),
        paid(2, 5, evening, night),
        paid(3, 6, night, night + Duration::minutes(30)),
        refunded,
        placed(5, 8, night),
    ])
    .await;
    let figures = statistics(&documents, Period::Days, NOW).await.unwrap();
    let sold: Vec<Step> = figures.steps.iter().copied().filter(|step| step.sold_orders > 0).collect();
    let step = |from, sales, sold_orders| Step { from, sales: soum(sales), sold_orders };
    assert_eq!(sold, [step(date!(2026 - 03 - 02), 10_000, 1), step(date!(2026 - 03 - 03), 20_000, 2)]);
    assert_eq!(
        (figures.sales, figures.sold_orders, figures.buyers, figures.average_order()),
        (soum(30_000), 3, 2, Some(soum(10_000)))
    );
    assert_eq!((figures.placed, figures.placed_and_paid), (5, 4));
    assert_eq!(figures.conversion_permille(), Some(800));
    assert_eq!(figures.paid_after, Some(Duration::minutes(30)));
    let weeks = statistics(&documents, Period::Weeks, NOW).await.unwrap();
    assert_eq!(weeks.steps.last(), Some(&step(date!(2026 - 03 - 02), 30_000, 3)));
}

#[tokio::test]
async fn an_order_from_before_the_period_that_was_paid_in_it_is_a_sale_of_the_period() {
    let first = Period::Days.from(NOW);
    let order = paid(1, 5, first - Duration::hours(1), first + Duration::hours(1));
    let documents = stored([order]).await;
    let figures = statistics(&documents, Period::Days, NOW).await.unwrap();
    assert_eq!((figures.steps[0].sold_orders, figures.placed), (1, 0));
}

#[tokio::test]
async fn an_order_that_could_never_be_paid_was_not_placed() {
    let mut creating = placed(1, 5, NOW);
    creating.history.truncate(1);
    let state = OrderState::Cancelled { by: Actor::Clock, sale: None };
    let given_up = ShopOrder { state, ..creating };
    let documents = stored([given_up]).await;
    let figures = statistics(&documents, Period::Months, NOW).await.unwrap();
    assert_eq!((figures.placed, figures.conversion_permille(), figures.paid_after), (0, None, None));
    assert_eq!(figures.average_order(), None);
}

#[tokio::test]
async fn what_a_refund_gave_back_is_neither_sold_nor_earned() {
    let mut order = paid(1, 5, NOW - Duration::hours(2), NOW - Duration::hours(1));
    order.lines = vec![line(1, "Choy", 3, 10_000)];
    order.total = soum(30_000);
    order.refunds = vec![crate::order::OrderRefund {
        refund_id: None,
        amount: soum(10_000),
        by_hand: true,
        returned: vec![order.lines[0].product()],
        is_restocked: true,
        is_told: true,
        at: NOW,
    }];
    order.refunds[0].returned[0].count = 1;
    let figures = statistics(&stored([order]).await, Period::Days, NOW).await.unwrap();
    assert_eq!((figures.sales, figures.sold_orders), (soum(20_000), 1));
    let best = &figures.best_by_money[0];
    assert_eq!((best.pieces, best.money), (2, soum(20_000)));
}

#[tokio::test]
async fn best_sellers_are_ranked_by_money_and_by_pieces() {
    let mut two = paid(2, 6, NOW, NOW);
    two.lines = vec![line(1, "Ko'k choy", 4, 10_000), line(3, "Futbolka · M", 1, 90_000)];
    let documents = stored([paid(1, 5, NOW, NOW), two]).await;
    let figures = statistics(&documents, Period::Days, NOW).await.unwrap();
    let seller = |article, title: &str, pieces, money| Seller {
        article_id: ProductId::try_new(article).unwrap(),
        title: title.to_owned(),
        pieces,
        portion: None,
        money: soum(money),
    };
    let (tea, shirt) = (seller(1, "Ko'k choy", 5, 50_000), seller(3, "Futbolka · M", 1, 90_000));
    assert_eq!(figures.best_by_money, [shirt.clone(), tea.clone()]);
    assert_eq!(figures.best_by_pieces, [tea, shirt]);
}

#[tokio::test]
async fn every_order_is_counted_once_across_pages() {
    // Three a millisecond, so that pages end among orders of the same time.
    let orders = (1..=1_700).map(|number| placed(number, 5, NOW - Duration::milliseconds(number / 3)));
    let documents = stored(orders).await;
    let figures = statistics(&documents, Period::Days, NOW).await.unwrap();
    assert_eq!((figures.placed, figures.is_cut), (1_700, false));
    let mut seen = 0;
    let is_whole =
        each_order(&documents, (NOW - Duration::days(1), NOW), 1_000, |_| seen += 1).await.unwrap();
    assert_eq!((seen, is_whole), (1_000, false));
}

#[tokio::test]
async fn of_too_many_orders_those_of_the_latest_days_are_counted() {
    let orders = (0..12).map(|number| placed(number + 1, 5, NOW - Duration::hours(number * 6)));
    let documents = stored(orders).await;
    let (mut seen, begin) = (Vec::new(), NOW - Duration::days(10));
    let is_whole = each_order(&documents, (begin, NOW), 10, |order| seen.push(order.id.get())).await.unwrap();
    assert!(!is_whole);
    assert_eq!(seen.last(), Some(&1), "the newest order is among them");
    assert_eq!(seen, (1..=i64::try_from(seen.len()).unwrap()).rev().collect::<Vec<_>>());
    assert!((5..=10).contains(&seen.len()), "{seen:?}");
}

#[tokio::test]
async fn orders_and_sales_are_exported_with_guarded_cells() {
    let mut order = paid(1001, 5551, datetime!(2026-03-03 20:05 UTC), datetime!(2026-03-03 20:07:59 UTC));
    order.terms.as_mut().unwrap().promo_code = Some("-XUSH10".to_owned());
    order.lines = vec![line(1, "=Choy", 2, 5_000), line(3, "Non; issiq", 1, 3_000)];
    let documents = stored([order, placed(1002, 5551, NOW)]).await;
    let table = orders_csv(&documents, (Period::Days.from(NOW), NOW)).await.unwrap();
    assert_eq!((table.orders, table.is_cut), (2, false));
    assert_eq!(
        String::from_utf8(table.file).unwrap(),
        "\u{feff}number;placed_at;paid_at;stage;shopper_id;phone;goods;discount;promo_code;delivery;total;\
         click_number;late;lines\r\n\
         1001;2026-03-04 01:05;2026-03-04 01:07;paid;5551;'+998901234567;10000;0;'-XUSH10;0;10000;2000000001;no;\
         \"'=Choy × 2 = 10000, Non; issiq × 1 = 3000\"\r\n\
         1002;2026-03-04 17:00;;awaiting_payment;5551;'+998901234567;10000;0;;0;10000;;no;Choy × 1 = 10000\r\n"
    );
    let figures = statistics(&documents, Period::Months, NOW).await.unwrap();
    let sales = String::from_utf8(sales_csv(&figures)).unwrap();
    assert!(sales.starts_with("\u{feff}from;sold_orders;sales\r\n2025-04-01;0;0\r\n"), "{sales}");
    assert!(sales.ends_with("\r\n2026-03-01;1;10000\r\n"), "{sales}");
}

/// What a change of the order's state does, as an action of staff does it.
async fn refund(documents: &MemoryDocuments, number: i64, at: Timestamp) {
    records::change(documents, number, |order: &mut ShopOrder| {
        order.apply(OrderAction::Cancelled, Actor::Clock, at);
        order.apply(OrderAction::Refunded, Actor::Clock, at);
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn an_order_that_changes_is_counted_anew_however_old_it_is() {
    let (long_ago, today) = (NOW - Duration::days(200), NOW - Duration::hours(1));
    let documents = stored([paid(1, 5, long_ago, long_ago), placed(2, 6, today)]).await;
    let figures = async |now| {
        let figures = statistics(&documents, Period::Months, now).await.unwrap();
        (figures.sold_orders, figures.sales, figures.placed, figures.buyers)
    };
    assert_eq!(figures(NOW).await, (1, soum(10_000), 2, 1));
    records::change(&documents, 2, |order: &mut ShopOrder| *order = paid(2, 6, today, NOW)).await.unwrap();
    assert_eq!(
        figures(NOW + Duration::minutes(1)).await.0,
        1,
        "its change is of no time that is looked through"
    );
    let later = NOW + Duration::minutes(61);
    assert_eq!(figures(later).await, (2, soum(20_000), 2, 2), "the last days are counted anew every hour");
    refund(&documents, 1, later).await;
    assert_eq!(figures(later).await, (1, soum(10_000), 2, 1));
    // Days later its day is over, and counted as a whole.
    let days_later = NOW + Duration::days(5);
    assert_eq!(figures(days_later).await, (1, soum(10_000), 2, 1));
    refund(&documents, 2, days_later).await;
    assert_eq!(figures(days_later).await.0, 0);
}

#[tokio::test]
async fn figures_cost_the_same_whatever_the_number_of_orders() {
    let cost = async |orders_a_day: i64| {
        let order = |number: i64| {
            let at = NOW - Duration::hours(6) - Duration::days(number / orders_a_day);
            paid(number + 1, number + 1, at, at)
        };
        let store = std::sync::Arc::new(stored((0..orders_a_day * 40).map(order)).await);
        statistics(&*store, Period::Months, NOW).await.unwrap();
        let documents = CountingDocuments::new(std::sync::Arc::clone(&store));
        let figures = statistics(&documents, Period::Months, NOW + Duration::minutes(1)).await.unwrap();
        assert_eq!(i64::from(figures.sold_orders), orders_a_day * 40);
        documents.calls().total()
    };
    let (few, many) = (cost(1).await, cost(50).await);
    assert_eq!(few, many);
    // A year's days come a month at a time.
    assert!(few <= 16, "{few}");
}

#[tokio::test]
async fn the_best_of_many_articles_are_kept_of_a_day() {
    let order = |number: i64| {
        let at = NOW - Duration::days(10);
        let lines = vec![line(number, "Choy", 1, 1_000 + number)];
        ShopOrder { lines, ..paid(number, number, at, at) }
    };
    let documents = stored((1..=300).map(order)).await;
    let figures = statistics(&documents, Period::Days, NOW).await.unwrap();
    assert_eq!(figures.best_by_money[0].article_id, ProductId::try_new(300).unwrap());
    assert_eq!((figures.best_by_money.len(), figures.sold_orders), (10, 300));
    let mut days = Vec::new();
    let day = date!(2026 - 02 - 22);
    days::each(&documents, (day, day), |day| days.push(serde_json::to_value(day).unwrap())).await.unwrap();
    assert_eq!(days[0]["whole"]["sold"][0]["articles"].as_array().unwrap().len(), 200);
}

#[tokio::test]
async fn the_days_of_a_year_are_shown_each_once_and_in_order() {
    let at = |days: i64| NOW - Duration::days(days);
    let documents = stored((0..390).map(|days| paid(days + 1, 1, at(days), at(days)))).await;
    while !refresh(&documents, NOW).await.unwrap() {}
    let (from, to) = (day_of(at(370)), day_of(NOW));
    let mut dates = Vec::new();
    days::each(&documents, (from, to), |day| dates.push(day.date())).await.unwrap();
    let expected: Vec<Date> = (0..=370).rev().map(|days| day_of(at(days))).collect();
    assert_eq!(dates, expected);
}
