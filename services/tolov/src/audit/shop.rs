//! What follows from the orders within the shop store: how many each person has paid, what was to leave the carts, and what is
//! held for nothing.

use std::collections::BTreeSet;

use anyhow::Result;
use tolov_domain::{
    OrderId, ProductId, UserId,
    ports::{
        PortError, ShopStore,
        documents::{Key, Query, Unreadable},
    },
};
use tolov_shop::{
    catalogue::{self, Product, stock::HoldState},
    records::{self, Record},
    settling::{self, Purchases},
    shopper::Shopper,
};

use super::{
    books::{Books, patiently},
    difference::Difference,
    findings::{Findings, Totals},
    orders,
};

/// How many people or products are in memory at a time.
const PAGE: u32 = 100;

pub(super) async fn compare_all(books: &Books, findings: &mut Findings, totals: &mut Totals) -> Result<()> {
    let shop = books.shop.as_ref();
    let mut after = None;
    while let Some(users) = page::<Shopper>(shop, &mut after).await? {
        totals.users += u64::try_from(users.len())?;
        let users = readable(users, findings);
        findings.extend(patiently(async || of_users(shop, &users).await).await?);
    }
    let mut after = None;
    while let Some(products) = page::<Product>(shop, &mut after).await? {
        totals.products += u64::try_from(products.len())?;
        for product in readable(products, findings) {
            findings.extend(patiently(async || of_product(shop, &product).await).await?);
        }
    }
    Ok(())
}

/// The records whose keys come next, or why they cannot be read. `None` after the last.
async fn page<R: Record>(
    shop: &dyn ShopStore,
    after: &mut Option<Key>,
) -> Result<Option<Vec<Result<R, Unreadable>>>> {
    let mut query = Query::all(R::COLLECTION, PAGE);
    if let Some(after) = after.take() {
        query = query.after(after);
    }
    let found = patiently(async || Ok(records::find_versioned::<R>(shop, &query).await?)).await?;
    let records: Vec<_> = found.into_iter().map(|found| found.map(|read| read.record)).collect();
    *after = records.last().map(|last| match last {
        Ok(record) => record.key(),
        Err(unreadable) => unreadable.key.clone(),
    });
    Ok((!records.is_empty()).then_some(records))
}

/// Those that can be read; each of the others is a difference.
fn readable<R: Record>(records: Vec<Result<R, Unreadable>>, findings: &mut Findings) -> Vec<R> {
    let collection = R::COLLECTION.name();
    let mut read = |record: Result<R, Unreadable>| match record {
        Ok(record) => Some(record),
        Err(Unreadable { key, reason }) => {
            findings.add(Difference::DocumentUnreadable { collection, key, reason });
            None
        }
    };
    records.into_iter().filter_map(&mut read).collect()
}

/// Which of these documents cannot be read now either.
pub(super) async fn still_unreadable(books: &Books, documents: &[&Difference]) -> Result<Vec<Difference>> {
    let shop = books.shop.as_ref();
    let mut still = Vec::new();
    for document in documents {
        let Difference::DocumentUnreadable { collection, key, .. } = document else { continue };
        let read = if *collection == Product::COLLECTION.name() {
            records::read_versioned::<Product>(shop, key).await.map(drop)
        } else {
            records::read_versioned::<Shopper>(shop, key).await.map(drop)
        };
        match read {
            Ok(()) => {}
            Err(PortError::Refused(_)) => still.push((*document).clone()),
            Err(away @ PortError::Unavailable(_)) => return Err(away.into()),
        }
    }
    Ok(still)
}

/// Looks at these people and articles again.
pub(super) async fn compare(
    books: &Books,
    users: &BTreeSet<UserId>,
    articles: &BTreeSet<ProductId>,
) -> Result<Vec<Difference>> {
    let shop = books.shop.as_ref();
    let users: Vec<UserId> = users.iter().copied().collect();
    let mut differences = Vec::new();
    for part in users.chunks(usize::try_from(PAGE)?) {
        let users: Vec<Shopper> = records::read_many(shop, part.iter().map(|user| user.get())).await?;
        differences.extend(of_users(shop, &users).await?);
    }
    for article in articles {
        if let Some(product) = catalogue::product_of_article(shop, *article).await? {
            differences.extend(of_product(shop, &product).await?);
        }
    }
    Ok(differences)
}

async fn of_users(shop: &dyn ShopStore, users: &[Shopper]) -> Result<Vec<Difference>> {
    let mut purchases = settling::purchases(shop, users).await?;
    let mut differences = Vec::new();
    for user in users {
        let (user_id, counted) = (user.id, user.order_count);
        let Some(Purchases { count: paid, in_cart }) = purchases.remove(&user_id).flatten() else {
            differences.push(Difference::NotJudged { user_id });
            continue;
        };
        if counted != paid {
            differences.push(Difference::OrderCount { user_id, counted, paid });
        }
        differences.extend(in_cart.into_iter().map(|order_id| Difference::InCart { order_id, user_id }));
    }
    Ok(differences)
}

/// A product holds no more than the orders that are open, so each can be asked for.
async fn of_product(shop: &dyn ShopStore, product: &Product) -> Result<Vec<Difference>> {
    let mut differences = Vec::new();
    for hold in product.holds.iter().filter(|hold| hold.state == HoldState::Held) {
        let (order_id, article_id, count) = (hold.order_id, hold.article_id, hold.count);
        // One that cannot be read is a difference of its own.
        let Ok(order) = orders::read(shop, order_id).await? else { continue };
        if settling::is_stray(order.as_ref()) {
            differences.push(Difference::StrayHold { order_id, article_id, count });
        }
    }
    Ok(differences)
}

/// The order of a hold, with the pieces to be released.
pub(super) const fn pieces(article_id: ProductId, count: u32) -> tolov_domain::OrderedProduct {
    tolov_domain::OrderedProduct { product_id: article_id, count }
}

/// The orders that differences are about.
pub(super) fn orders_of<'a>(differences: impl Iterator<Item = &'a Difference>) -> BTreeSet<OrderId> {
    differences
        .filter(|it| !matches!(it, Difference::StrayHold { .. } | Difference::InCart { .. }))
        .filter_map(Difference::order_id)
        .collect()
}
