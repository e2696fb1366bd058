//! Work for the writer. A new kind of decision is one type here with one `impl Decision`.

use tokio::sync::oneshot;
use tolov_click::{Callback, ClickCode, Reply, card};
use tolov_domain::{OrderId, TraceParent, UnplacedPayment, payment::Answer, time::Timestamp, unplaced};
use tolov_kit::{
    clock_watch,
    spans::{self, Beginning, Kind, Span},
};

use super::{
    known::{Needs, Numbers},
    rows::CallbackRow,
    working_set::WorkingSet,
};
use crate::ledger::{
    Arrival, Content, EndRefusal, NewOrder, OrderRefusal, Outcome, Overtaken, RelayMarks, Unverified,
};

/// Work for the writer.
pub(crate) enum Job {
    /// Shares a transaction with whatever else waits.
    Decide(Box<dyn Decidable>),
    /// Has a transaction of its own. The caller hears how many rows it concerned.
    Maintain(Maintenance, oneshot::Sender<u64>),
}

/// Upkeep of the file.
#[derive(Debug)]
pub(crate) enum Maintenance {
    /// Deletes events that were sent before this, a limited number.
    PruneOutbox { sent_before: Timestamp },
    /// Deletes unverified callbacks that came before this, and the oldest of those beyond a number of rows.
    PruneUnverified { received_before: Timestamp, rows_max: u32 },
    /// Remembers what the clock was believed to be.
    NoteClock(clock_watch::Note),
    /// Marks the events of payments without an order as unsent.
    ReplayUnplaced { since: Timestamp, until: Timestamp },
    /// Writes something, to see whether that works.
    Probe { now: Timestamp },
}

/// The order of the decisions of one transaction. A callback can only come after its order was registered; money that
/// comes at the moment of a cancellation is in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Register,
    Callback,
    End,
    Record,
}

/// A request that is decided on the part of the ledger that it touches.
pub(crate) trait Decision: Send + 'static {
    type Answer: Send;
    const PHASE: Phase;

    /// Names the rows that it touches.
    fn needs(&self, needs: &mut Needs);
    /// Decides. Runs again on what the ledger then is, when its transaction failed or the one before that it was decided upon.
    fn decide(&self, set: &mut WorkingSet) -> Self::Answer;
}

/// A [`Decision`] with whoever waits for its answer.
pub(crate) trait Decidable: Send {
    fn phase(&self) -> Phase;
    fn traceparent(&self) -> Option<&TraceParent>;
    fn needs(&self, needs: &mut Needs);
    fn decide(&mut self, set: &mut WorkingSet);
    /// Answers, after COMMIT. A caller that has gone away is no error: its request is done, and a repetition gets the
    /// same answer.
    fn answer(self: Box<Self>);
}

struct Request<D: Decision> {
    decision: D,
    traceparent: Option<TraceParent>,
    caller: oneshot::Sender<D::Answer>,
    answer: Option<D::Answer>,
}

impl Job {
    pub(crate) fn decide<D: Decision>(decision: D, caller: oneshot::Sender<D::Answer>) -> Self {
        let traceparent = spans::current().and_then(|parent| TraceParent::parse(&parent).ok());
        Self::Decide(Box::new(Request { decision, traceparent, caller, answer: None }))
    }
}

impl<D: Decision> Decidable for Request<D> {
    fn phase(&self) -> Phase {
        D::PHASE
    }

    fn traceparent(&self) -> Option<&TraceParent> {
        self.traceparent.as_ref()
    }

    fn needs(&self, needs: &mut Needs) {
        self.decision.needs(needs);
    }

    fn decide(&mut self, set: &mut WorkingSet) {
        set.traceparent.clone_from(&self.traceparent);
        self.answer = Some(self.decision.decide(set));
    }

    fn answer(self: Box<Self>) {
        if let Some(answer) = self.answer {
            drop(self.caller.send(answer));
        }
    }
}

/// What is committed together.
#[derive(Default)]
pub(super) struct Batch {
    /// Each on what the ones before it did, these before `undecided`.
    pub(super) decided: Vec<Box<dyn Decidable>>,
    pub(super) undecided: Vec<Box<dyn Decidable>>,
    /// Transactions of their own, before that of the decisions.
    pub(super) upkeep: Vec<(Maintenance, oneshot::Sender<u64>)>,
    /// Before the first decision. `None`: there is none yet.
    pub(super) before: Option<Numbers>,
}

impl Batch {
    pub(super) const fn len(&self) -> usize {
        self.decided.len() + self.undecided.len() + self.upkeep.len()
    }

    /// Whether nothing depends on how soon it is committed.
    pub(super) fn can_wait(&self) -> bool {
        let mut undecided = self.undecided.iter();
        self.upkeep.is_empty() && self.decided.is_empty() && undecided.all(|job| job.phase() == Phase::Record)
    }

    pub(super) fn add(&mut self, job: Job) {
        match job {
            Job::Decide(job) => self.undecided.push(job),
            Job::Maintain(maintenance, caller) => self.upkeep.push((maintenance, caller)),
        }
    }

    /// Adds it, and decides it where that takes no reading and nothing that is still to come should be decided before it.
    pub(super) fn add_ahead(&mut self, job: Job, set: &mut WorkingSet) {
        let has_all_for = |job: &dyn Decidable| {
            let mut needs = Needs::default();
            job.needs(&mut needs);
            set.known.has(needs)
        };
        match job {
            Job::Decide(mut job) if job.phase() <= Phase::Callback && has_all_for(&*job) => {
                self.before.get_or_insert(set.known.numbers);
                job.decide(set);
                self.decided.push(job);
            }
            Job::Decide(_) | Job::Maintain(..) => self.add(job),
        }
    }

