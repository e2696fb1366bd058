//! The simulator's state, behind one lock.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use tolov_click::SecretKey;
use tolov_domain::time::unix_ms;
use tolov_kit::{clock::Clock, lifecycle::Stop};
use url::{Origin, Url};

use super::{
    callbacks::{exchange::Step, faults::Fault},
    config::ClickConfig,
    error::ClickError,
    merchant_api::{
        faults::ApiFault,
        records::{ApiCall, Invoice, MAX_API_CALLS, MAX_INVOICES, MAX_RECEIPTS, Receipt},
    },
    page::session::{MAX_SESSIONS, Session},
    payment::{Payment, PaymentStatus},
};
use crate::{
    monitor::{Dashboard, Trace},
    ring::Ring,
};

/// Clones share one state.
#[derive(Debug, Clone)]
pub struct Click {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) config: ClickConfig,
    pub(super) secret_key: SecretKey,
    pub(super) client: reqwest::Client,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Limits the concurrent calls to the merchant.
    pub(super) calls: Semaphore,
    pub(super) stopping: Stop,
    pub(super) trace: Trace,
    pub(super) dashboard: Dashboard,
}

#[derive(Debug)]
pub(super) struct State {
    /// Addresses of Prepare and Complete.
    merchant: Option<(Url, Url)>,
    /// Of the addresses that the settings or the process set; the control API cannot leave them.
    merchant_origins: Vec<Origin>,
    pub(super) payments: Ring<Payment>,
    pub(super) sessions: Ring<Session>,
    pub(super) faults: Vec<Fault>,
    last_trans_id: i64,
    last_paydoc_id: i64,
    pub(super) invoices: Ring<Invoice>,
    pub(super) last_invoice_id: i64,
    pub(super) receipts: Ring<Receipt>,
    pub(super) api_calls: Ring<ApiCall>,
    pub(super) api_faults: Vec<ApiFault>,
    pub(super) refuses_reversals: bool,
    pub(super) reverses_parts: bool,
}

/// Keeps the series of ids apart, so that a mix-up is noticed.
const PAYDOC_OFFSET: i64 = 4_000_000_000_000;
const INVOICE_OFFSET: i64 = 2 * PAYDOC_OFFSET;
const MAX_CALLS_AT_ONCE: usize = 256;

impl Click {
    pub(crate) fn new(
        config: ClickConfig,
        client: reqwest::Client,
        clock: Arc<dyn Clock>,
        stopping: Stop,
        (trace, dashboard): (Trace, Dashboard),
    ) -> Self {
        // Ids begin with the clock in milliseconds, so that they do not repeat after a restart.
        let start_ms = unix_ms(clock.now());
        let state = State {
            merchant: None,
            merchant_origins: Vec::new(),
            payments: Ring::new(config.max_payments),
            sessions: Ring::new(MAX_SESSIONS),
            faults: Vec::new(),
            last_trans_id: start_ms,
            last_paydoc_id: start_ms + PAYDOC_OFFSET,
            invoices: Ring::new(MAX_INVOICES),
            last_invoice_id: start_ms + INVOICE_OFFSET,
            receipts: Ring::new(MAX_RECEIPTS),
            api_calls: Ring::new(MAX_API_CALLS),
            api_faults: Vec::new(),
            refuses_reversals: false,
            reverses_parts: false,
        };
        let merchant = config.prepare_url.clone().zip(config.complete_url.clone());
        let inner = Inner {
            secret_key: SecretKey::new(config.secret_key.expose()),
            config,
            client,
            clock,
            state: Mutex::new(state),
            calls: Semaphore::new(MAX_CALLS_AT_ONCE),
            stopping,
            trace,
            dashboard,
        };
        let click = Self { inner: Arc::new(inner) };
        if let Some((prepare_url, complete_url)) = merchant {
            click.set_merchant(prepare_url, complete_url);
        }
        click
    }

    /// Sets the merchant's addresses, as CLICK's cabinet does.
    pub fn set_merchant(&self, prepare_url: Url, complete_url: Url) {
        self.with(|state| {
            state.merchant_origins = vec![prepare_url.origin(), complete_url.origin()];
            state.merchant = Some((prepare_url, complete_url));
        });
    }

    /// The same for the control API: refused where it leaves the known merchant, unless the config allows that.
    pub(crate) fn move_merchant(&self, prepare_url: Url, complete_url: Url) -> Result<(), ClickError> {
        self.with(|state| {
            let is_known = |url: &Url| state.merchant_origins.contains(&url.origin());
            let is_known = is_known(&prepare_url) && is_known(&complete_url);
            if !is_known && !self.inner.config.allow_any_merchant {
                return Err(ClickError::OtherMerchant);
            }
            state.merchant = Some((prepare_url, complete_url));
            Ok(())
        })
    }

    /// The kept payments, oldest first.
    pub fn payments(&self) -> Vec<Payment> {
        self.with(|state| state.payments.to_vec())
    }

    pub fn payment(&self, click_trans_id: i64) -> Option<Payment> {
        self.with(|state| state.payments.find(|known| known.click_trans_id == click_trans_id).cloned())
    }

    /// Drops everything but the merchant's addresses; ids keep growing.
    pub fn reset(&self) {
        self.with(|state| {
            state.payments.clear();
            state.sessions.clear();
            state.faults.clear();
            state.invoices.clear();
            state.receipts.clear();
            state.api_calls.clear();
            state.api_faults.clear();
            (state.refuses_reversals, state.reverses_parts) = (false, false);
        });
    }

    pub(super) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.inner.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn now_ms(&self) -> i64 {
        unix_ms(self.inner.clock.now())
    }

    pub(super) fn merchant_url(&self, step: Step) -> Result<Url, ClickError> {
        let (prepare_url, complete_url) =
            self.with(|state| state.merchant.clone()).ok_or(ClickError::NoMerchant)?;
        Ok(match step {
            Step::Prepare => prepare_url,
            Step::Complete => complete_url,
        })
    }

    /// A new payment with new ids.
    pub(super) fn open_payment(&self, order_id: &str, amount: &str) -> Result<Payment, ClickError> {
        self.merchant_url(Step::Prepare)?;
        let created_at_ms = self.now_ms();
        Ok(self.with(|state| {
            state.last_paydoc_id += 1;
            let payment = Payment {
                click_trans_id: state.next_trans_id(),
                click_paydoc_id: state.last_paydoc_id,
                order_id: order_id.to_owned(),
                amount: amount.to_owned(),
                status: PaymentStatus::Created,
                created_at_ms,
                reversed_tiyin: 0,
                exchanges: Vec::new(),
            };
            state.payments.push(payment.clone());
            payment
        }))
    }

    /// Stores the payment's current state.
    pub(super) fn record(&self, payment: &Payment) {
        self.with(|state| {
            let known = state.payments.find_mut(|known| known.click_trans_id == payment.click_trans_id);
            if let Some(known) = known {
                known.clone_from(payment);
            }
        });
    }
}

impl State {
    pub(super) fn next_trans_id(&mut self) -> i64 {
        self.last_trans_id += 1;
        self.last_trans_id
    }
}
