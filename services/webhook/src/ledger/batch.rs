//! The jobs of one transaction: what of the ledger they need, what was decided, and who is to hear of it.

use std::collections::BTreeSet;

use tokio::sync::oneshot;
use tolov_click::{Action, Callback, Reply};
use tolov_domain::{
    ClickTransId, OrderId, PrepareId,
    time::{Timestamp, unix_ms},
};

use super::{
    Arrival, Cancellation, Content, Creation, Job, NewOrder, RelayMarks, books::Books, rows::CallbackRow,
};

/// The part of the ledger that a batch needs.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) orders: BTreeSet<OrderId>,
    pub(super) attempts: BTreeSet<PrepareId>,
    pub(super) transactions_of_orders: BTreeSet<(OrderId, ClickTransId)>,
    pub(super) transactions: BTreeSet<ClickTransId>,
    /// Orders that may end: their open attempts are given up with them.
    pub(super) ending: BTreeSet<OrderId>,
}

/// The jobs of one transaction.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) arrivals: Vec<(Box<Arrival>, oneshot::Sender<Reply>)>,
    pub(super) new_orders: Vec<(Box<NewOrder>, oneshot::Sender<Creation>)>,
    pub(super) cancels: Vec<(OrderId, Timestamp, oneshot::Sender<Cancellation>)>,
    pub(super) marks: RelayMarks,
    pub(super) marked: Vec<oneshot::Sender<()>>,
}

pub(super) struct Decided {
    pub(super) replies: Vec<Reply>,
    pub(super) creations: Vec<Creation>,
    pub(super) cancellations: Vec<Cancellation>,
    pub(super) callbacks: Vec<CallbackRow>,
}

pub(super) enum Answered {
    Arrival(oneshot::Sender<Reply>, Reply),
    NewOrder(oneshot::Sender<Creation>, Creation),
    Cancel(oneshot::Sender<Cancellation>, Cancellation),
    Marks(oneshot::Sender<()>),
}

impl Answered {
    /// A caller that has gone away is not an error: its request is done, and a repetition hears the same.
    pub(super) fn send(self) {
        match self {
            Self::Arrival(caller, reply) => drop(caller.send(reply)),
            Self::NewOrder(caller, creation) => drop(caller.send(creation)),
            Self::Cancel(caller, cancellation) => drop(caller.send(cancellation)),
            Self::Marks(caller) => drop(caller.send(())),
        }
    }
}

impl Batch {
    /// Splits off the jobs that need transactions of their own.
    pub(super) fn from_jobs(jobs: Vec<Job>) -> (Self, Vec<Job>) {
        let mut batch = Self::default();
        let mut maintenance = Vec::new();
        for job in jobs {
            match job {
                Job::Arrival(arrival, caller) => batch.arrivals.push((arrival, caller)),
                Job::NewOrder(order, caller) => batch.new_orders.push((order, caller)),
                Job::Cancel(order_id, now, caller) => batch.cancels.push((order_id, now, caller)),
                Job::RelayMarks(marks, caller) => {
                    batch.marks.at_ms = batch.marks.at_ms.max(marks.at_ms);
                    batch.marks.sent.extend(marks.sent);
                    batch.marks.refused.extend(marks.refused);
                    batch.marked.push(caller);
                }
                job @ (Job::Expire { .. } | Job::PruneOutbox { .. } | Job::Probe { .. }) => {
                    maintenance.push(job);
                }
            }
        }
        (batch, maintenance)
    }

