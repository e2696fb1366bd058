//! Orders, shoppers and events to tell the store about.

use anyhow::Context;
use time::{Duration, macros::datetime};
use tolov_domain::{
    ClickPaydocId, ClickTransId, Event, EventKind, OrderId, OrderedProduct, PrepareId, ProductId, Tiyin,
    UserId,
    order::{Order, OrderLine, User},
    payment::{Anomaly, ClickError},
    ports::shop::{NewOrder, ShopStore},
    time::Timestamp,
};

/// What one piece costs, of every product.
pub(super) const PRICE_TIYIN: i64 = 1_500_000;

/// An order of a shopper, and what can happen to it.
#[derive(Debug, Clone)]
pub(super) struct Purchase {
    pub(super) order_id: OrderId,
    pub(super) user_id: UserId,
    pub(super) products: Vec<OrderedProduct>,
}

pub(super) fn purchase(order: i64, user: i64, products: &[(i64, u32)]) -> anyhow::Result<Purchase> {
    Ok(Purchase {
        order_id: OrderId::try_new(order)?,
        user_id: UserId::try_new(user)?,
        products: products.iter().map(|&(id, count)| product(id, count)).collect::<anyhow::Result<_>>()?,
    })
}

pub(super) fn product(product_id: i64, count: u32) -> anyhow::Result<OrderedProduct> {
    Ok(OrderedProduct { product_id: ProductId::try_new(product_id)?, count })
}

/// A moment of the day on which the tests take place.
pub(super) fn at(second: i64) -> Timestamp {
    datetime!(2026-11-23 09:00:00.125 UTC) + Duration::seconds(second)
}

impl Purchase {
    pub(super) fn total(&self) -> anyhow::Result<Tiyin> {
        let pieces: u32 = self.products.iter().map(|product| product.count).sum();
        Ok(Tiyin::try_new(PRICE_TIYIN)?.checked_times(pieces)?)
    }

    /// As the bot places it, at the second that its number says.
    pub(super) fn new_order(&self) -> anyhow::Result<NewOrder> {
        let price = Some(Tiyin::try_new(PRICE_TIYIN)?);
        let lines = self.products.iter().map(|product| OrderLine {
            product_id: product.product_id,
            count: product.count,
            title: format!("Non №{}", product.product_id),
            price,
        });
        Ok(NewOrder {
            id: self.order_id,
            user_id: self.user_id,
            lines: lines.collect(),
            total: self.total()?,
            created_at: at(self.order_id.get()),
        })
    }

    fn event(&self, kind: EventKind, second: i64) -> anyhow::Result<Event> {
        Ok(Event {
            id: Event::id_of(self.order_id, &kind),
            order_id: self.order_id,
            user_id: self.user_id,
            products: self.products.clone(),
            amount: self.total()?,
            occurred_at: at(second),
            kind,
        })
    }

    fn click_trans_id(&self) -> anyhow::Result<ClickTransId> {
        Ok(ClickTransId::try_new(3_600_000_000 + self.order_id.get())?)
    }

    fn click_paydoc_id(&self) -> anyhow::Result<ClickPaydocId> {
        Ok(ClickPaydocId::try_new(2_000 + self.order_id.get())?)
    }

    pub(super) fn completed(&self, second: i64) -> anyhow::Result<Event> {
        self.completed_at(second, false)
    }

    pub(super) fn completed_at(&self, second: i64, late: bool) -> anyhow::Result<Event> {
        let kind = EventKind::PaymentCompleted {
            click_trans_id: self.click_trans_id()?,
            click_paydoc_id: self.click_paydoc_id()?,
            merchant_prepare_id: PrepareId::try_new(7)?,
            late,
        };
        self.event(kind, second)
    }

    /// `attempt` tells the cancelled attempts of one order apart.
    pub(super) fn cancelled(&self, attempt: i64, second: i64) -> anyhow::Result<Event> {
        let kind = EventKind::PaymentCancelled {
            click_trans_id: self.click_trans_id()?,
            click_paydoc_id: self.click_paydoc_id()?,
            merchant_prepare_id: PrepareId::try_new(attempt)?,
            error: ClickError::from_code(-5017).context("below zero")?,
        };
        self.event(kind, second)
    }

    pub(super) fn questioned(&self, anomaly: Anomaly, second: i64) -> anyhow::Result<Event> {
        let kind = EventKind::PaymentQuestioned {
            click_trans_id: self.click_trans_id()?,
            click_paydoc_id: self.click_paydoc_id()?,
            merchant_prepare_id: None,
            click_amount: None,
            anomaly,
        };
        self.event(kind, second)
    }

    pub(super) fn expired(&self, second: i64) -> anyhow::Result<Event> {
        self.event(EventKind::OrderExpired, second)
    }

    /// Fills the shopper's cart with the products and places the order: the state just after checkout.
    pub(super) async fn check_out(&self, store: &dyn ShopStore) -> anyhow::Result<()> {
        store.meet(self.user_id, None).await?;
        for product in &self.products {
            store.set_cart_line(self.user_id, *product).await?;
        }
        store.place_order(&self.new_order()?).await?;
        Ok(())
    }
}

pub(super) async fn order(store: &dyn ShopStore, id: OrderId) -> anyhow::Result<Order> {
    store.order(id).await?.with_context(|| format!("order {id} is there"))
}

pub(super) async fn user(store: &dyn ShopStore, id: UserId) -> anyhow::Result<User> {
    store.user(id).await?.with_context(|| format!("user {id} is there"))
}

/// The cart as pairs of product and count, by product.
pub(super) async fn cart(store: &dyn ShopStore, id: UserId) -> anyhow::Result<Vec<(i64, u32)>> {
    let lines = user(store, id).await?.cart;
    let mut pairs: Vec<_> = lines.iter().map(|line| (line.product_id.get(), line.count)).collect();
    pairs.sort_unstable();
    Ok(pairs)
}

/// The names of the events in an order's history.
pub(super) fn told(order: &Order) -> Vec<&str> {
    order.history.iter().map(|entry| entry.what.as_str()).collect()
}
