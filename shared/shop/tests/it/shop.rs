//! A small shop: tea (7) without variants, a shirt (20) in two sizes (21 with counted stock, 22 without), a promo code.

use time::{Duration, macros::datetime};
use tolov_domain::{
    ClickPaydocId, ClickTransId, Event, EventKind, OrderId, OrderedProduct, Phone, PrepareId, ProductId,
    Tiyin, UserId,
    order::OrderLine,
    ports::{PortError, documents::Documents},
    time::Timestamp,
};
use tolov_shop::{
    catalogue::{
        Product, Variant, product,
        stock::{self, Goods, HoldState, Marks, Short},
    },
    order::{self, Delivery, OrderState, PaymentFacts, PaymentLink, ShopOrder, Stock, Terms},
    promo::{Off, PromoCode, Use, promo_code},
    records,
    settling::{self, MetInCreation, Settled},
    shopper::{self, Shopper},
};

pub(crate) const NOON: Timestamp = datetime!(2026-11-23 12:00 UTC);
pub(crate) const TEA: i64 = 7;
pub(crate) const SMALL: i64 = 21;
pub(crate) const LARGE: i64 = 22;
pub(crate) const CODE: &str = "BAHOR";

pub(crate) fn minutes(count: i64) -> Timestamp {
    NOON + Duration::minutes(count)
}

/// Gives up orders in creation that are old by their dates.
pub(crate) async fn abandon_old(
    shop: &dyn Documents,
    placed_before: Timestamp,
    now: Timestamp,
) -> Result<usize, PortError> {
    let mut met = MetInCreation::default();
    settling::abandon_old(shop, &mut met, Some(placed_before), std::time::Duration::ZERO, now).await
}

pub(crate) fn order_id(number: i64) -> OrderId {
    OrderId::try_new(number).unwrap()
}

pub(crate) fn user_id(number: i64) -> UserId {
    UserId::try_new(number).unwrap()
}

pub(crate) fn article_id(number: i64) -> ProductId {
    ProductId::try_new(number).unwrap()
}

pub(crate) fn soum(soum: i64) -> Tiyin {
    Tiyin::try_new(soum * 100).unwrap()
}

pub(crate) fn pieces(article: i64, count: u32) -> OrderedProduct {
    OrderedProduct { product_id: article_id(article), count }
}

pub(crate) fn phone() -> Phone {
    Phone::parse("+998901234567").unwrap()
}

pub(crate) fn payment() -> PaymentFacts {
    PaymentFacts {
        click_trans_id: ClickTransId::try_new(501).unwrap(),
        click_paydoc_id: ClickPaydocId::try_new(2001).unwrap(),
        paid_at: minutes(1),
        late: false,
    }
}

pub(crate) fn tea(stock: Option<u32>) -> Product {
    Product { title: "Choy".to_owned(), price: soum(15_000), stock, ..Product::new(article_id(TEA), 1) }
}

pub(crate) fn shirt(small: u32) -> Product {
    let variant = |id, label: &str, stock| Variant {
        id: article_id(id),
        label: label.to_owned(),
        price: soum(90_000),
        stock,
    };
    Product {
        id: article_id(20),
        title: "Futbolka".to_owned(),
        variants: vec![variant(SMALL, "S", Some(small)), variant(LARGE, "L", None)],
        ..tea(None)
    }
}

pub(crate) fn code() -> PromoCode {
    PromoCode {
        code: CODE.to_owned(),
        off: Off::Percent(10),
        goods_min: Tiyin::ZERO,
        uses_max: 1_000,
        uses_per_shopper_max: 1_000,
        expires_at: None,
        active: true,
        uses: Vec::new(),
    }
}

/// Ten of the tea, five of the small shirt, and the promo code.
pub(crate) async fn open_shop(documents: &dyn Documents) {
    for product in [tea(Some(10)), shirt(5)] {
        records::insert(documents, &product.seal()).await.unwrap();
    }
    records::insert(documents, &code()).await.unwrap();
}

/// An order as checkout has made it and the ledger has registered it, holding nothing yet.
pub(crate) fn waiting(number: i64, articles: &[OrderedProduct]) -> ShopOrder {
    let line = |article: &OrderedProduct| OrderLine {
        product_id: article.product_id,
        count: article.count,
        title: "Choy".to_owned(),
        price: Some(soum(15_000)),
        portion: None,
        fiscal: None,
    };
    ShopOrder {
        id: order_id(number),
        user_id: user_id(5551),
        lines: articles.iter().map(line).collect(),
        total: soum(27_000),
        placed_at: NOON,
        terms: Some(Terms {
            goods: soum(30_000),
            discount: soum(3_000),
            promo_code: Some(CODE.to_owned()),
            delivery_price: Tiyin::ZERO,
            delivery: Delivery::Address { text: "Navoiy 1".to_owned(), landmark: None },
            phone: phone(),
            comment: None,
        }),
        state: awaiting(),
        stock: Stock::Held,
        refunds: Vec::new(),
        receipt_url: None,
        history: Vec::new(),
    }
}

