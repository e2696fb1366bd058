//! A shop with one product and one promo code, and orders that were placed in it.

use time::macros::datetime;
use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{OrderId, OrderedProduct, ProductId, Tiyin, UserId, order::OrderLine};
use tolov_shop::{
    catalogue::{Fiscal, Product, product},
    fulfilment::{self, By, Delivery, Fulfilment, Stage, StockState},
    promo::{Off, PromoCode, Use, promo_code},
    records, stock,
};

pub(crate) const CODE: &str = "BAHOR";

pub(crate) fn order_id(number: i64) -> OrderId {
    OrderId::try_new(number).unwrap()
}

fn article_id() -> ProductId {
    ProductId::try_new(7).unwrap()
}

/// Puts so many pieces on the shelf.
pub(crate) async fn stocked(documents: &MemoryDocuments, count: u32) {
    let product = Product {
        id: article_id(),
        category_id: 1,
        title: "Choy".to_owned(),
        description: String::new(),
        photo: None,
        hidden: false,
        price: Tiyin::from_soum(15_000).unwrap(),
        stock: Some(count),
        variants: Vec::new(),
        fiscal: Fiscal::default(),
        holds: Vec::new(),
        article_ids: Vec::new(),
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
    assert_eq!(stock::hold(documents, order.id, &order.articles()).await.unwrap().short, []);
    let used = Use { order_id: order.id, user_id: order.user_id };
    let claim = |code: &mut PromoCode| code.claim(used, order.goods, order.placed_at);
    records::change(documents, CODE, claim).await.unwrap().unwrap().1.unwrap();
}

fn waiting(number: i64) -> Fulfilment {
    Fulfilment {
        id: order_id(number),
        user_id: UserId::try_new(5551).unwrap(),
        lines: vec![OrderLine {
            product_id: article_id(),
            count: 2,
            title: "Choy".to_owned(),
            price: Some(Tiyin::from_soum(15_000).unwrap()),
        }],
        goods: Tiyin::from_soum(30_000).unwrap(),
        discount: Tiyin::from_soum(3_000).unwrap(),
        promo_code: Some(CODE.to_owned()),
        delivery_price: Tiyin::ZERO,
        total: Tiyin::from_soum(27_000).unwrap(),
        delivery: Delivery::Pickup,
        phone: "+998901234567".to_owned(),
        comment: None,
        stage: Stage::Waiting,
        stock: StockState::Held,
        placed_at: datetime!(2026-11-23 06:05:06 UTC),
        pay_until_at: None,
        payment_url: None,
        click_paydoc_id: None,
        paid_at: None,
        late: false,
        missing: Vec::new(),
        cancel_asked_by: None,
        timeline: Vec::new(),
        shopper_message_id: None,
        staff_message_id: None,
    }
}

/// The shopper asks for a cancellation: the ledger is asked next.
pub(crate) async fn cancel_asked(documents: &MemoryDocuments, number: i64) {
    let ask = |order: &mut Fulfilment| order.cancel_asked_by = Some(By::Shopper);
    records::change(documents, number, ask).await.unwrap().unwrap();
}

pub(crate) async fn order(documents: &MemoryDocuments, number: i64) -> Fulfilment {
    fulfilment::fulfilment(documents, order_id(number)).await.unwrap().unwrap()
}

/// What is left of an order's two pieces when others have bought some meanwhile.
pub(crate) async fn others_buy(documents: &MemoryDocuments, count: u32) {
    let articles = [OrderedProduct { product_id: article_id(), count }];
    let held = stock::hold(documents, order_id(999), &articles).await.unwrap();
    stock::take(documents, order_id(999), &articles, &held.marks).await.unwrap();
    stock::forget(documents, order_id(999), &articles, false).await.unwrap();
}

/// Where the goods and the uses of the code are: on the shelf, set aside, the orders that count as users.
pub(crate) async fn shelf(documents: &MemoryDocuments) -> (u32, usize, Vec<i64>) {
    let product = product(documents, article_id()).await.unwrap().unwrap();
    let code = promo_code(documents, CODE).await.unwrap().unwrap();
    let mut uses: Vec<i64> = code.uses.iter().map(|used| used.order_id.get()).collect();
    uses.sort_unstable();
    (product.stock.unwrap(), product.holds.len(), uses)
}
