//! Mending what an audit has found. Each repair may be repeated, and is in the operators' journal before it is done.

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use tolov_domain::{Language, OrderId, Outcome};
use tolov_shop::settling;

use super::{
    books::Books,
    difference::Difference,
    findings::Findings,
    refunds::RefundDifference,
    replayer::{Replayer, ServiceAddress},
    shop::pieces,
};
use crate::{commands::journal::Journal, data_folder::DataFolder};

/// What became of one difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Repair {
    Done,
    /// Somebody has to do what its remedy says.
    ByHand,
    Failed(String),
}

pub(super) struct Repairer<'a> {
    books: &'a Books,
    journal: Journal,
    data: &'a DataFolder,
    service: &'a ServiceAddress,
    replayer: Option<Replayer>,
}

impl<'a> Repairer<'a> {
    pub(super) fn new(books: &'a Books, data: &'a DataFolder, service: &'a ServiceAddress) -> Self {
        Self { books, journal: Journal::beside(data.ledger_path()), data, service, replayer: None }
    }

    /// One answer a difference, in their order. Orders are mended before they are counted.
    pub(super) async fn repair_all(&mut self, findings: &Findings) -> Vec<Repair> {
        let mut repairs: Vec<Repair> = findings.iter().map(|_| Repair::ByHand).collect();
        for is_count in [false, true] {
            for (difference, repair) in findings.iter().zip(&mut repairs) {
                if matches!(difference, Difference::OrderCount { .. } | Difference::InCart { .. }) == is_count
                {
                    *repair = self.repair(difference).await;
                }
            }
        }
        repairs
    }

    /// One that fails keeps no other from being mended.
    async fn repair(&mut self, difference: &Difference) -> Repair {
        if is_by_hand(difference) {
            return Repair::ByHand;
        }
        match self.try_repair(difference).await {
            Ok(()) => Repair::Done,
            Err(error) => Repair::Failed(format!("{error:#}")),
        }
    }

    async fn try_repair(&mut self, difference: &Difference) -> Result<()> {
        let details = json!({
            "kind": difference.kind(), "order_id": difference.order_id(), "difference": difference.text(Language::En),
        });
        self.journal.record("audit --repair", details)?;
        let shop = self.books.shop.as_ref();
        match difference {
            Difference::OrderUnknown { order_id } | Difference::OrderDiffers { order_id, .. } => {
                if let Some(payment) = self.books.ledger.payments_of(&[*order_id]).await?.pop() {
                    settling::correct_order(shop, &payment).await?;
                }
                // Shopper and staff hear of it by the event alone.
                self.replay(*order_id).await
            }
            Difference::NotTold { order_id, .. }
            | Difference::OpenInShopAlone { order_id }
            | Difference::RefundDiffers { order_id, .. } => self.replay(*order_id).await,
            Difference::QuestionNotTold { order_id: Some(order_id), .. } => self.replay(*order_id).await,
            Difference::QuestionNotTold { order_id: None, at, .. } => {
                let (second, now) = (time::Duration::seconds(1), self.books.now);
                let replayer = self.replayer().await?;
                replayer.replay_unplaced((*at - second, *at + second), now).await.map(drop)
            }
            Difference::Unsettled { order_id } => {
                let unsettled = settling::settle_again(shop, &[*order_id]).await?;
                if unsettled.is_empty() {
                    Ok(())
                } else {
                    bail!("a document of order {order_id} cannot be read")
                }
            }
            Difference::OrderCount { user_id, .. } | Difference::InCart { user_id, .. } => {
                settling::correct_shopper(shop, *user_id).await?;
                Ok(())
            }
            Difference::NotHeld { order_id, .. } => match settling::hold_again(shop, *order_id).await? {
                Outcome::Applied | Outcome::AlreadyApplied => Ok(()),
                Outcome::Refused(short) => {
                    let short: Vec<String> =
                        short.iter().map(|it| format!("{} of article {}", it.left, it.article_id)).collect();
                    bail!("there are only {} left", short.join(" and "))
                }
            },
            Difference::StrayHold { order_id, article_id, count } => {
                settling::release_stray(shop, *order_id, &[pieces(*article_id, *count)]).await?;
                Ok(())
            }
            Difference::Parked { queue, id, .. } => {
                let is_there = self.books.bus.requeue_parked(*queue, id).await?;
                ensure!(is_there, "it is parked no more: somebody has requeued or dropped it meanwhile");
                Ok(())
            }
            Difference::OrderUnreadable { .. }
            | Difference::PaidInShopAlone { .. }
            | Difference::RefundHangs { .. }
            | Difference::Unsent { .. } => Ok(()),
        }
    }

    async fn replay(&mut self, order_id: OrderId) -> Result<()> {
        self.replayer().await?.replay(&[order_id]).await.map(drop)
    }

    /// The service is asked, or the ledger opened, when the first event is to be published once more.
    async fn replayer(&mut self) -> Result<&Replayer> {
        if self.replayer.is_none() {
            self.replayer = Some(Replayer::open(self.data.ledger(), self.service).await?);
        }
        self.replayer.as_ref().context("no way to the ledger")
    }

    pub(super) async fn close(self) {
        if let Some(replayer) = self.replayer {
            replayer.close().await;
        }
    }
}

const fn is_by_hand(difference: &Difference) -> bool {
    if let Difference::OrderDiffers { how, .. } = difference {
        return how.contradicts();
    }
    matches!(
        difference,
        Difference::OrderUnreadable { .. }
            | Difference::PaidInShopAlone { .. }
            | Difference::Unsent { .. }
            | Difference::RefundHangs { .. }
            | Difference::RefundDiffers { how: RefundDifference::Amount | RefundDifference::NotInLedger, .. }
    )
}
