//! Mending what an audit has found. Each repair may be repeated, and is in the operators' journal before it is done and with what
//! came of it.

use std::borrow::Cow;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tolov_domain::{Language, OrderId, Outcome, ports::bus::Queue};
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
const GONE: &str = "it is parked no more: somebody has requeued or dropped it meanwhile";

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
        for queue in Queue::ALL {
            self.requeue(queue, findings.iter().zip(&mut repairs)).await;
        }
        repairs
    }

    /// One that is refused keeps no other from being mended.
    async fn repair(&mut self, difference: &Difference) -> Repair {
        if is_by_hand(difference) {
            return Repair::ByHand;
        }
        if let Err(error) = self.journal.record(COMMAND, details(difference)) {
            return refused(&error);
        }
        let repair = self.try_repair(difference).await.unwrap_or_else(|error| refused(&error));
        self.ended(difference, repair)
    }

    /// With what came of it in the journal.
    fn ended(&self, difference: &Difference, repair: Repair) -> Repair {
        match self.journal.record_result(COMMAND, details(difference), &repair.word()) {
            Ok(()) => repair,
            Err(error) => refused(&error),
        }
    }

    /// All parked messages of a queue in one look.
    async fn requeue<'f>(&self, queue: Queue, all: impl Iterator<Item = (&'f Difference, &'f mut Repair)>) {
        let mut asked = Vec::new();
        for (difference, repair) in all {
            let Difference::Parked { queue: parked_at, id, .. } = difference else { continue };
            if *parked_at != queue {
                continue;
            }
            match self.journal.record(COMMAND, details(difference)) {
                Ok(()) => asked.push((id, difference, repair)),
                Err(error) => *repair = refused(&error),
            }
        }
        if asked.is_empty() {
            return;
        }
        let ids = asked.iter().map(|(id, ..)| (*id).clone()).collect();
        let requeued = self.books.bus.requeue_parked(queue, &ids).await;
        for (id, difference, repair) in asked {
            let done = match &requeued {
                Ok(requeued) if requeued.contains(id) => Repair::Done,
                Ok(_) => Repair::Refused(GONE.to_owned()),
                Err(error) => Repair::Refused(error.to_string()),
            };
            *repair = self.ended(difference, done);
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
            | Difference::RefundNotTold { order_id, .. }
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
            Difference::Parked { .. }
            | Difference::NotJudged { .. }
            | Difference::DocumentUnreadable { .. }
            | Difference::OrderUnreadable { .. }
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

fn refused(error: &anyhow::Error) -> Repair {
    Repair::Refused(format!("{error:#}"))
}

fn details(difference: &Difference) -> Value {
    json!({ "kind": difference.kind(), "order_id": difference.order_id(), "difference": difference.text(Language::En) })
}

/// Or by [`Repairer::requeue`], all in one look.
const fn is_by_hand(difference: &Difference) -> bool {
    if let Difference::OrderDiffers { how, .. } = difference {
        return how.contradicts();
    }
    matches!(
        difference,
        Difference::Parked { .. }
            | Difference::NotJudged { .. }
            | Difference::DocumentUnreadable { .. }
            | Difference::OrderUnreadable { .. }
            | Difference::PaidInShopAlone { .. }
            | Difference::Unsent { .. }
            | Difference::RefundHangs { .. }
            | Difference::RefundDiffers { how: RefundDifference::Amount | RefundDifference::NotInLedger, .. }
    )
}
