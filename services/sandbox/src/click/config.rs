//! The merchant as CLICK knows it, and CLICK's timeouts.

use std::time::Duration;

use tolov_kit::secret::Secret;
use url::Url;

/// CLICK's test card, the only one with money on it.
pub const TEST_CARD: &str = "8600495400000094";
pub const TEST_CARD_EXPIRY: &str = "03/99";
/// The code that every card gets by SMS.
pub const TEST_SMS_CODE: &str = "666666";

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
    /// May be set later by [`super::Click::set_merchant`].
    pub prepare_url: Option<Url>,
    pub complete_url: Option<Url>,
    /// For one answer of the merchant.
    pub answer_timeout: Duration,
    /// How often a Complete is sent before the payment is left hanging.
    pub complete_tries: u32,
    /// The pause before the second Complete; later ones grow up to `longest_pause`.
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// Older payments are dropped.
    pub max_payments: usize,
}

impl ClickConfig {
    /// 10 s an answer, and five Completes within about half a minute.
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
