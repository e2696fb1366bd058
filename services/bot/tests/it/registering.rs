//! Orders and the ledger: numbers that it has given out already, orders that it refuses, orders that it forgot.

use std::{sync::Arc, time::Duration};

use tolov_domain::{ClickPaydocId, ClickTransId, Language, Phone, ProductId, Tiyin, UserId};
use tolov_kit::clock::Clock;
use tolov_shop::{
    catalogue::{Product, product},
    order::{OrderState, PaymentFacts, Progress, Sale, ShopOrder, Stage, Stock, next_order_id, orders_of},
    promo::{Off, PromoCode, promo_code},
    records, shopper,
};

use crate::{
    ledger::Ledger,
    shopfront::{Chat, sells},
    world::World,
};

pub(crate) const SHOPPER: i64 = 5;
const TEA: i64 = 7;
const IN_STOCK: u32 = 10;

pub(crate) async fn world() -> (World, Arc<Ledger>) {
    let mut world = World::new().await;
    let (ledger, url) = Ledger::start().await;
    world.config.webhook_url = url;
    world.config.pickup_address = Some("Bozor 1".to_owned());
    sells(&world, TEA, "Choy", Some(IN_STOCK)).await;
    shopper::change(&world.shop.documents, UserId::try_new(SHOPPER).unwrap(), |shopper| {
        shopper.language = Some(Language::En);
        shopper.phone = Some(Phone::parse("+998901234567").unwrap());
    })
    .await
    .unwrap();
    (world, ledger)
}

/// Two pieces of tea, to be picked up.
pub(crate) async fn check_out(world: &World) {
    let shopper = Chat { world, id: SHOPPER };
    for tap in ["1:sc:7:2", "1:co", "1:cog"] {
        shopper.tap(tap).await;
    }
}

async fn orders(world: &World) -> Vec<ShopOrder> {
    orders_of(&world.shop.documents, UserId::try_new(SHOPPER).unwrap(), 0, 10).await.unwrap()
}

/// Pieces that can be sold, and the orders that hold some.
async fn stock(world: &World) -> (u32, Vec<i64>) {
    let tea = product(&world.shop.documents, ProductId::try_new(TEA).unwrap()).await.unwrap().unwrap();
    (tea.stock.unwrap(), tea.holds.iter().map(|hold| hold.order_id.get()).collect())
}

#[tokio::test]
async fn a_paid_order_whose_stock_was_left_unsettled_is_settled_by_maintenance() {
    let (world, ledger) = world().await;
    let bot = world.run_bot();
    check_out(&world).await;
    bot.stop().await;
    assert_eq!(ledger.registered(), [1001]);
    let payment = PaymentFacts {
        click_trans_id: ClickTransId::try_new(501).unwrap(),
        click_paydoc_id: ClickPaydocId::try_new(2001).unwrap(),
        paid_at: world.clock.now(),
        late: false,
    };
    // Its event is done, but the process died before the stock moved.
    let pay = |order: &mut ShopOrder| {
        order.state =
            OrderState::Paid { sale: Sale { payment, missing: Vec::new() }, progress: Progress::New };
    };
    records::change(&world.shop.documents, 1001, pay).await.unwrap();
    let bot = world.run_bot();
    until("it is settled", async || orders(&world).await[0].stock == Stock::Committed).await;
    bot.stop().await;
    assert_eq!(stock(&world).await, (IN_STOCK - 2, Vec::new()));
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_mins(1), wait).await.is_ok(), "still waiting: {what}");
}

#[tokio::test]
async fn a_number_that_the_ledger_has_given_out_lifts_the_counter_and_the_checkout_goes_on() {
    let (world, ledger) = world().await;
    ledger.has_others(1001..=1003, 5000);
    let bot = world.run_bot();
    check_out(&world).await;
    bot.stop().await;
    let orders = orders(&world).await;
    let [order] = orders.as_slice() else { panic!("nothing is left of the refused number: {orders:?}") };
    // Maintenance may have lifted the counter at the same time.
    let number = order.id.get();
    assert!(number > 5000, "{number}");
    assert_eq!((order.stage(), order.stock), (Stage::AwaitingPayment, Stock::Held));
    assert_eq!(stock(&world).await, (IN_STOCK - 2, vec![number]));
    assert_eq!(ledger.registered(), [number]);
}

