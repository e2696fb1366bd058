//! What the writer knows of the ledger without reading it. It is kept between the batches, since nobody else writes, and is
//! bounded. No SQL here.

use std::collections::{BTreeSet, HashMap, HashSet};

use tolov_domain::{
    ClickTransId, OrderId, PrepareId, RefundId,
    payment::{AttemptState, Confirmation, OrderState},
    phone_invoice::PhoneInvoice,
    receipt::Receipt,
    refund::Refund,
    telegram_payment::TelegramPayment,
    time::Timestamp,
};

use super::{
    invoices::TelegramRow,
    rows::{LedgerAttempt, LedgerOrder, ReadOrder},
};
use crate::ledger::{ORDER_ID_GAP_MAX, ORDER_ID_MAX, restore::CLICK_INT_MAX};

/// So many orders are remembered. With these the whole is some 10 MB at most for orders of the usual size.
const ORDERS_MAX: usize = 8192;

/// The rows that a batch touches. Whatever leads to an order stands for the whole order, with all its attempts.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    pub(crate) orders: BTreeSet<OrderId>,
    /// That are to be registered: most have numbers that no order ever had.
    pub(crate) new_orders: BTreeSet<OrderId>,
    pub(crate) attempts: BTreeSet<PrepareId>,
    /// Of CLICK, that may have paid an attempt.
    pub(crate) transactions: BTreeSet<ClickTransId>,
    /// Telegram's or the provider's names of payments in Telegram, that may have paid an order.
    pub(crate) charges: BTreeSet<String>,
    /// Orders whose receipts are read anew.
    pub(crate) receipts: BTreeSet<OrderId>,
}

/// Orders with all their attempts, and what follows from them.
#[derive(Debug, Default)]
pub(crate) struct Known {
    orders: HashMap<OrderId, KnownOrder>,
    order_of_attempt: HashMap<PrepareId, OrderId>,
    paid_by_transaction: HashMap<ClickTransId, PrepareId>,
    /// Transactions up to `numbers.forgotten_up_to` that were looked for and have paid nothing.
    without_payment: HashSet<ClickTransId>,
    /// Of this batch alone.
    pub(crate) receipts: HashMap<OrderId, Receipt>,
    pub(crate) numbers: Numbers,
}

/// An order with all its attempts and refunds.
#[derive(Debug)]
struct KnownOrder {
    order: LedgerOrder,
    attempts: Vec<LedgerAttempt>,
    refunds: Vec<Refund>,
    telegram_payments: Vec<TelegramRow>,
    phone_invoices: Vec<PhoneInvoice>,
}

/// The numbers that the ledger has given out or taken.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Numbers {
    /// Of the next new attempt.
    pub(crate) next_prepare_id: i64,
    /// 0: there is no order.
    pub(crate) highest_order_id: i64,
    /// The highest transaction of CLICK that has paid.
    pub(crate) highest_paid_transaction: i64,
    /// Transactions up to this may have paid something that is not in memory.
    pub(crate) forgotten_up_to: i64,
    /// 0: there is no refund.
    pub(crate) last_refund_id: i64,
    /// 0: there is no invoice to a phone number.
    pub(crate) last_phone_invoice_id: i64,
}

impl Numbers {
    /// Whether a new order may have this number.
    pub(crate) fn admits_order(&self, order_id: OrderId) -> bool {
        let (number, highest) = (order_id.get(), self.highest_order_id);
        number <= ORDER_ID_MAX && (highest == 0 || number <= highest.saturating_add(ORDER_ID_GAP_MAX))
    }

    /// Whether a new attempt may have this number of another ledger or system: the next ones are above it, and stay
    /// within CLICK's `int`.
    pub(crate) fn admits_attempt(&self, prepare_id: PrepareId) -> bool {
        prepare_id.get() < self.next_prepare_id.max(CLICK_INT_MAX)
    }

    pub(crate) fn take_prepare_id(&mut self) -> Option<PrepareId> {
        let prepare_id = PrepareId::try_new(self.next_prepare_id).ok()?;
        self.next_prepare_id = self.next_prepare_id.checked_add(1)?;
        Some(prepare_id)
    }

