//! The part of the ledger that a batch touches, in memory: jobs are decided one after the other, each seeing what the
//! ones before it did, and what changed is written in one transaction. No SQL and no waiting here.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tolov_click::{Action, Callback, ClickCode, Reply};
use tolov_domain::{
    ClickTransId, Event, EventKind, OrderId, PrepareId,
    payment::{
        self, Anomaly, Answer, AttemptState, ClickError, Completion, Confirmation, News, OrderState,
        Preparation,
    },
    time::{Timestamp, unix_ms},
};

use super::{
    Cancellation, Creation, NewOrder,
    rows::{AttemptRow, EventRow, LedgerAttempt, LedgerOrder, NewOrderRow, OrderChange},
};

#[derive(Debug, Default)]
pub(super) struct Books {
    orders: HashMap<OrderId, LedgerOrder>,
    attempts: BTreeMap<PrepareId, LedgerAttempt>,
    by_transaction: HashMap<(OrderId, ClickTransId), PrepareId>,
    paid_by_transaction: HashMap<ClickTransId, PrepareId>,
    next_prepare_id: i64,
    changed: Changes,
}

/// What has to be written.
#[derive(Debug, Default)]
struct Changes {
    new_orders: Vec<NewOrder>,
    orders: BTreeSet<OrderId>,
    attempts: BTreeSet<PrepareId>,
    events: Vec<Event>,
}

/// The rows to write, in the order in which foreign keys want them.
pub(super) struct Writes {
    pub(super) new_orders: Vec<NewOrderRow>,
    pub(super) attempts: Vec<AttemptRow>,
    pub(super) orders: Vec<OrderChange>,
    pub(super) events: Vec<EventRow>,
}

impl Books {
    pub(super) fn new(
        orders: impl IntoIterator<Item = LedgerOrder>,
        attempts: impl IntoIterator<Item = LedgerAttempt>,
        next_prepare_id: i64,
    ) -> Self {
        let mut books = Self { next_prepare_id, ..Self::default() };
        books.orders.extend(orders.into_iter().map(|order| (order.order_id, order)));
        for attempt in attempts {
            books.keep(attempt);
        }
        books
    }

    /// The number that the next new attempt gets.
    pub(super) fn next_prepare_id(&self) -> i64 {
        self.next_prepare_id
    }

    pub(super) fn create_order(&mut self, order: NewOrder) -> Creation {
        if let Some(known) = self.orders.get(&order.order_id) {
            return match () {
                () if known.user_id != order.user_id => Creation::Conflict("user_id"),
                () if known.amount != order.amount => Creation::Conflict("total_amount"),
                () if known.products != order.products => Creation::Conflict("products"),
                () => Creation::Existed,
            };
        }
        self.orders.insert(
            order.order_id,
            LedgerOrder {
                order_id: order.order_id,
                user_id: order.user_id,
                products: order.products.clone(),
                amount: order.amount,
                state: OrderState::Pending,
            },
        );
        self.changed.new_orders.push(order);
        Creation::Created
    }

    /// Decides a well signed callback of our service (click-protocol.md, section 4).
    pub(super) fn answer(&mut self, callback: &Callback, at: Timestamp) -> Reply {
        let order = OrderId::parse(&callback.merchant_trans_id).ok().and_then(|id| self.orders.get(&id));
        let reply = match (order.cloned(), &callback.action) {
            (None, _) => Reply::code(ClickCode::UserDoesNotExist),
            (Some(order), Action::Prepare) => self.prepare(&order, callback, at),
            (Some(order), Action::Complete { merchant_prepare_id }) => {
                let attempt = PrepareId::parse(merchant_prepare_id)
                    .ok()
                    .and_then(|id| self.attempts.get(&id))
                    .filter(|attempt| attempt.order_id == order.order_id);
                match attempt.cloned() {
                    None => Reply::code(ClickCode::TransactionDoesNotExist),
                    Some(attempt) => self.complete(&order, &attempt, callback, at),
                }
            }
        };
        reply.echo(callback.click_trans_id, &callback.merchant_trans_id)
    }

