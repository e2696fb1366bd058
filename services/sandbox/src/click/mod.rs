//! The CLICK simulator: the payment page, and the calls that CLICK makes to a merchant.

mod callback;
mod checkout;
mod complete;
mod link;
pub(crate) mod merchant_api;
mod page;
mod payment;
mod play;
pub(crate) mod routes;
mod twist;
mod variation;
mod words;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Semaphore;
use tolov_click::SecretKey;
use tolov_domain::time::unix_ms;
use tolov_kit::{clock::Clock, lifecycle::Stop, secret::Secret};
use url::{Origin, Url};

use crate::{board::Board, hops::Hops, ring::Ring};
pub use callback::{Exchange, MerchantAnswer, Step};
pub use link::{BadLink, OpenedLink};
pub use merchant_api::{ApiCall, Invoice, InvoiceStatus, Receipt};
pub use payment::{Payment, PaymentStatus};
pub use twist::{Mishap, Twist};
pub use variation::{Play, Variation};

/// CLICK's test card, the only one with money on it.
pub const TEST_CARD: &str = "8600495400000094";
pub const TEST_CARD_EXPIRY: &str = "03/99";
/// The code that every card gets by SMS.
pub const TEST_SMS_CODE: &str = "666666";

/// The merchant as CLICK knows it, and how patient CLICK is.
#[derive(Debug, Clone)]
pub struct ClickConfig {
    pub service_id: i64,
    pub merchant_id: i64,
    /// Who may call the Merchant API. `None`: whoever has the secret key.
    pub merchant_user_id: Option<i64>,
    pub secret_key: Secret,
    /// Signs with a key that does not contain [`crate::KEY_MARK`].
    pub allow_real_key: bool,
    /// The control API may send callbacks to any address, not only to the merchant's.
    pub allow_any_merchant: bool,
    /// Where Prepare goes; may be given later by [`Click::point_at`].
    pub prepare_url: Option<Url>,
    pub complete_url: Option<Url>,
    /// How long an answer may take.
    pub answer_timeout: Duration,
    /// How often a Complete is sent before the payment is left hanging.
    pub complete_tries: u32,
    /// The pause after the first Complete that was not understood; later ones grow up to `longest_pause`.
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// How many payments are remembered.
    pub max_payments: usize,
}

impl ClickConfig {
    /// Usual patience: 10 s an answer, five Completes within about half a minute.
    pub fn new(service_id: i64, merchant_id: i64, secret_key: Secret) -> Self {
        Self {
            service_id,
            merchant_id,
            merchant_user_id: None,
            secret_key,
            allow_real_key: false,
            allow_any_merchant: false,
            prepare_url: None,
            complete_url: None,
            answer_timeout: Duration::from_secs(10),
            complete_tries: 5,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(10),
            max_payments: 20_000,
        }
    }

    /// Prepare and Complete at one address, as Tolov's webhook service has them.
    #[must_use]
    pub fn with_webhook(self, url: Url) -> Self {
        Self { prepare_url: Some(url.clone()), complete_url: Some(url), ..self }
    }
}

/// Why the simulator did not even try.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClickError {
    #[error("the merchant's address is not known: POST /sandbox/click/merchant, or Click::point_at, first")]
    NoMerchant,
    #[error(
        "callbacks go to the merchant of WEBHOOK_URL only; `tolov sandbox --any-merchant` lets them go elsewhere"
    )]
    OtherMerchant,
    #[error(transparent)]
    BadLink(#[from] BadLink),
    #[error("{0} is no field of a callback")]
    NoSuchField(String),
    #[error("{0} is more than the sandbox does at once: at most {1}")]
    TooMany(u32, u32),
    #[error("there is no invoice {0}")]
    NoSuchInvoice(i64),
    #[error("invoice {0} does not wait for its payer: it is paid, deleted, or being paid")]
    InvoiceNotWaiting(i64),
    #[error("the sandbox is busy with too many payments: try again")]
    Busy,
}

/// The simulator's handle: cheap to clone.
#[derive(Debug, Clone)]
pub struct Click {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: ClickConfig,
    secret_key: SecretKey,
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Calls to the merchant that are on their way at once.
    calls: Semaphore,
    stopping: Stop,
    hops: Hops,
    board: Board,
}

#[derive(Debug)]
struct State {
    merchant: Option<(Url, Url)>,
    /// Where the settings or the composition, not the control API, have placed the merchant.
    merchant_origins: Vec<Origin>,
    payments: Ring<Payment>,
    sessions: checkout::Sessions,
    twists: Vec<Twist>,
    last_trans_id: i64,
    last_paydoc_id: i64,
    invoices: Ring<Invoice>,
    last_invoice_id: i64,
    receipts: Ring<Receipt>,
    api_calls: Ring<ApiCall>,
    refuses_reversals: bool,
}

