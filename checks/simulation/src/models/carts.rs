//! What becomes of carts: a sale takes what was bought out of its shopper's cart, that alone and once. Everything else that
//! changes there the shopper does, in the bot.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tolov_domain::{
    OrderId, OrderedProduct, UserId,
    ports::{
        PortError,
        documents::{Body, Documents, Write},
    },
};
use tolov_shop::{
    order::ShopOrder,
    records,
    shopper::{Shopper, USERS},
};

use crate::{faults::Process, store::MemoryStore};

/// Clones share what they know.
#[derive(Debug, Clone, Default)]
pub(crate) struct Carts(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Orders that were taken out of a cart.
    sales: BTreeSet<(UserId, OrderId)>,
    complaints: Vec<String>,
}

impl Carts {
    /// A process writes the record of a person. Nothing is written where another has written since.
    pub(crate) async fn will_be_written(
        &self,
        store: &MemoryStore,
        process: Process,
        write: &Write,
    ) -> Result<(), PortError> {
        let stored = store.get(USERS, &write.key).await?;
        let Ok(after) = shopper(&write.body) else { return Ok(()) };
        if stored.as_ref().map(|stored| stored.version) != write.seen {
            return Ok(());
        }
        let before = stored.and_then(|stored| shopper(&stored.body).ok());
        let before = before.unwrap_or_else(|| Shopper::new(after.id));
        let new: Vec<OrderId> =
            after.paid_orders.iter().copied().filter(|id| !before.paid_orders.contains(id)).collect();
        let mut expected = before.cart.clone();
        for order in &new {
            let order: Option<ShopOrder> = records::read(store, order.get()).await?;
            expected = without(expected, &order.map(|order| order.products()).unwrap_or_default());
        }
        let mut state = self.state();
        let (user, was, is) = (after.id, &before.cart, &after.cart);
        for order in &new {
            if !state.sales.insert((user, *order)) {
                state.complaints.push(format!("order {order} was taken out of the cart of {user} again"));
            }
        }
        let by_shopper = new.is_empty() && process == Process::Bot;
        if !by_shopper && expected != after.cart {
            state
                .complaints
                .push(format!("orders {new:?} made the cart {is:?} of shopper {user} from {was:?}"));
        }
        Ok(())
    }

    /// The store is an older copy: what was sold since is to be taken out of the carts of then.
    pub(crate) fn store_put_back(&self, shoppers: &[Shopper]) {
        let sales = shoppers.iter().flat_map(|it| it.paid_orders.iter().map(|order| (it.id, *order)));
        self.state().sales = sales.collect();
    }

    pub(crate) fn complaints(&self) -> Vec<String> {
        self.state().complaints.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shopper(body: &Body) -> serde_json::Result<Shopper> {
    serde_json::from_value(Value::Object(body.clone()))
}

fn without(mut cart: Vec<OrderedProduct>, bought: &[OrderedProduct]) -> Vec<OrderedProduct> {
    for line in &mut cart {
        let of_it = bought.iter().filter(|bought| bought.product_id == line.product_id);
        line.count = of_it.fold(line.count, |left, bought| left.saturating_sub(bought.count));
    }
    cart.retain(|line| line.count > 0);
    cart
}
