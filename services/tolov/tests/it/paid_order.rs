//! An order that the shop store knows to be paid.

use tolov_domain::{
    ClickPaydocId, ClickTransId, OrderId, Phone, ProductId, Tiyin, UserId, order::OrderLine, time::Timestamp,
};
use tolov_shop::order::{
    Actor, Delivery, HistoryEntry, OrderAction, OrderState, PaymentFacts, Progress, Sale, ShopOrder, Stock,
    Terms,
};

/// Two of the tea, placed long before; transaction and payment at CLICK have the order's number.
pub(crate) fn paid_order(number: i64, paid_at: Timestamp) -> ShopOrder {
    let payment = PaymentFacts {
        click_trans_id: ClickTransId::try_new(number).unwrap(),
        click_paydoc_id: ClickPaydocId::try_new(number).unwrap(),
        paid_at,
        late: true,
    };
    let terms = Terms {
        goods: Tiyin::from_soum(30_000).unwrap(),
        discount: Tiyin::ZERO,
        promo_code: None,
        delivery_price: Tiyin::ZERO,
        delivery: Delivery::Pickup,
        phone: Phone::parse("+998901234567").unwrap(),
        comment: None,
    };
    ShopOrder {
        id: OrderId::try_new(number).unwrap(),
        user_id: UserId::try_new(5).unwrap(),
        lines: vec![OrderLine {
            product_id: ProductId::try_new(7).unwrap(),
            count: 2,
            title: "Choy".to_owned(),
            price: Tiyin::from_soum(15_000).ok(),
            portion: None,
            fiscal: None,
        }],
        total: terms.goods,
        placed_at: paid_at - time::Duration::days(40),
        terms: Some(terms),
        state: OrderState::Paid { sale: Sale { payment, missing: Vec::new() }, progress: Progress::New },
        stock: Stock::Committed,
        refunds: Vec::new(),
        receipt_url: None,
        history: vec![HistoryEntry::of_action(OrderAction::Paid, Actor::Click, paid_at)],
    }
}