    fn prepare(&mut self, order: &LedgerOrder, callback: &Callback, at: Timestamp) -> Reply {
        if callback.error < 0 {
            return Reply::code(ClickCode::TransactionCancelled);
        }
        if callback.amount != Some(order.amount) {
            return Reply::code(ClickCode::IncorrectAmount);
        }
        let same = self.by_transaction.get(&(order.order_id, callback.click_trans_id)).copied();
        let same_state = same.and_then(|id| self.attempts.get(&id)).map(|attempt| attempt.state);
        match payment::prepare(order.state, same_state) {
            Preparation::Refused(answer) => Reply::code(code_of(answer)),
            Preparation::Opened(_) | Preparation::Repeated(_)
                if self.paid_by_transaction.contains_key(&callback.click_trans_id) =>
            {
                self.question(order, callback, None, Anomaly::TransactionReused, at);
                Reply::code(ClickCode::AlreadyPaid)
            }
            Preparation::Repeated(_) => {
                same.map_or(Reply::code(ClickCode::FailedToUpdateUser), Reply::prepared)
            }
            Preparation::Opened(state) => self.open_attempt(order, callback, state, at),
        }
    }

    fn open_attempt(
        &mut self,
        order: &LedgerOrder,
        callback: &Callback,
        state: AttemptState,
        at: Timestamp,
    ) -> Reply {
        let Ok(prepare_id) = PrepareId::try_new(self.next_prepare_id) else {
            return Reply::code(ClickCode::FailedToUpdateUser);
        };
        self.next_prepare_id += 1;
        self.keep(LedgerAttempt {
            prepare_id,
            order_id: order.order_id,
            click_trans_id: callback.click_trans_id,
            click_paydoc_id: callback.click_paydoc_id,
            amount: order.amount,
            prepared_at_ms: unix_ms(at),
            state,
        });
        self.changed.attempts.insert(prepare_id);
        Reply::prepared(prepare_id)
    }

    fn complete(
        &mut self,
        order: &LedgerOrder,
        attempt: &LedgerAttempt,
        callback: &Callback,
        at: Timestamp,
    ) -> Reply {
        let prepare_id = attempt.prepare_id;
        if callback.amount != Some(attempt.amount) {
            self.question(order, callback, Some(prepare_id), Anomaly::AmountDiffers, at);
            return Reply::code(ClickCode::IncorrectAmount);
        }
        let paid = self.paid_by_transaction.get(&callback.click_trans_id);
        let paid_another = paid.is_some_and(|paid| *paid != prepare_id);
        let completion = match ClickError::from_code(callback.error) {
            Some(error) => payment::cancel(order.state, attempt.state, error, at),
            None if paid_another => Completion {
                order: order.state,
                attempt: attempt.state,
                answer: Answer::AlreadyPaid,
                news: Some(News::Anomaly(Anomaly::TransactionReused)),
            },
            None => {
                let (click_trans_id, click_paydoc_id) = (callback.click_trans_id, callback.click_paydoc_id);
                let confirmation = Confirmation { click_trans_id, click_paydoc_id, at };
                payment::confirm(order.state, attempt.state, prepare_id, confirmation)
            }
        };
        self.record(order, attempt, completion, callback, at);
        match completion.answer {
            Answer::Success => Reply::confirmed(prepare_id),
            refused @ (Answer::AlreadyPaid | Answer::Cancelled) => Reply::code(code_of(refused)),
        }
    }