/// Keeps the series of numbers apart, so that one taken for the other is noticed.
const PAYDOC_OFFSET: i64 = 4_000_000_000_000;
const INVOICE_OFFSET: i64 = 2 * PAYDOC_OFFSET;
const MAX_CALLS_AT_ONCE: usize = 256;

impl Click {
    pub(crate) fn new(
        config: ClickConfig,
        client: reqwest::Client,
        clock: Arc<dyn Clock>,
        stopping: Stop,
        (hops, board): (Hops, Board),
    ) -> Self {
        // Milliseconds, counted up by one a payment: numbers do not repeat after a restart.
        let start_ms = unix_ms(clock.now());
        let state = State {
            merchant: None,
            merchant_origins: Vec::new(),
            payments: Ring::new(config.max_payments),
            sessions: Ring::new(checkout::MAX_SESSIONS),
            twists: Vec::new(),
            last_trans_id: start_ms,
            last_paydoc_id: start_ms + PAYDOC_OFFSET,
            invoices: Ring::new(merchant_api::MAX_INVOICES),
            last_invoice_id: start_ms + INVOICE_OFFSET,
            receipts: Ring::new(merchant_api::MAX_RECEIPTS),
            api_calls: Ring::new(merchant_api::MAX_API_CALLS),
            refuses_reversals: false,
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
            hops,
            board,
        };
        let click = Self { inner: Arc::new(inner) };
        if let Some((prepare_url, complete_url)) = merchant {
            click.point_at(prepare_url, complete_url);
        }
        click
    }

    /// Tells CLICK where the merchant is, as its cabinet does.
    pub fn point_at(&self, prepare_url: Url, complete_url: Url) {
        self.with(|state| {
            state.merchant_origins = vec![prepare_url.origin(), complete_url.origin()];
            state.merchant = Some((prepare_url, complete_url));
        });
    }

    /// The same for the control API, which reaches only addresses of the merchant that is known already.
    pub(crate) fn move_merchant(&self, prepare_url: Url, complete_url: Url) -> Result<(), ClickError> {
        self.with(|state| {
            let is_known = |url: &Url| state.merchant_origins.contains(&url.origin());
            if !self.inner.config.allow_any_merchant && !(is_known(&prepare_url) && is_known(&complete_url)) {
                return Err(ClickError::OtherMerchant);
            }
            state.merchant = Some((prepare_url, complete_url));
            Ok(())
        })
    }

    /// Every payment that is remembered, oldest first.
    pub fn payments(&self) -> Vec<Payment> {
        self.with(|state| state.payments.iter().cloned().collect())
    }

    pub fn payment(&self, click_trans_id: i64) -> Option<Payment> {
        self.with(|state| {
            let mut newest_first = state.payments.iter().rev();
            newest_first.find(|payment| payment.click_trans_id == click_trans_id).cloned()
        })
    }

    /// Forgets payments, invoices and receipts. Numbers keep growing.
    pub fn reset(&self) {
        self.with(|state| {
            state.payments.clear();
            state.sessions.clear();
            state.twists.clear();
            state.invoices.clear();
            state.receipts.clear();
            state.api_calls.clear();
            state.refuses_reversals = false;
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.inner.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn now_ms(&self) -> i64 {
        unix_ms(self.inner.clock.now())
    }

    fn merchant_url(&self, step: Step) -> Result<Url, ClickError> {
        let merchant = self.with(|state| state.merchant.clone());
        let (prepare_url, complete_url) = merchant.ok_or(ClickError::NoMerchant)?;
        Ok(match step {
            Step::Prepare => prepare_url,
            Step::Complete => complete_url,
        })
    }

    /// A new payment with numbers of its own.
    fn open_payment(&self, order_id: &str, amount: &str) -> Result<Payment, ClickError> {
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
                exchanges: Vec::new(),
            };
            state.payments.push(payment.clone());
            payment
        }))
    }

    /// Remembers the payment as it is now.
    fn record(&self, payment: &Payment) {
        self.with(|state| {
            let mut newest_first = state.payments.iter_mut().rev();
            if let Some(known) = newest_first.find(|known| known.click_trans_id == payment.click_trans_id) {
                known.clone_from(payment);
            }
        });
    }
}

impl State {
    fn next_trans_id(&mut self) -> i64 {
        self.last_trans_id += 1;
        self.last_trans_id
    }
}