    pub(super) fn len(&self) -> usize {
        self.arrivals.len() + self.new_orders.len() + self.cancels.len() + self.marked.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::default();
        wanted.orders.extend(self.new_orders.iter().map(|(order, _)| order.order_id));
        wanted.ending.extend(self.cancels.iter().map(|(order_id, ..)| *order_id));
        wanted.orders.extend(&wanted.ending);
        for callback in self.arrivals.iter().filter_map(|(arrival, _)| arrival.callback()) {
            let Ok(order_id) = OrderId::parse(&callback.merchant_trans_id) else { continue };
            wanted.orders.insert(order_id);
            wanted.transactions.insert(callback.click_trans_id);
            match &callback.action {
                Action::Prepare => {
                    wanted.transactions_of_orders.insert((order_id, callback.click_trans_id));
                }
                Action::Complete { merchant_prepare_id } => {
                    wanted.attempts.extend(PrepareId::parse(merchant_prepare_id).ok());
                }
            }
        }
        wanted
    }

    /// Decides every job, one after the other. New orders first: a callback can only come after its order was made.
    /// Cancellations last: money that came at the same moment is then in time.
    pub(super) fn decide(&self, books: &mut Books) -> Decided {
        let creations =
            self.new_orders.iter().map(|(order, _)| books.create_order((**order).clone())).collect();
        let mut replies = Vec::with_capacity(self.arrivals.len());
        let mut callbacks = Vec::with_capacity(self.arrivals.len());
        for (arrival, _) in &self.arrivals {
            let reply = match &arrival.content {
                Content::Callback(callback) => books.answer(callback, arrival.received_at),
                Content::Refused(code) | Content::Unverified(code) => Reply::code(*code),
            };
            callbacks.push(arrival.to_row(&reply));
            replies.push(reply);
        }
        let cancel = |(order_id, now, _): &(OrderId, Timestamp, _)| books.cancel_order(*order_id, *now);
        let cancellations = self.cancels.iter().map(cancel).collect();
        Decided { replies, creations, cancellations, callbacks }
    }

    pub(super) fn answers(&mut self, decided: Decided) -> Vec<Answered> {
        let arrivals = self.arrivals.drain(..).zip(decided.replies);
        let new_orders = self.new_orders.drain(..).zip(decided.creations);
        let cancels = self.cancels.drain(..).zip(decided.cancellations);
        arrivals
            .map(|((_, caller), reply)| Answered::Arrival(caller, reply))
            .chain(new_orders.map(|((_, caller), creation)| Answered::NewOrder(caller, creation)))
            .chain(cancels.map(|((.., caller), cancelled)| Answered::Cancel(caller, cancelled)))
            .chain(self.marked.drain(..).map(Answered::Marks))
            .collect()
    }

    pub(super) fn into_singles(self) -> impl Iterator<Item = Job> {
        let arrivals = self.arrivals.into_iter().map(|(arrival, caller)| Job::Arrival(arrival, caller));
        let new_orders = self.new_orders.into_iter().map(|(order, caller)| Job::NewOrder(order, caller));
        let cancels =
            self.cancels.into_iter().map(|(order_id, now, caller)| Job::Cancel(order_id, now, caller));
        // The marks of several callers were joined; they stay one job, whose first caller hears of it. The others
        // see an error and mark again, which changes nothing.
        let marks = self.marked.into_iter().next().map(|caller| Job::RelayMarks(self.marks, caller));
        arrivals.chain(new_orders).chain(cancels).chain(marks)
    }
}

impl Arrival {
    pub(super) fn callback(&self) -> Option<&Callback> {
        match &self.content {
            Content::Callback(callback) => Some(callback),
            Content::Refused(_) | Content::Unverified(_) => None,
        }
    }

    pub(super) fn to_row(&self, reply: &Reply) -> CallbackRow {
        let verified = u8::from(!matches!(self.content, Content::Unverified(_)));
        let order_id = self.callback().and_then(|callback| OrderId::parse(&callback.merchant_trans_id).ok());
        let answer = String::from_utf8(reply.to_json()).unwrap_or_default();
        let (at, peer, fields) = (unix_ms(self.received_at), self.peer.clone(), self.fields.clone());
        CallbackRow(at, peer, verified, order_id, fields, reply.error, answer)
    }
}
