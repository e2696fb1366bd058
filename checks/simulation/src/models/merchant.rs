//! A model of CLICK's Merchant API: payments, and reversals that it makes, refuses, or makes without saying so.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use serde_json::{Value, json};
use tolov_click::{Call, merchant_api::Reading};
use tolov_reconciler::MerchantApi;

use crate::faults::{Faults, Part, Process};

/// CLICK's status of a payment that is paid, and of one that was reversed.
const PAID: i64 = 2;
const REVERSED: i64 = -99;

/// Clones share the payments.
#[derive(Debug, Clone)]
pub(crate) struct Merchant {
    payments: Arc<Mutex<BTreeMap<i64, Payment>>>,
    faults: Faults,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Payment {
    pub(crate) order_id: i64,
    pub(crate) tiyin: i64,
    /// How often its reversal came and was not refused for want of rights.
    pub(crate) sent: u32,
    /// How often it may be sent: once, and once more each time that a person says so.
    pub(crate) allowed: u32,
    pub(crate) is_reversed: bool,
}

impl Merchant {
    pub(crate) fn new(faults: Faults) -> Self {
        Self { payments: Arc::default(), faults }
    }

    /// The merchant has said that the order is paid by it.
    pub(crate) fn paid(&self, payment_id: i64, order_id: i64, tiyin: i64) {
        let new = Payment { order_id, tiyin, allowed: 1, ..Payment::default() };
        self.locked().entry(payment_id).or_insert(new);
    }

    pub(crate) fn of_order(&self, order_id: i64) -> Option<Payment> {
        self.locked().values().find(|payment| payment.order_id == order_id).cloned()
    }

    pub(crate) fn payments(&self) -> Vec<Payment> {
        self.locked().values().cloned().collect()
    }

    /// A person lets the reversal be sent once more.
    pub(crate) fn allow_again(&self, order_id: i64) {
        for payment in self.locked().values_mut().filter(|payment| payment.order_id == order_id) {
            payment.allowed += 1;
        }
    }

    fn answer(&self, call: &Call) -> Value {
        let mut payments = self.locked();
        match call {
            Call::PaymentStatus { payment_id, .. } => match payments.get(payment_id) {
                Some(payment) => {
                    let status = if payment.is_reversed { REVERSED } else { PAID };
                    json!({ "error_code": 0, "payment_id": payment_id, "payment_status": status })
                }
                None => json!({ "error_code": -16 }),
            },
            Call::Reversal { payment_id, .. } => {
                let Some(payment) = payments.get_mut(payment_id) else { return json!({ "error_code": -16 }) };
                let chance = self.faults.draw(|random, _| random.below(10));
                if chance == 0 {
                    return json!({ "error_code": -12, "error_note": "no rights" });
                }
                payment.sent += 1;
                if chance == 1 && !payment.is_reversed {
                    return json!({ "error_code": -500, "error_note": "refused" });
                }
                payment.is_reversed = true;
                json!({ "error_code": 0, "payment_id": payment_id })
            }
            Call::CreateInvoice(_)
            | Call::InvoiceStatus { .. }
            | Call::PaymentStatusByOrder { .. }
            | Call::SubmitItems(_)
            | Call::SubmitQrCode(_)
            | Call::FiscalData { .. } => json!({ "error_code": -16 }),
        }
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<i64, Payment>> {
        self.payments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl MerchantApi for Merchant {
    async fn call(&self, call: &Call) -> Reading {
        if let Err(error) = self.faults.before(Process::Reconciler, Part::Merchant).await {
            return Reading::unknown(error.to_string());
        }
        let body = self.answer(call).to_string();
        match self.faults.after(Process::Reconciler).await {
            Ok(()) => Reading::of(call, 200, body.as_bytes()),
            Err(error) => Reading::unknown(error.to_string()),
        }
    }
}
