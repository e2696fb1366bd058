//! Writes a plan into both stores.

use std::{collections::BTreeMap, fmt, sync::Arc};

use anyhow::{Context, Result, bail, ensure};
use tolov_domain::{
    EventId, OrderId,
    notification::{self, Recipient},
    ports::{
        ShopStore,
        documents::{Documents, Key},
        notifications::SendOutcome,
    },
    time::Timestamp,
};
use tolov_shop::{
    catalogue::{self, Category, Product},
    order::{ShopOrder, Stage},
    records::{self, Record},
    shopper::Shopper,
    statistics,
};
use tolov_webhook::ledger::{AdoptRefusal, ImportedState, Ledger, Outcome};

use super::{Plan, orders::Order};

/// How many records are written at a time.
const CHUNK: usize = 200;

/// What was written; what was there already is not counted.
#[derive(Debug, Default)]
pub(super) struct Written {
    catalogue: usize,
    people: usize,
    orders: usize,
    paid_meanwhile: usize,
    /// Could be paid by the rules of this import, and are over since an earlier one.
    stay_over: usize,
    refused: Vec<String>,
}

impl Written {
    /// Orders that one of the stores does not have, or has in another state.
    pub(super) const fn refused(&self) -> usize {
        self.refused.len()
    }
}

impl fmt::Display for Written {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { catalogue, people, orders, paid_meanwhile, stay_over, refused } = self;
        write!(
            formatter,
            "{catalogue} categories and products, {people} people and {orders} orders are new"
        )?;
        if *paid_meanwhile > 0 {
            write!(
                formatter,
                "; {paid_meanwhile} were paid since the last import: their shoppers will be told"
            )?;
        }
        if *stay_over > 0 {
            write!(
                formatter,
                "; {stay_over} that --payable-hours names were brought over before as no longer payable, and stay so"
            )?;
        }
        refused.iter().try_for_each(|refused| write!(formatter, "\n  {refused}"))
    }
}

/// A record of the shop that the plan does not have, in words.
pub(super) async fn foreign_record(shop: &dyn ShopStore, plan: &Plan) -> Result<Option<String>> {
    if let Some(order) = first_foreign::<ShopOrder>(shop, |order| plan.orders.contains_key(&order.id)).await?
    {
        return Ok(Some(format!("order {}", order.id)));
    }
    let is_planned = |product: &Product| plan.catalogue.products.contains_key(&product.id);
    if let Some(product) = first_foreign::<Product>(shop, is_planned).await? {
        return Ok(Some(format!("product {}, \"{}\"", product.id, product.title)));
    }
    let is_planned = |category: &Category| plan.catalogue.categories.contains_key(&category.id);
    let category = first_foreign::<Category>(shop, is_planned).await?;
    Ok(category.map(|category| format!("category \"{}\"", category.title)))
}

async fn first_foreign<R: Record>(
    shop: &dyn ShopStore,
    is_planned: impl Fn(&R) -> bool,
) -> Result<Option<R>> {
    const PAGE: u32 = 500;
    let mut after: Option<Key> = None;
    loop {
        let page: Vec<R> = records::page_after(shop, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(None) };
        after = Some(last.key());
        if let Some(foreign) = page.into_iter().find(|record| !is_planned(record)) {
            return Ok(Some(foreign));
        }
    }
}

pub(super) async fn all(
    shop: &Arc<dyn ShopStore>,
    ledger: &Ledger,
    plan: &Plan,
    now: Timestamp,
) -> Result<Written> {
    let store = shop.as_ref();
    let mut written = Written::default();
    let categories = plan.catalogue.categories.keys().last().copied().unwrap_or_default();
    let articles = plan.catalogue.products.keys().last().map_or(0, |id| id.get());
    catalogue::reserve_numbers(store, categories, articles).await?;
    written.catalogue += insert_all(store, plan.catalogue.categories.values()).await?;
    written.catalogue += insert_all(store, plan.catalogue.products.values()).await?;
    catalogue::mark_changed(store).await?;
    written.people += insert_all::<Shopper>(store, plan.shoppers.values()).await?;
    written.people += insert_all(store, plan.owners.iter()).await?;
    let orders: Vec<&Order> = plan.orders.values().collect();
    for chunk in orders.chunks(CHUNK) {
        write_orders(shop, ledger, chunk, now, &mut written).await?;
    }
    statistics::recount(store).await?;
    Ok(written)
}