    /// The next refund's number. Taken once it is set as the last one.
    pub(crate) fn next_refund_id(&self, at: Timestamp) -> Option<RefundId> {
        RefundId::try_new(self.last_refund_id.checked_add(1)?.max(at.unix_timestamp())).ok()
    }
}

impl Numbers {
    /// The next invoice's number, by the clock like a refund's.
    pub(crate) fn take_phone_invoice_id(&mut self, at: Timestamp) -> i64 {
        self.last_phone_invoice_id = self.last_phone_invoice_id.saturating_add(1).max(at.unix_timestamp());
        self.last_phone_invoice_id
    }
}

impl Needs {
    pub(crate) fn is_empty(&self) -> bool {
        // Receipts are read for themselves.
        let Self { orders, new_orders, attempts, transactions, charges, receipts: _ } = self;
        orders.is_empty()
            && new_orders.is_empty()
            && attempts.is_empty()
            && transactions.is_empty()
            && charges.is_empty()
    }
}

impl Known {
    /// Knows nothing but the numbers.
    pub(crate) fn new(mut numbers: Numbers) -> Self {
        numbers.forgotten_up_to = numbers.highest_paid_transaction;
        Self { numbers, ..Self::default() }
    }

    /// What has to be read before a batch can be decided.
    pub(crate) fn missing(&self, mut needs: Needs) -> Needs {
        let numbers = &self.numbers;
        let registered = std::mem::take(&mut needs.new_orders);
        needs.orders.extend(registered.into_iter().filter(|id| id.get() <= numbers.highest_order_id));
        needs.orders.retain(|id| !self.orders.contains_key(id));
        needs
            .attempts
            .retain(|id| !self.order_of_attempt.contains_key(id) && id.get() < numbers.next_prepare_id);
        needs.transactions.retain(|id| {
            id.get() <= numbers.forgotten_up_to
                && !self.paid_by_transaction.contains_key(id)
                && !self.without_payment.contains(id)
        });
        needs
    }

    /// Whether nothing of it has to be read.
    pub(super) fn has(&self, needs: Needs) -> bool {
        needs.receipts.is_empty() && self.missing(needs).is_empty()
    }

    /// Takes in what was read for these needs: each order with all its attempts.
    pub(crate) fn learn(&mut self, read: Vec<ReadOrder>, needs: Needs) {
        for (order, attempts, refunds, telegram_payments, phone_invoices) in read {
            // What is known is the same.
            if self.orders.contains_key(&order.order_id) {
                continue;
            }
            let order_id = order.order_id;
            let attempts_max = attempts.len();
            let known = KnownOrder {
                order,
                attempts: Vec::with_capacity(attempts_max),
                refunds,
                telegram_payments,
                phone_invoices,
            };
            self.orders.insert(order_id, known);
            for attempt in attempts {
                self.keep(attempt);
            }
        }
        self.without_payment.extend(needs.transactions);
    }

    /// Whether more is known than is to be kept: all of it is forgotten as soon as all of it is written.
    pub(crate) fn is_full(&self) -> bool {
        self.orders.len().max(self.without_payment.len()) > ORDERS_MAX
    }

    /// A new order, without attempts.
    pub(super) fn add(&mut self, order: LedgerOrder) {
        let highest = &mut self.numbers.highest_order_id;
        *highest = order.order_id.get().max(*highest);
        let known = KnownOrder {
            order,
            attempts: Vec::new(),
            refunds: Vec::new(),
            telegram_payments: Vec::new(),
            phone_invoices: Vec::new(),
        };
        self.orders.insert(known.order.order_id, known);
    }

    pub(super) fn set_order_state(&mut self, order_id: OrderId, state: OrderState) {
        if let Some(known) = self.orders.get_mut(&order_id) {
            known.order.state = state;
        }
    }

    pub(crate) fn order(&self, order_id: OrderId) -> Option<&LedgerOrder> {
        self.orders.get(&order_id).map(|known| &known.order)
    }