pub(crate) fn awaiting() -> OrderState {
    let link = PaymentLink { url: "https://my.click.uz/services/pay".to_owned(), pay_until: None };
    OrderState::AwaitingPayment { link: Some(link), cancel_requested_by: None }
}

/// The same in the shop, with its stock held, its promo code used, and its goods still in the cart.
pub(crate) async fn placed(documents: &dyn Documents, number: i64, articles: &[OrderedProduct]) {
    place(documents, &waiting(number, articles)).await;
}

pub(crate) async fn place(documents: &dyn Documents, order: &ShopOrder) {
    records::insert(documents, order).await.unwrap();
    assert_eq!(hold(documents, order.id, &order.products()).await.short, []);
    let used = Use { order_id: order.id, user_id: order.user_id };
    let claim = |code: &mut PromoCode| code.claim(used, soum(30_000), NOON);
    records::change(documents, CODE, claim).await.unwrap().unwrap().1.unwrap();
    shopper::change(documents, order.user_id, |shopper| {
        for article in order.products() {
            let there = shopper.cart.iter().find(|line| line.product_id == article.product_id);
            let count = article.count + there.map_or(0, |line| line.count);
            shopper.set_cart_line(OrderedProduct { count, ..article });
        }
    })
    .await
    .unwrap();
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Holding {
    pub(crate) short: Vec<Short>,
    pub(crate) marks: Marks,
}

pub(crate) async fn hold(documents: &dyn Documents, id: OrderId, articles: &[OrderedProduct]) -> Holding {
    let mut step = stock::hold(documents, &Goods::of(id, articles)).await.unwrap();
    let mut holding = Holding { short: Vec::new(), marks: Marks::default() };
    for held in step.of(id) {
        holding.short.extend(held.short);
        holding.marks.extend(held.marks);
    }
    holding
}

pub(crate) fn event(order: &ShopOrder, kind: EventKind, occurred_at: Timestamp) -> Event {
    Event {
        id: Event::id_of(order.id, &kind),
        order_id: order.id,
        user_id: order.user_id,
        products: order.products(),
        amount: order.total,
        occurred_at,
        kind,
    }
}

/// The payment of an order, with the facts of [`payment`].
pub(crate) fn completed(order: &ShopOrder, late: bool) -> Event {
    let PaymentFacts { click_trans_id, click_paydoc_id, paid_at, .. } = payment();
    let merchant_prepare_id = PrepareId::try_new(77).unwrap();
    let kind = EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, merchant_prepare_id, late };
    event(order, kind, paid_at)
}

pub(crate) fn expired(order: &ShopOrder) -> Event {
    event(order, EventKind::OrderExpired, minutes(2))
}

pub(crate) async fn settle(documents: &dyn Documents, events: &[Event]) -> Vec<Settled> {
    settling::settle(documents, events).await.unwrap()
}

pub(crate) async fn order(documents: &dyn Documents, number: i64) -> ShopOrder {
    order::order(documents, order_id(number)).await.unwrap().unwrap()
}

/// The shopper of all orders of [`waiting`].
pub(crate) async fn shopper(documents: &dyn Documents) -> Shopper {
    shopper::shopper(documents, user_id(5551)).await.unwrap().unwrap()
}

/// How many of an article can be sold.
pub(crate) async fn left(documents: &dyn Documents, article: i64) -> u32 {
    let product = product_of(documents, article).await;
    product.article(article_id(article)).unwrap().stock.unwrap()
}

/// How many of an article are set aside in a state.
pub(crate) async fn set_aside(documents: &dyn Documents, article: i64, state: HoldState) -> u32 {
    let product = product_of(documents, article).await;
    let meant = product.holds.iter().filter(|hold| hold.article_id.get() == article && hold.state == state);
    meant.map(|hold| hold.count).sum()
}

/// Whether the products remember nothing of any order.
pub(crate) async fn is_tidy(documents: &dyn Documents) -> bool {
    product_of(documents, TEA).await.holds.is_empty() && product_of(documents, SMALL).await.holds.is_empty()
}

async fn product_of(documents: &dyn Documents, article: i64) -> Product {
    let id = if article == TEA { TEA } else { 20 };
    product(documents, article_id(id)).await.unwrap().unwrap()
}

/// The orders that count as users of the promo code.
pub(crate) async fn uses(documents: &dyn Documents) -> Vec<i64> {
    let code = promo_code(documents, CODE).await.unwrap().unwrap();
    let mut uses: Vec<i64> = code.uses.iter().map(|used| used.order_id.get()).collect();
    uses.sort_unstable();
    uses
}
