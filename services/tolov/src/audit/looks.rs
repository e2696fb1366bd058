//! The two looks at the books.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, Result};

use super::{
    books::{Books, patiently},
    difference::Difference,
    findings::{Findings, Totals},
    messages, orders, shop,
};

/// Compares everything, and what differs once more after a pause: the services go on writing, one store after the
/// other, and what is under way between two of them is no difference.
pub(super) async fn compare(books: &Books, settle_for: Duration) -> Result<(Findings, Totals)> {
    let (mut first, mut totals) = (Findings::default(), Totals::default());
    let compared = orders::compare_all(books, &mut totals, async |differences| {
        first.extend(differences);
        Ok(())
    });
    compared.await.context("orders could not be compared")?;
    shop::compare_all(books, &mut first, &mut totals).await.context("the shop store could not be read")?;
    messages::compare_all(books, &mut first).await.context("outbox and bus could not be read")?;
    if first.is_empty() {
        return Ok((first, totals));
    }
    tokio::time::sleep(settle_for).await;
    let mut second = Findings::default();
    let again = patiently(async || look_again(books, &first).await).await;
    second.extend(again.context("what differs could not be looked at again")?);
    Ok((second.confirmed(&first), totals))
}

async fn look_again(books: &Books, first: &Findings) -> Result<Vec<Difference>> {
    let (mut users, mut articles, mut parked) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut unreadable = Vec::new();
    for difference in first.iter() {
        match difference {
            Difference::OrderCount { user_id, .. }
            | Difference::NotJudged { user_id }
            | Difference::InCart { user_id, .. } => drop(users.insert(*user_id)),
            Difference::DocumentUnreadable { .. } => unreadable.push(difference),
            Difference::StrayHold { article_id, .. } => drop(articles.insert(*article_id)),
            Difference::Parked { .. } => drop(parked.insert(difference.subject())),
            Difference::OrderUnknown { .. }
            | Difference::OrderDiffers { .. }
            | Difference::OrderUnreadable { .. }
            | Difference::PaidInShopAlone { .. }
            | Difference::OpenInShopAlone { .. }
            | Difference::Unsettled { .. }
            | Difference::RefundDiffers { .. }
            | Difference::RefundHangs { .. }
            | Difference::NotTold { .. }
            | Difference::RefundNotTold { .. }
            | Difference::NotHeld { .. }
            | Difference::QuestionNotTold { .. }
            | Difference::Unsent { .. } => {}
        }
    }
    let mut again = orders::compare(books, &shop::orders_of(first.iter())).await?;
    again.extend(shop::compare(books, &users, &articles).await?);
    again.extend(shop::still_unreadable(books, &unreadable).await?);
    again.extend(messages::compare(books, &parked).await?);
    Ok(again)
}
