//! A model of CLICK: it takes money between Prepare and Complete, repeats what was not answered, cancels, and is late.

use tolov_click::sign::{SecretKey, sign_complete, sign_prepare};
use url::form_urlencoded;

use tolov_contract::random::Random;

pub(crate) const SECRET_KEY: &str = "a key of the simulation";
pub(crate) const SERVICE_ID: i64 = 77;
const SIGN_TIME: &str = "2026-11-23 12:00:00";
/// How far the number of a payment is from that of its transaction.
pub(crate) const PAYDOC_AFTER_TRANS: i64 = 1_000_000;
/// The payment was cancelled at CLICK.
const CANCELLED: i32 = -5017;

/// One payment as CLICK sees it.
#[derive(Debug, Clone)]
pub(crate) struct Transaction {
    pub(crate) trans_id: i64,
    pub(crate) order_id: i64,
    pub(crate) tiyin: i64,
    amount: String,
    pub(crate) stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    New,
    /// The merchant takes it; the money is still the payer's.
    Prepared {
        prepare_id: i64,
    },
    /// CLICK has the money and says so until it is answered.
    Taken {
        prepare_id: i64,
    },
    /// CLICK cancels and says so until it is answered.
    Cancelling {
        prepare_id: i64,
    },
    Over,
}

#[derive(Debug, Clone)]
pub(crate) struct Callback {
    /// The place of its transaction.
    pub(crate) of: usize,
    pub(crate) is_complete: bool,
    pub(crate) error: i32,
    pub(crate) body: String,
    /// Its signature is not CLICK's.
    pub(crate) is_forged: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Click {
    pub(crate) transactions: Vec<Transaction>,
    sent: Vec<Callback>,
}

impl Click {
    /// Somebody begins to pay. The amount is the order's, as a rule.
    pub(crate) fn begin(&mut self, order_id: i64, tiyin: i64, random: &mut Random) {
        // A transaction number that was used before, now and then: a reused one is no other payment.
        let reused = self.transactions.last().map(|last| last.trans_id);
        let new = 5_000 + i64::try_from(self.transactions.len()).unwrap_or(0);
        let trans_id = reused.filter(|_| random.per_mille(30)).unwrap_or(new);
        let tiyin = if random.per_mille(60) { tiyin + 100 } else { tiyin };
        let amount = if random.per_mille(500) && tiyin % 100 == 0 {
            (tiyin / 100).to_string()
        } else {
            format!("{}.{:02}", tiyin / 100, tiyin % 100)
        };
        self.transactions.push(Transaction { trans_id, order_id, tiyin, amount, stage: Stage::New });
    }

    /// The next callback of one of the payments that are under way.
    pub(crate) fn next(&mut self, random: &mut Random) -> Option<Callback> {
        let open = |transaction: &Transaction| transaction.stage != Stage::Over;
        let places: Vec<usize> = (0..self.transactions.len())
            .filter(|place| self.transactions.get(*place).is_some_and(open))
            .collect();
        let place = random.pick(&places)?;
        self.next_of(place, random.per_mille(850))
    }

    /// `pays`: whether the payer has the money.
    pub(crate) fn next_of(&mut self, place: usize, pays: bool) -> Option<Callback> {
        let transaction = self.transactions.get_mut(place)?;
        if let Stage::Prepared { prepare_id } = transaction.stage {
            transaction.stage =
                if pays { Stage::Taken { prepare_id } } else { Stage::Cancelling { prepare_id } };
        }
        let callback = transaction.callback(place, transaction.stage)?;
        self.sent.push(callback.clone());
        Some(callback)
    }

    /// A callback that was sent before, of any age.
    pub(crate) fn repeat(&self, random: &mut Random) -> Option<Callback> {
        random.pick(&self.sent)
    }

    /// A cancellation of any payment that was prepared, whatever became of it.
    pub(crate) fn cancel_late(&mut self, random: &mut Random) -> Option<Callback> {
        let completes: Vec<Callback> = self.sent.iter().filter(|sent| sent.is_complete).cloned().collect();
        let Callback { of, body, .. } = random.pick(&completes)?;
        let prepare_id = form_urlencoded::parse(body.as_bytes())
            .find(|(name, _)| name == "merchant_prepare_id")
            .and_then(|(_, value)| value.parse().ok())?;
        self.transactions.get(of)?.callback(of, Stage::Cancelling { prepare_id })
    }

    /// A callback with one field changed after it was signed.
    pub(crate) fn forge(&self, random: &mut Random) -> Option<Callback> {
        let sent = random.pick(&self.sent)?;
        let field =
            random.pick(&["amount", "click_trans_id", "merchant_trans_id", "action", "service_id"])?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(sent.body.as_bytes()) {
            if name == field {
                form.append_pair(&name, &format!("1{value}"));
            } else {
                form.append_pair(&name, &value);
            }
        }
        Some(Callback { body: form.finish(), is_forged: true, ..sent })
    }

    /// CLICK hears an answer.
    pub(crate) fn hear(&mut self, callback: &Callback, error: i64, prepare_id: Option<i64>) {
        let Some(transaction) = self.transactions.get_mut(callback.of) else { return };
        if callback.is_forged {
            return;
        }
        transaction.stage = match (transaction.stage, error) {
            // Asked again later.
            (stage, -7) => stage,
            (Stage::New, 0) => prepare_id.map_or(Stage::Over, |prepare_id| Stage::Prepared { prepare_id }),
            (Stage::New | Stage::Over, _) => Stage::Over,
            (stage @ Stage::Prepared { .. }, _) => stage,
            (stage @ (Stage::Taken { .. } | Stage::Cancelling { .. }), _) => {
                if callback.is_complete {
                    Stage::Over
                } else {
                    stage
                }
            }
        };
    }
}

impl Transaction {
    fn callback(&self, of: usize, stage: Stage) -> Option<Callback> {
        let (prepare_id, error) = match stage {
            Stage::New => (None, 0),
            Stage::Taken { prepare_id } => (Some(prepare_id), 0),
            Stage::Cancelling { prepare_id } => (Some(prepare_id), CANCELLED),
            Stage::Prepared { .. } | Stage::Over => return None,
        };
        let key = SecretKey::new(SECRET_KEY);
        let [trans_id, service_id, order_id] =
            [self.trans_id, SERVICE_ID, self.order_id].map(|number| number.to_string());
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("click_trans_id", &trans_id)
            .append_pair("service_id", &service_id)
            .append_pair("click_paydoc_id", &(self.trans_id + PAYDOC_AFTER_TRANS).to_string())
            .append_pair("merchant_trans_id", &order_id)
            .append_pair("amount", &self.amount)
            .append_pair("action", if prepare_id.is_some() { "1" } else { "0" })
            .append_pair("error", &error.to_string())
            .append_pair("error_note", if error == 0 { "Success" } else { "Cancelled" })
            .append_pair("sign_time", SIGN_TIME);
        let sign = if let Some(prepare_id) = prepare_id {
            let prepare_id = prepare_id.to_string();
            form.append_pair("merchant_prepare_id", &prepare_id);
            sign_complete(&key, &trans_id, &service_id, &order_id, &prepare_id, &self.amount, SIGN_TIME)
        } else {
            sign_prepare(&key, &trans_id, &service_id, &order_id, &self.amount, SIGN_TIME)
        };
        form.append_pair("sign_string", &sign);
        let is_complete = prepare_id.is_some();
        Some(Callback { of, is_complete, error, body: form.finish(), is_forged: false })
    }
}