#[tokio::test]
async fn the_counter_is_above_the_ledger_before_the_first_order_is_placed() {
    let (world, ledger) = world().await;
    ledger.has_others([], 1_000_000);
    let bot = world.run_bot();
    until("the counter is lifted", async || {
        next_order_id(&world.shop.documents, None).await.unwrap().get() > 1_000_000
    })
    .await;
    check_out(&world).await;
    bot.stop().await;
    let orders = orders(&world).await;
    let [order] = orders.as_slice() else { panic!("{orders:?}") };
    assert!(order.id.get() > 1_000_000 && ledger.registered() == [order.id.get()], "{order:?}");
}

#[tokio::test]
async fn an_order_that_the_ledger_refuses_leaves_nothing_behind_and_the_next_tap_places_another() {
    let (world, ledger) = world().await;
    ledger.refuses_all(true);
    let bot = world.run_bot();
    check_out(&world).await;
    assert_eq!(orders(&world).await, []);
    assert_eq!(stock(&world).await, (IN_STOCK, Vec::new()));
    ledger.refuses_all(false);
    Chat { world: &world, id: SHOPPER }.tap("1:cog").await;
    bot.stop().await;
    let orders = orders(&world).await;
    let [order] = orders.as_slice() else { panic!("{orders:?}") };
    assert_eq!((order.id.get(), order.stage()), (1002, Stage::AwaitingPayment), "a number of its own");
    assert_eq!((stock(&world).await, ledger.registered()), ((IN_STOCK - 2, vec![1002]), vec![1002]));
}

#[tokio::test]
async fn an_answer_after_a_failed_attempt_is_in_the_order_that_is_placed_then() {
    let (world, ledger) = world().await;
    ledger.is_away(true);
    let bot = world.run_bot();
    check_out(&world).await;
    assert_eq!(orders(&world).await[0].stage(), Stage::Creating);
    let shopper = Chat { world: &world, id: SHOPPER };
    shopper.write("Ring twice").await;
    ledger.is_away(false);
    shopper.tap("1:cog").await;
    assert!(ledger.registered().is_empty(), "what is stored is not what is shown: it is shown once more");
    shopper.tap("1:cog").await;
    bot.stop().await;
    let placed = orders(&world).await.into_iter().find(|order| order.stage() == Stage::AwaitingPayment);
    let placed = placed.unwrap();
    assert_eq!(placed.terms.unwrap().comment.as_deref(), Some("Ring twice"));
    assert_eq!(ledger.registered(), [placed.id.get()]);
    assert_eq!(stock(&world).await, (IN_STOCK - 2, vec![placed.id.get()]), "the first holds nothing");
}

#[tokio::test]
async fn the_cart_opens_while_the_ledger_is_away() {
    let (world, ledger) = world().await;
    ledger.is_away(true);
    let bot = world.run_bot();
    check_out(&world).await;
    Chat { world: &world, id: SHOPPER }.tap("1:k").await;
    bot.stop().await;
    let shown = world.telegram.edited(&SHOPPER.to_string()).pop().unwrap();
    assert!(shown.text.contains("Choy"), "{}", shown.text);
}

#[tokio::test]
async fn an_unpaid_order_that_is_replaced_is_cancelled_and_its_pieces_and_promo_code_go_into_the_new_one() {
    let (world, ledger) = world().await;
    let code = PromoCode {
        code: "BAHOR".to_owned(),
        off: Off::Percent(10),
        goods_min: Tiyin::ZERO,
        uses_max: 1,
        uses_per_shopper_max: 1,
        expires_at: None,
        active: true,
        uses: Vec::new(),
    };
    records::insert(&world.shop.documents, &code).await.unwrap();
    let user_id = UserId::try_new(SHOPPER).unwrap();
    shopper::change(&world.shop.documents, user_id, |shopper| shopper.promo_code = Some(code.code.clone()))
        .await
        .unwrap();
    let bot = world.run_bot();
    check_out(&world).await;
    let shopper = Chat { world: &world, id: SHOPPER };
    // More than are left beside the own hold.
    for tap in ["1:sc:7:9", "1:co", "1:cor:1001", "1:cog"] {
        shopper.tap(tap).await;
    }
    bot.stop().await;
    let stages: Vec<_> = orders(&world).await.iter().map(|order| (order.id.get(), order.stage())).collect();
    assert_eq!(stages, [(1002, Stage::AwaitingPayment), (1001, Stage::Cancelled)]);
    assert_eq!(stock(&world).await, (IN_STOCK - 9, vec![1002]));
    assert_eq!(ledger.registered(), [1001, 1002]);
    assert_eq!(orders(&world).await[0].total, Tiyin::from_soum(97_200).unwrap());
    let uses = promo_code(&world.shop.documents, &code.code).await.unwrap().unwrap().uses;
    assert_eq!(uses.iter().map(|used| used.order_id.get()).collect::<Vec<_>>(), [1002]);
}