/// Notifications first: whatever happens then, nobody is told of a purchase of last year. The shop gets no order whose number
/// is another's in the ledger.
async fn write_orders(
    shop: &Arc<dyn ShopStore>,
    ledger: &Ledger,
    orders: &[&Order],
    now: Timestamp,
    written: &mut Written,
) -> Result<()> {
    let ids = orders.iter().map(|order| order.shop.id.get());
    let known: BTreeMap<OrderId, ShopOrder> = records::read_many::<ShopOrder>(shop.as_ref(), ids)
        .await?
        .into_iter()
        .map(|order| (order.id, order))
        .collect();
    let is_new = |order: &&&Order| !known.contains_key(&order.shop.id);
    settle_notifications(shop, orders.iter().filter(is_new).copied(), now).await?;
    let imported = orders.iter().map(|order| order.ledger.clone()).collect();
    let outcomes = ledger.import(imported, now).await.context("the ledger did not take the orders")?;
    let taken = orders.iter().zip(&outcomes).filter(|(_, outcome)| !is_left_out(outcome));
    written.orders += insert_all(shop.as_ref(), taken.map(|(order, _)| &order.shop)).await?;
    let mut paid_meanwhile = Vec::new();
    for (order, outcome) in orders.iter().zip(outcomes) {
        let order_id = order.shop.id;
        let known = known.get(&order_id);
        let was_unpaid = known.is_some_and(|known| !known.is_paid());
        let is_payable = matches!(order.ledger.state, ImportedState::Payable { .. });
        let is_over = known.is_some_and(|known| matches!(known.stage(), Stage::Cancelled | Stage::Expired));
        written.stay_over += usize::from(is_payable && is_over);
        match outcome {
            Outcome::Refused(refusal) if is_left_out(&outcome) => {
                written.refused.push(format!("order {order_id} was left out, because {refusal}"));
            }
            Outcome::Refused(refusal) => {
                written
                    .refused
                    .push(format!("the payment of order {order_id} was left out, because {refusal}"));
            }
            Outcome::Applied | Outcome::AlreadyApplied if was_unpaid && order.shop.is_paid() => {
                paid_meanwhile.push(order_id);
            }
            Outcome::Applied | Outcome::AlreadyApplied => {}
        }
    }
    written.paid_meanwhile += paid_meanwhile.len();
    ledger.replay(&paid_meanwhile).await.context("the ledger did not take the payments")?;
    Ok(())
}

/// Whether the ledger did not take the order itself.
const fn is_left_out(outcome: &Outcome<AdoptRefusal>) -> bool {
    matches!(outcome, Outcome::Refused(AdoptRefusal::OrderDiffers { .. } | AdoptRefusal::OutOfRange))
}

async fn settle_notifications(
    shop: &Arc<dyn ShopStore>,
    orders: impl Iterator<Item = &Order> + Send,
    now: Timestamp,
) -> Result<()> {
    let outcome = SendOutcome::Undeliverable { reason: "imported from the old system".to_owned() };
    let events =
        orders.flat_map(|order| order.shop.history.iter().filter_map(|entry| entry.event_id.as_ref()));
    let ids: Vec<EventId> = events
        .flat_map(|event| Recipient::ALL.map(|recipient| notification::id_of(event, recipient)))
        .collect();
    // A claim of nobody: what was never claimed cannot be settled everywhere.
    shop.claim(&ids, now, now).await?;
    Ok(shop.settle(&ids, &outcome, now).await?)
}

/// Inserts what is not there; returns how many.
async fn insert_all<'a, R: Record + 'a>(
    documents: &dyn Documents,
    records: impl Iterator<Item = &'a R>,
) -> Result<usize> {
    let records: Vec<&R> = records.collect();
    let mut inserted = 0;
    for chunk in records.chunks(CHUNK) {
        let by_key: BTreeMap<Key, &R> = chunk.iter().map(|record| (record.key(), *record)).collect();
        let insert = |key: &Key, there: Option<&R>, _| match there {
            Some(_) => None,
            None => by_key.get(key).map(|record| ((*record).clone(), ())),
        };
        let changed = records::change_many(documents, by_key.keys().cloned().collect(), insert).await?;
        if let Some((key, reason)) = changed.failed.into_iter().next() {
            bail!("the record {key} of {} is not written: {reason}", R::COLLECTION.name());
        }
        inserted += changed.records.len();
    }
    ensure!(inserted <= records.len(), "more was written than there is");
    Ok(inserted)
}
