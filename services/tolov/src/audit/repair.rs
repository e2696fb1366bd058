//! Mending what an audit has found. Each repair may be repeated, and is in the operators' journal before it is done and with what
//! came of it.

use std::borrow::Cow;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tolov_domain::{Language, OrderId, Outcome};
use tolov_shop::settling;

use super::{
    books::Books,
    difference::Difference,
    findings::Findings,
    orders,
    refunds::RefundDifference,
    replayer::{Replayer, ServiceAddress},
    shop::pieces,
};
use crate::{commands::journal::Journal, data_folder::DataFolder};

const COMMAND: &str = "audit --repair";

/// What became of one difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Repair {
    Done,
    /// Somebody or something else had mended it meanwhile.
    AlreadyRight,
    /// Somebody has to do what its remedy says.
    ByHand,
    Refused(String),
}

impl Repair {
    /// For machines, and for the journal.
    pub(super) fn word(&self) -> Cow<'static, str> {
        match self {
            Self::Done => "done".into(),
            Self::AlreadyRight => "already right".into(),
            Self::ByHand => "by hand".into(),
            Self::Refused(why) => format!("refused: {why}").into(),
        }
    }

    fn of<R>(outcome: &Outcome<R>, why: impl FnOnce(&R) -> String) -> Self {
        match outcome {
            Outcome::Applied => Self::Done,
            Outcome::AlreadyApplied => Self::AlreadyRight,
            Outcome::Refused(refusal) => Self::Refused(why(refusal)),
        }
    }
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
                if difference.user_id().is_some() == is_count {
                    *repair = self.repair(difference).await;
                }
            }
        }
        repairs
    }

    /// One that is refused keeps no other from being mended.
    async fn repair(&mut self, difference: &Difference) -> Repair {
        if is_by_hand(difference) {
            return Repair::ByHand;
        }
        let details = json!({
            "kind": difference.kind(), "order_id": difference.order_id(), "difference": difference.text(Language::En),
        });
        if let Err(error) = self.journal.record(COMMAND, details.clone()) {
            return Repair::Refused(format!("{error:#}"));
        }
        let repair = self.try_repair(difference).await;
        let repair = repair.unwrap_or_else(|error| Repair::Refused(format!("{error:#}")));
        match self.journal.record_result(COMMAND, details, &repair.word()) {
            Ok(()) => repair,
            Err(error) => Repair::Refused(format!("{error:#}")),
        }
    }

    async fn try_repair(&mut self, difference: &Difference) -> Result<Repair> {
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
                let replayed = replayer.replay_unplaced((*at - second, *at + second), now).await?;
                ensure!(replayed > 0, "the ledger has its event no more");
                Ok(Repair::Done)
            }
            Difference::Unsettled { order_id } => {
                let order = orders::read(shop, *order_id).await?;
                if order.is_ok_and(|order| order.is_none_or(|order| !order.is_unsettled())) {
                    return Ok(Repair::AlreadyRight);
                }
                let unsettled = settling::settle_again(shop, &[*order_id]).await?;
                ensure!(unsettled.is_empty(), "a document of order {order_id} cannot be read");
                Ok(Repair::Done)
            }
            Difference::OrderCount { user_id, .. } | Difference::InCart { user_id, .. } => {
                let outcome = settling::correct_shopper(shop, *user_id).await?;
                Ok(Repair::of(&outcome, |refused| match *refused {}))
            }
            Difference::NotHeld { order_id, .. } => {
                let outcome = settling::hold_again(shop, *order_id).await?;
                Ok(Repair::of(&outcome, |short| {
                    let left = short.iter().map(|it| format!("{} of article {}", it.left, it.article_id));
                    format!("there are only {} left", left.collect::<Vec<_>>().join(" and "))
                }))
            }
            Difference::StrayHold { order_id, article_id, count } => {
                let held = [pieces(*article_id, *count)];
                let is_released = settling::release_stray(shop, *order_id, &held).await?;
                Ok(if is_released { Repair::Done } else { Repair::AlreadyRight })
            }
            Difference::Parked { queue, id, .. } => {
                let is_there = self.books.bus.requeue_parked(*queue, id).await?;
                ensure!(is_there, "it is parked no more: somebody has requeued or dropped it meanwhile");
                Ok(Repair::Done)
            }
            Difference::OrderUnreadable { .. }
            | Difference::PaidInShopAlone { .. }
            | Difference::RefundHangs { .. }
            | Difference::Unsent { .. } => Ok(Repair::ByHand),
        }
    }

    async fn replay(&mut self, order_id: OrderId) -> Result<Repair> {
        let unknown = self.replayer().await?.replay(&[order_id]).await?;
        ensure!(unknown.is_empty(), "the ledger does not know the order");
        Ok(Repair::Done)
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
