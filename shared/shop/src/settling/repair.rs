//! What an audit compares with the ledger and counts again, and how each difference is mended. Every repair may be repeated
//! and reads the records again: what has been mended meanwhile is left alone.

use std::collections::{BTreeMap, BTreeSet};

use tolov_domain::{
    Event, EventKind, OrderId, OrderedProduct, Outcome, UserId,
    ports::{
        PortError,
        documents::{Documents, Key, Query},
    },
};

use super::{batch::settle, goods::settle_goods};
use crate::{
    catalogue::stock::{self, Goods, Settlement, Short},
    order::{ORDERS, PaymentFacts, ShopOrder, Stage, Stock},
    records,
    shopper::{self, PAID_ORDERS_MAX, Shopper},
};

/// How many orders are read at a time.
const PAGE: u32 = 1_000;

/// In what an order differs from its payment as the ledger knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Difference {
    NotPaid,
    User,
    Amount,
    /// Another transaction, payment number or time.
    Payment,
}

impl Difference {
    /// Whether the shop's side may be the only trace of another purchase, so that a person must compare both first.
    pub const fn contradicts(self) -> bool {
        match self {
            Self::NotPaid => false,
            Self::User | Self::Amount | Self::Payment => true,
        }
    }
}

/// Compares an order with the `payment.completed` of its ledger. `late` is not compared: it is also a finding of the shop.
pub fn difference(order: &ShopOrder, paid: &Event) -> Option<Difference> {
    let facts = facts_of(paid)?;
    if order.user_id != paid.user_id {
        return Some(Difference::User);
    }
    if order.total != paid.amount {
        return Some(Difference::Amount);
    }
    match order.payment() {
        None => Some(Difference::NotPaid),
        Some(known) if PaymentFacts { late: facts.late, ..*known } != facts => Some(Difference::Payment),
        Some(_) => None,
    }
}

fn facts_of(paid: &Event) -> Option<PaymentFacts> {
    let EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, late, .. } = paid.kind else {
        return None;
    };
    Some(PaymentFacts { click_trans_id, click_paydoc_id, paid_at: paid.occurred_at, late })
}

/// Makes an order say what the ledger says of its payment, and settles it. Tells nobody: whoever is to hear of the payment
/// needs the event itself.
pub async fn correct_order(documents: &dyn Documents, paid: &Event) -> Result<(), PortError> {
    let Some(facts) = facts_of(paid) else { return Ok(()) };
    let correct = |order: &mut ShopOrder| order.correct(paid.user_id, paid.amount, facts);
    records::change(documents, paid.order_id.get(), correct).await?;
    settle(documents, std::slice::from_ref(paid)).await.map(drop)
}

/// Settles the goods of orders whose settling broke off. Returns those that still are not settled, because a document
/// cannot be read or written.
pub async fn settle_again(
    documents: &dyn Documents,
    ids: &[OrderId],
) -> Result<BTreeSet<OrderId>, PortError> {
    let keys = ids.iter().map(|id| Key::Number(id.get())).collect();
    let found = records::get_many::<ShopOrder>(documents, &keys).await?;
    let orders = found.into_values().filter_map(Result::ok).collect();
    let settled = settle_goods(documents, orders).await?;
    Ok(ids.iter().copied().filter(|id| settled.failed.contains(*id)).collect())
}

/// Whether pieces that a product holds for this order are held for nothing: the order is over, sold and delivered for, or
/// unknown. Of an order that is not settled yet, settling it decides.
pub fn is_stray(order: Option<&ShopOrder>) -> bool {
    order.is_none_or(|order| is_over(order) && !order.is_unsettled())
}

fn is_over(order: &ShopOrder) -> bool {
    order.is_paid() || order.is_closed_unpaid()
}

/// What was sold to an order that staff may cancel is remembered until its record says that it is back in stock.
pub(super) fn settlement_of_stray(order: Option<&ShopOrder>) -> Settlement {
    Settlement::Prune { is_released: order.is_none_or(|order| order.stock == Stock::Released) }
}