    fn record(
        &mut self,
        order: &LedgerOrder,
        attempt: &LedgerAttempt,
        completion: Completion,
        callback: &Callback,
        at: Timestamp,
    ) {
        let merchant_prepare_id = attempt.prepare_id;
        let (click_trans_id, click_paydoc_id) = (callback.click_trans_id, callback.click_paydoc_id);
        if completion.attempt != attempt.state {
            self.keep(LedgerAttempt { state: completion.attempt, ..attempt.clone() });
            self.changed.attempts.insert(merchant_prepare_id);
        }
        if completion.order != order.state {
            self.orders.insert(order.order_id, LedgerOrder { state: completion.order, ..order.clone() });
            self.changed.orders.insert(order.order_id);
        }
        match completion.news {
            None => {}
            Some(News::Completed { late }) => self.tell(
                order,
                EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, merchant_prepare_id, late },
                at,
            ),
            Some(News::Cancelled { error }) => self.tell(
                order,
                EventKind::PaymentCancelled { click_trans_id, click_paydoc_id, merchant_prepare_id, error },
                at,
            ),
            Some(News::Anomaly(anomaly)) => {
                self.question(order, callback, Some(merchant_prepare_id), anomaly, at);
            }
        }
    }

    /// Ends an order that nobody has paid (docs/decisions/0005-a-cancelled-order-is-an-expired-one.md).
    pub(super) fn cancel_order(&mut self, order_id: OrderId, at: Timestamp) -> Cancellation {
        match self.orders.get(&order_id).map(|order| order.state) {
            None => Cancellation::Unknown,
            Some(OrderState::Paid { .. }) => Cancellation::Paid,
            Some(OrderState::Expired { .. }) => Cancellation::Before,
            Some(OrderState::Pending) => {
                self.expire(&[order_id], at);
                Cancellation::Now
            }
        }
    }

    /// Expires the given orders and gives their open attempts up. Returns how many orders expired.
    pub(super) fn expire(&mut self, order_ids: &[OrderId], at: Timestamp) -> usize {
        let mut expired = 0;
        for order_id in order_ids {
            let Some(order) = self.orders.get(order_id).cloned() else { continue };
            let Some(state) = payment::expire_order(order.state, at) else { continue };
            self.orders.insert(*order_id, LedgerOrder { state, ..order.clone() });
            self.changed.orders.insert(*order_id);
            for attempt in self.attempts.values_mut().filter(|attempt| attempt.order_id == *order_id) {
                let given_up = payment::give_up(attempt.state, at);
                if given_up != attempt.state {
                    attempt.state = given_up;
                    self.changed.attempts.insert(attempt.prepare_id);
                }
            }
            self.tell(&order, EventKind::OrderExpired, at);
            expired += 1;
        }
        expired
    }

    fn question(
        &mut self,
        order: &LedgerOrder,
        callback: &Callback,
        merchant_prepare_id: Option<PrepareId>,
        anomaly: Anomaly,
        at: Timestamp,
    ) {
        tracing::warn!(
            order.id = %order.order_id,
            click_trans_id = %callback.click_trans_id,
            anomaly = anomaly.as_str(),
            "CLICK and the ledger do not agree; staff are told"
        );
        let (click_trans_id, click_paydoc_id) = (callback.click_trans_id, callback.click_paydoc_id);
        self.tell(
            order,
            EventKind::PaymentQuestioned { click_trans_id, click_paydoc_id, merchant_prepare_id, anomaly },
            at,
        );
    }

    fn tell(&mut self, order: &LedgerOrder, kind: EventKind, at: Timestamp) {
        self.changed.events.push(Event {
            id: Event::id_of(order.order_id, &kind),
            order_id: order.order_id,
            user_id: order.user_id,
            products: order.products.clone(),
            amount: order.amount,
            occurred_at: at,
            kind,
        });
    }

    fn keep(&mut self, attempt: LedgerAttempt) {
        self.by_transaction.insert((attempt.order_id, attempt.click_trans_id), attempt.prepare_id);
        if let AttemptState::Paid(confirmation) = attempt.state {
            self.paid_by_transaction.insert(confirmation.click_trans_id, attempt.prepare_id);
        }
        self.attempts.insert(attempt.prepare_id, attempt);
    }

    /// What changed, as rows.
    pub(super) fn into_writes(self) -> Writes {
        let changed = self.changed;
        let event_row = |event: &Event| {
            let body = String::from_utf8(event.to_json()).unwrap_or_default();
            let (name, schema) = (event.kind.name(), event.kind.schema());
            EventRow(event.id.to_string(), event.order_id, name, schema, body, unix_ms(event.occurred_at))
        };
        Writes {
            new_orders: changed.new_orders.iter().map(NewOrderRow::of).collect(),
            attempts: changed
                .attempts
                .iter()
                .filter_map(|id| self.attempts.get(id))
                .map(AttemptRow::of)
                .collect(),
            orders: changed
                .orders
                .iter()
                .filter_map(|id| self.orders.get(id))
                .filter_map(OrderChange::of)
                .collect(),
            events: changed.events.iter().map(event_row).collect(),
        }
    }
}

fn code_of(answer: Answer) -> ClickCode {
    match answer {
        Answer::Success => ClickCode::Success,
        Answer::AlreadyPaid => ClickCode::AlreadyPaid,
        Answer::Cancelled => ClickCode::TransactionCancelled,
    }
}
