//! A shop with one product and one promo code, and orders that were placed in it.

use time::macros::datetime;
use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{OrderId, OrderedProduct, Phone, ProductId, Tiyin, UserId, order::OrderLine};
use tolov_shop::{
    catalogue::{
        Product, product,
        stock::{self, Goods, Settlement},
    },
    order::{self, Actor, Delivery, OrderState, ShopOrder, Stage, Stock, Terms},
    promo::{Off, PromoCode, Use, promo_code},
    records,
    shopper::shopper,
};

pub(crate) const CODE: &str = "BAHOR";
pub(crate) const PRODUCT: i64 = 7;

pub(crate) fn order_id(number: i64) -> OrderId {
    OrderId::try_new(number).unwrap()
}

fn article_id() -> ProductId {
    ProductId::try_new(PRODUCT).unwrap()
}

fn user_id() -> UserId {
    UserId::try_new(5551).unwrap()
}

fn soum(soum: i64) -> Tiyin {
    Tiyin::from_soum(soum).unwrap()
}

/// Opens the shop with this many pieces in stock.
pub(crate) async fn stocked(documents: &MemoryDocuments, count: u32) {
    let product = Product {
        title: "Choy".to_owned(),
        price: soum(15_000),
        stock: Some(count),
        ..Product::new(article_id(), 1)
    };
    records::insert(documents, &product.seal()).await.unwrap();
    let code = PromoCode {
        code: CODE.to_owned(),
        off: Off::Percent(10),
        goods_min: Tiyin::ZERO,
        uses_max: 100,
        uses_per_shopper_max: 100,
        expires_at: None,
        active: true,
        uses: Vec::new(),
    };
    records::insert(documents, &code).await.unwrap();
}

/// Places an order of two pieces with the promo code, as checkout leaves it; the ledger knows it.
pub(crate) async fn placed(documents: &MemoryDocuments, number: i64) {
    let order = waiting(number);
    records::insert(documents, &order).await.unwrap();
    let goods = Goods::of(order.id, &order.products());
    let held = stock::hold(documents, &goods).await.unwrap().of(order.id);
    assert!(held.iter().all(|held| held.short.is_empty()));
    let used = Use { order_id: order.id, user_id: order.user_id };
    let claim = |code: &mut PromoCode| code.claim(used, soum(30_000), order.placed_at);
    records::change(documents, CODE, claim).await.unwrap().unwrap().1.unwrap();
}

fn waiting(number: i64) -> ShopOrder {
    ShopOrder {
        id: order_id(number),
        user_id: user_id(),
        lines: vec![OrderLine {
            product_id: article_id(),
            count: 2,
            title: "Choy".to_owned(),
            price: Some(soum(15_000)),
            portion: None,
            fiscal: None,
        }],
        total: soum(27_000),
        placed_at: datetime!(2026-11-23 06:05:06 UTC),
        terms: Some(Terms {
            goods: soum(30_000),
            discount: soum(3_000),
            promo_code: Some(CODE.to_owned()),
            delivery_price: Tiyin::ZERO,
            delivery: Delivery::Pickup,
            phone: Phone::parse("+998901234567").unwrap(),
            comment: None,
        }),
        state: OrderState::AwaitingPayment { link: None, cancel_requested_by: None },
        stock: Stock::Held,
        refunds: Vec::new(),
        receipt_url: None,
        history: Vec::new(),
    }
}

/// The shopper asks for a cancellation: the ledger is asked next.
pub(crate) async fn request_cancel(documents: &MemoryDocuments, number: i64) {
    let request = |order: &mut ShopOrder| order.request_cancel(Actor::Shopper);
    assert!(records::change(documents, number, request).await.unwrap().unwrap().1);
}

pub(crate) async fn order(documents: &MemoryDocuments, number: i64) -> ShopOrder {
    order::order(documents, order_id(number)).await.unwrap().unwrap()
}

pub(crate) async fn stage(documents: &MemoryDocuments, number: i64) -> (Stage, Stock) {
    let order = order(documents, number).await;
    (order.stage(), order.stock)
}

/// How many paid orders the shopper's record has.
pub(crate) async fn order_count(documents: &MemoryDocuments) -> u32 {
    shopper(documents, user_id()).await.unwrap().map_or(0, |shopper| shopper.order_count)
}

/// Others buy this many pieces.
pub(crate) async fn others_buy(documents: &MemoryDocuments, count: u32) {
    let articles = [OrderedProduct { product_id: article_id(), count }];
    let goods = Goods::of(order_id(999), &articles);
    stock::hold(documents, &goods).await.unwrap();
    stock::settle(documents, &goods, |_| Settlement::Commit).await.unwrap();
}

/// Pieces in stock, holds, and the orders that count as users of the promo code.
pub(crate) async fn stock(documents: &MemoryDocuments) -> (u32, usize, Vec<i64>) {
    let product = product(documents, article_id()).await.unwrap().unwrap();
    let code = promo_code(documents, CODE).await.unwrap().unwrap();
    let mut uses: Vec<i64> = code.uses.iter().map(|used| used.order_id.get()).collect();
    uses.sort_unstable();
    (product.stock.unwrap(), product.holds.len(), uses)
}