    /// What it was decided upon is not so.
    pub(super) fn undecide(&mut self) {
        self.undecided.splice(0..0, self.decided.drain(..));
        self.before = None;
    }
}

/// The commit of a batch, as a span for each request that waits for it.
pub(super) fn commit_spans(batch: &Batch, system: &'static str) -> Vec<Span> {
    if !spans::is_on() {
        return Vec::new();
    }
    let size = i64::try_from(batch.len()).unwrap_or(i64::MAX);
    let commit = |parent: &TraceParent| {
        Span::begin(Kind::Client, Some(parent.as_str().to_owned()), || {
            Beginning::of("COMMIT ledger")
                .with("db.system.name", system)
                .with("db.operation.name", "COMMIT")
                .with("db.operation.batch.size", size)
        })
    };
    let jobs = batch.decided.iter().chain(&batch.undecided);
    jobs.filter_map(|job| job.traceparent()).map(commit).collect()
}

impl Decision for NewOrder {
    type Answer = Outcome<OrderRefusal>;
    const PHASE: Phase = Phase::Register;

    fn needs(&self, needs: &mut Needs) {
        needs.new_orders.insert(self.order_id);
    }

    fn decide(&self, set: &mut WorkingSet) -> Self::Answer {
        set.register(self)
    }
}

impl Decision for Arrival {
    type Answer = Reply;
    const PHASE: Phase = Phase::Callback;

    fn needs(&self, needs: &mut Needs) {
        let Content::Callback(callback) = &self.content else { return };
        let Some(order_id) = order_of(callback) else { return };
        needs.orders.insert(order_id);
        needs.transactions.insert(callback.click_trans_id);
    }

    fn decide(&self, set: &mut WorkingSet) -> Reply {
        let reply = match &self.content {
            Content::Callback(callback) => set.answer(callback, self.received_at),
            Content::Refused(code) => Reply::code(*code),
        };
        set.keep_callback(self, &reply);
        reply
    }
}

/// Ends orders that nobody has paid, as ORDER_TTL or a cancellation does.
pub(crate) struct EndOrders {
    pub(crate) order_ids: Vec<OrderId>,
    pub(crate) at: Timestamp,
}

impl Decision for EndOrders {
    type Answer = Vec<Outcome<EndRefusal>>;
    const PHASE: Phase = Phase::End;

    fn needs(&self, needs: &mut Needs) {
        needs.orders.extend(&self.order_ids);
    }

    fn decide(&self, set: &mut WorkingSet) -> Self::Answer {
        self.order_ids.iter().map(|order_id| set.end_order(*order_id, self.at)).collect()
    }
}

impl Decision for RelayMarks {
    type Answer = ();
    const PHASE: Phase = Phase::Record;

    fn needs(&self, _: &mut Needs) {}

    fn decide(&self, set: &mut WorkingSet) {
        set.mark_relayed(self);
    }
}

impl Decision for Unverified {
    type Answer = ();
    const PHASE: Phase = Phase::Record;

    fn needs(&self, _: &mut Needs) {}

    fn decide(&self, set: &mut WorkingSet) {
        set.keep_unverified(self.into());
    }
}

impl Decision for Overtaken {
    type Answer = ();
    const PHASE: Phase = Phase::Record;

    fn needs(&self, _: &mut Needs) {}

    fn decide(&self, set: &mut WorkingSet) {
        set.keep_evidence(CallbackRow::of_overtaken(self));
    }
}

/// The order that a callback names, when that is a number of an order.
pub(crate) fn order_of(callback: &Callback) -> Option<OrderId> {
    OrderId::parse(&callback.merchant_trans_id).ok()
}

pub(super) fn code_of(answer: Answer) -> ClickCode {
    match answer {
        Answer::Success => ClickCode::Success,
        Answer::IncorrectAmount => ClickCode::IncorrectAmount,
        Answer::AlreadyPaid => ClickCode::AlreadyPaid,
        Answer::Cancelled => ClickCode::TransactionCancelled,
    }
}

/// Whether staff have a question of its own about money that was answered so.
pub(in crate::ledger) const fn is_questioned(answer: Option<ClickCode>) -> bool {
    matches!(answer, Some(ClickCode::IncorrectAmount | ClickCode::TransactionCancelled))
}

/// What staff are told of money that the ledger cannot place. The texts are those of the callback.
pub(in crate::ledger) fn unplaced(
    [trans_id, paydoc_id, order, amount]: [Option<&str>; 4],
    answer: i32,
    occurred_at: Timestamp,
) -> UnplacedPayment {
    let whole = |field: Option<&str>| field.unwrap_or_default().chars().take(20).collect();
    UnplacedPayment {
        schema: unplaced::SCHEMA.to_owned(),
        event_id: UnplacedPayment::id_of(trans_id.or(paydoc_id).unwrap_or_default()),
        click_trans_id: whole(trans_id),
        click_paydoc_id: whole(paydoc_id),
        merchant_trans_id: card::hide_numbers(order.unwrap_or_default()).chars().take(100).collect(),
        amount: whole(amount),
        answer,
        occurred_at,
    }
}