    pub(crate) fn attempts_of(&self, order_id: OrderId) -> impl Iterator<Item = &LedgerAttempt> {
        self.orders.get(&order_id).into_iter().flat_map(|known| &known.attempts)
    }

    pub(crate) fn attempt(&self, prepare_id: PrepareId) -> Option<&LedgerAttempt> {
        let order_id = *self.order_of_attempt.get(&prepare_id)?;
        self.attempts_of(order_id).find(|attempt| attempt.prepare_id == prepare_id)
    }

    /// Oldest first.
    pub(crate) fn refunds_of(&self, order_id: OrderId) -> &[Refund] {
        self.orders.get(&order_id).map_or(&[], |known| &known.refunds)
    }

    pub(crate) fn telegram_payments_of(&self, order_id: OrderId) -> &[TelegramRow] {
        self.orders.get(&order_id).map_or(&[], |known| &known.telegram_payments)
    }

    /// Oldest first.
    pub(crate) fn phone_invoices_of(&self, order_id: OrderId) -> &[PhoneInvoice] {
        self.orders.get(&order_id).map_or(&[], |known| &known.phone_invoices)
    }

    /// A new invoice of a known order, or its new state.
    pub(super) fn keep_phone_invoice(&mut self, invoice: PhoneInvoice) {
        let Some(known) = self.orders.get_mut(&invoice.order_id) else { return };
        let same = |known: &&mut PhoneInvoice| known.phone_invoice_id == invoice.phone_invoice_id;
        match known.phone_invoices.iter_mut().find(same) {
            Some(known) => *known = invoice,
            None => known.phone_invoices.push(invoice),
        }
    }

    /// Whether Telegram or the provider has named a payment of a known order so before.
    pub(crate) fn is_charge_known(&self, payment: &TelegramPayment) -> bool {
        self.orders.values().flat_map(|known| &known.telegram_payments).any(|known| {
            known.telegram_charge_id == payment.telegram_charge_id
                || known.provider_charge_id == payment.provider_charge_id
        })
    }

    /// A new payment of a known order.
    pub(super) fn keep_telegram_payment(&mut self, payment: TelegramRow) {
        if let Some(known) = payment.order_id.and_then(|id| self.orders.get_mut(&id)) {
            known.telegram_payments.push(payment);
        }
    }

    /// A new refund of a known order, or its new state.
    pub(super) fn keep_refund(&mut self, refund: Refund) {
        let Some(known) = self.orders.get_mut(&refund.order_id) else { return };
        match known.refunds.iter_mut().find(|known| known.refund_id == refund.refund_id) {
            Some(known) => *known = refund,
            None => known.refunds.push(refund),
        }
    }

    /// The attempt that an order has for a transaction of CLICK.
    pub(crate) fn attempt_of(&self, order_id: OrderId, trans_id: ClickTransId) -> Option<&LedgerAttempt> {
        self.attempts_of(order_id).find(|attempt| attempt.click_trans_id == trans_id)
    }

    /// The attempt that a transaction of CLICK has paid.
    pub(crate) fn attempt_paid_by(&self, trans_id: ClickTransId) -> Option<&LedgerAttempt> {
        self.paid_by_transaction.get(&trans_id).and_then(|id| self.attempt(*id))
    }

    /// A new attempt of a known order, or its new state.
    pub(super) fn keep(&mut self, attempt: LedgerAttempt) {
        let Some(known) = self.orders.get_mut(&attempt.order_id) else { return };
        if let AttemptState::Paid { by: Confirmation { click_trans_id, .. }, .. } = attempt.state {
            self.paid_by_transaction.insert(click_trans_id, attempt.prepare_id);
            if !click_trans_id.is_of_telegram() {
                let highest = &mut self.numbers.highest_paid_transaction;
                *highest = click_trans_id.get().max(*highest);
            }
        }
        self.order_of_attempt.insert(attempt.prepare_id, attempt.order_id);
        match known.attempts.iter_mut().find(|known| known.prepare_id == attempt.prepare_id) {
            Some(known) => *known = attempt,
            None => known.attempts.push(attempt),
        }
    }
}