/// Gives back what a product holds for an order that needs it no more ([`is_stray`]). `false`: the order needs it.
pub async fn release_stray(
    documents: &dyn Documents,
    id: OrderId,
    held: &[OrderedProduct],
) -> Result<bool, PortError> {
    let order: Option<ShopOrder> = records::read(documents, id.get()).await?;
    if !is_stray(order.as_ref()) {
        return Ok(false);
    }
    let settlement = settlement_of_stray(order.as_ref());
    let failed = stock::settle(documents, &Goods::of(id, held), |_| settlement).await?.failed;
    if failed.is_empty() {
        return Ok(true);
    }
    Err(PortError::Refused(format!("a product that holds goods of order {id} cannot be read: repair it")))
}

/// Whether it waits for its payment with its goods set aside.
fn is_waiting(order: &ShopOrder) -> bool {
    order.stage() == Stage::AwaitingPayment && order.stock == Stock::Held
}

/// What is not held for orders that wait for their payment. What no product has any more nobody can hold.
pub async fn not_held(
    documents: &dyn Documents,
    orders: impl IntoIterator<Item = &ShopOrder>,
) -> Result<Vec<(OrderId, OrderedProduct)>, PortError> {
    let mut goods = Goods::default();
    for order in orders.into_iter().filter(|order| is_waiting(order)) {
        goods.add(order.id, &order.products());
    }
    stock::not_held(documents, &goods).await
}

/// Holds again what is not held for an order that waits for its payment; what there is too little of is told.
pub async fn hold_again(documents: &dyn Documents, id: OrderId) -> Result<Outcome<Vec<Short>>, PortError> {
    let order: Option<ShopOrder> = records::read(documents, id.get()).await?;
    let Some(order) = order.filter(is_waiting) else { return Ok(Outcome::AlreadyApplied) };
    if not_held(documents, [&order]).await?.is_empty() {
        return Ok(Outcome::AlreadyApplied);
    }
    let mut held = stock::hold(documents, &Goods::of(id, &order.products())).await?;
    // Whoever has settled it meanwhile may have come before what is held now.
    if release_stray(documents, id, &order.products()).await? {
        return Ok(Outcome::AlreadyApplied);
    }
    if !held.failed.is_empty() {
        return Err(PortError::Refused(format!("a product of order {id} cannot be read: repair it")));
    }
    let gone = held.gone.remove(&id).unwrap_or_default();
    let mut short: Vec<Short> = held.of(id).into_iter().flat_map(|held| held.short).collect();
    short.retain(|short| !gone.contains(&short.article_id));
    Ok(if short.is_empty() { Outcome::Applied } else { Outcome::Refused(short) })
}

/// What the paid orders of a person say of the person's record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Purchases {
    /// How many there are, without those that were refunded as a whole.
    pub count: u32,
    /// Settled orders that were never taken out of the cart, though something of them is in it.
    pub in_cart: Vec<OrderId>,
}

/// What each of these people has bought. `None`: an order of theirs cannot be read, and they are not judged.
pub async fn purchases(
    documents: &dyn Documents,
    shoppers: &[Shopper],
) -> Result<BTreeMap<UserId, Option<Purchases>>, PortError> {
    if let Some(purchases) = readable_purchases(documents, shoppers).await? {
        return Ok(purchases.into_iter().map(|(user_id, of_user)| (user_id, Some(of_user))).collect());
    }
    // Whose it is the store does not say.
    let mut purchases = BTreeMap::new();
    for shopper in shoppers {
        let of_user = readable_purchases(documents, std::slice::from_ref(shopper)).await?;
        purchases.insert(shopper.id, of_user.and_then(|mut of_user| of_user.remove(&shopper.id)));
    }
    Ok(purchases)
}