#[tokio::test]
async fn who_has_ordered_before_orders_from_the_cart_with_one_tap_and_never_for_another_sum() {
    let (world, ledger) = world().await;
    let bot = world.run_bot();
    let shopper = Chat { world: &world, id: SHOPPER };
    shopper.tap("1:sc:7:2").await;
    let first = shopper.tap("1:k").await;
    assert!(!first[0].to_string().contains("1:cog"), "nothing is known of where it should go: {first:?}");
    shopper.tap("1:co").await;
    shopper.tap("1:cog").await;
    assert!(!shopper.tap("1:k").await[0].to_string().contains("1:cog"), "an unpaid order is in the way");
    shopper.tap("1:oxs:1001").await;
    let cart = shopper.tap("1:k").await;
    let shown = cart[0].to_string();
    for part in ["1:cog", "Bozor 1", "+998 90 123 45 67"] {
        assert!(shown.contains(part), "{shown}");
    }
    records::change(&world.shop.documents, TEA, |tea: &mut Product| {
        tea.price = Tiyin::from_soum(9_000).unwrap();
    })
    .await
    .unwrap();
    let changed = shopper.tap("1:cog").await;
    assert_eq!(ledger.registered(), [1001], "the sum is shown before: {changed:?}");
    let placed = shopper.tap("1:cog").await;
    bot.stop().await;
    assert!(placed[0].to_string().contains("my.click.uz/services/pay"), "{placed:?}");
    assert_eq!(ledger.registered(), [1001, 1002]);
    assert_eq!(orders(&world).await[0].total, Tiyin::from_soum(18_000).unwrap());
}

/// An order is placed, and then the ledger forgets it while the bot does not run.
async fn forgotten(world: &World, ledger: &Ledger) {
    let bot = world.run_bot();
    check_out(world).await;
    bot.stop().await;
    assert_eq!((ledger.registered(), stock(world).await), (vec![1001], (IN_STOCK - 2, vec![1001])));
    ledger.forget_all();
}

#[tokio::test]
async fn an_order_that_the_ledger_forgot_is_registered_again() {
    let (world, ledger) = world().await;
    forgotten(&world, &ledger).await;
    let bot = world.run_bot();
    until("it is registered", async || ledger.registered() == [1001, 1001]).await;
    bot.stop().await;
    assert_eq!(orders(&world).await[0].stage(), Stage::AwaitingPayment);
    assert_eq!(stock(&world).await, (IN_STOCK - 2, vec![1001]), "it can still be paid");
}

#[tokio::test]
async fn an_order_that_the_ledger_forgot_and_that_can_no_longer_be_paid_is_closed_and_its_stock_comes_back() {
    let (world, ledger) = world().await;
    forgotten(&world, &ledger).await;
    world.clock.advance(time::Duration::minutes(31));
    let bot = world.run_bot();
    until("it is closed", async || orders(&world).await[0].stage() == Stage::Expired).await;
    until("its stock is back", async || stock(&world).await == (IN_STOCK, Vec::new())).await;
    bot.stop().await;
    assert_eq!(ledger.registered(), [1001], "not again");
}

#[tokio::test]
async fn an_order_that_the_ledger_forgot_and_whose_number_it_gave_to_another_is_closed() {
    let (world, ledger) = world().await;
    forgotten(&world, &ledger).await;
    ledger.has_others([1001], 1001);
    let bot = world.run_bot();
    until("it is closed", async || orders(&world).await[0].stage() == Stage::Expired).await;
    until("its stock is back", async || stock(&world).await == (IN_STOCK, Vec::new())).await;
    bot.stop().await;
}