/// `None`: an order cannot be read.
async fn readable_purchases(
    documents: &dyn Documents,
    shoppers: &[Shopper],
) -> Result<Option<BTreeMap<UserId, Purchases>>, PortError> {
    let shoppers: BTreeMap<UserId, &Shopper> = shoppers.iter().map(|shopper| (shopper.id, shopper)).collect();
    let users: Vec<UserId> = shoppers.keys().copied().collect();
    let mut purchases: BTreeMap<UserId, Purchases> =
        users.iter().map(|user_id| (*user_id, Purchases::default())).collect();
    let are_all_read = each_paid(documents, &users, |order| {
        let of_user = purchases.entry(order.user_id).or_default();
        let is_counted = order.stage() != Stage::Refunded;
        of_user.count = of_user.count.saturating_add(u32::from(is_counted));
        if shoppers.get(&order.user_id).is_some_and(|shopper| is_in_cart(shopper, order)) {
            of_user.in_cart.push(order.id);
        }
    })
    .await?;
    Ok(are_all_read.then_some(purchases))
}

/// One write counts an order and takes it out of the cart: one that is not counted was not taken out.
fn is_in_cart(shopper: &Shopper, order: &ShopOrder) -> bool {
    let is_line = |bought: &OrderedProduct| shopper.cart.iter().any(|it| it.product_id == bought.product_id);
    !order.is_unsettled() && order.products().iter().any(is_line) && shopper.misses_purchase(order.id)
}

/// Counts somebody's paid orders again, and takes out of the cart what was not. [`Outcome::AlreadyApplied`]: all was right, or
/// has changed meanwhile. With an order that cannot be read nothing is changed: the count would be too low, and what this order
/// has taken out of the cart would be taken once more.
pub async fn correct_shopper(documents: &dyn Documents, user_id: UserId) -> Result<Outcome, PortError> {
    let Some(before) = shopper::shopper(documents, user_id).await? else {
        return Ok(Outcome::AlreadyApplied);
    };
    let (mut count, mut paid, mut refunded) = (0_u32, Vec::new(), Vec::new());
    let mut in_cart = Vec::new();
    let are_all_read = each_paid(documents, &[user_id], |order| {
        if is_in_cart(&before, order) {
            in_cart.push(order.clone());
        }
        if order.stage() == Stage::Refunded {
            refunded.push(order.id);
        } else {
            count = count.saturating_add(1);
        }
        paid.push(order.id);
        if paid.len() > 2 * PAID_ORDERS_MAX {
            paid.drain(..PAID_ORDERS_MAX);
        }
    })
    .await?;
    if !are_all_read {
        return Err(PortError::Refused(format!("an order of shopper {user_id} cannot be read: repair it")));
    }
    let too_many = paid.len().saturating_sub(PAID_ORDERS_MAX);
    paid.drain(..too_many);
    let too_many = refunded.len().saturating_sub(PAID_ORDERS_MAX);
    refunded.drain(..too_many);
    let changed = records::change(documents, user_id.get(), |shopper: &mut Shopper| {
        // A purchase since: the next audit looks again.
        let is_before = (&shopper.paid_orders, &shopper.refunded_orders)
            == (&before.paid_orders, &before.refunded_orders);
        if !is_before || (shopper.order_count == count && in_cart.is_empty()) {
            return Outcome::AlreadyApplied;
        }
        for order in &in_cart {
            shopper.record_purchase(order.id, &order.products(), order.promo_code());
        }
        (shopper.order_count, shopper.paid_orders) = (count, paid.clone());
        shopper.refunded_orders.clone_from(&refunded);
        Outcome::Applied
    });
    Ok(changed.await?.map_or(Outcome::AlreadyApplied, |(_, outcome)| outcome))
}

/// Goes through the paid orders of some people in pages, so that no more than a page of them is in memory. `false`: an order
/// cannot be read.
async fn each_paid(
    documents: &dyn Documents,
    users: &[UserId],
    mut visit: impl FnMut(&ShopOrder),
) -> Result<bool, PortError> {
    let users: Vec<_> = users.iter().map(|user| user.get().into()).collect();
    let (mut seen, mut are_all_read) = (0, true);
    loop {
        let query = Query::any_of(ORDERS, "user_id", users.clone(), PAGE).skip(seen);
        let found = records::find_versioned::<ShopOrder>(documents, &query).await?;
        let is_last = found.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        for order in found {
            match order {
                Ok(order) if order.is_paid() => visit(&order),
                Ok(_) => {}
                Err(_) => are_all_read = false,
            }
        }
        if is_last {
            return Ok(are_all_read);
        }
        seen = seen.saturating_add(PAGE);
    }
}
