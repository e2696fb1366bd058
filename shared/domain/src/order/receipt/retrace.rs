//! After a restore: a receipt of an older copy of the ledger goes on to where the ledger that was replaced had it, so that nothing
//! is sent a second time and nothing that a person has done is forgotten.

use super::{Change, Decision, MissingReason, Receipt, ReceiptState};
use crate::{ids::ClickPaymentId, time::Timestamp};

impl Receipt {
    /// The next step of the way that the receipt has gone since. `payment`: what the items were sent for. `None`: it is there, or
    /// as near as it can come; then CLICK is asked for it, or a person decides.
    #[must_use]
    pub fn retrace(
        &self,
        since: &Self,
        payment: Option<ClickPaymentId>,
        is_refunded: bool,
        now: Timestamp,
    ) -> Option<Self> {
        use ReceiptState::{ByHand, Known, Missing, Needed, Submitted, Submitting, Unknown};
        if since.content != self.content {
            return None;
        }
        let was_not_sent = self.body_hash.is_none() && since.body_hash.is_some();
        let change = match (&self.state, &since.state) {
            (Submitting { .. }, ByHand { .. } | Unknown { .. }) => Change::OutcomeUnknown,
            (_, ByHand { decided_by, document }) => {
                let by_hand = Decision::ByHand { document: document.clone() };
                return self.clone().decide(by_hand, decided_by, is_refunded, now).ok();
            }
            (Missing { .. }, Needed { .. } | Missing { .. }) => return None,
            (Missing { .. }, _) => return self.clone().decide(Decision::Retry, "", is_refunded, now).ok(),
            (_, Known { payment_id, url }) => {
                Change::FoundReceipt { payment_id: *payment_id, url: url.clone() }
            }
            (
                Needed { .. },
                Submitting { payment_id } | Unknown { payment_id } | Submitted { payment_id },
            ) => Change::Submit { payment_id: *payment_id, body_hash: since.body_hash.clone()? },
            (Needed { .. }, Needed { .. } | Missing { .. }) if was_not_sent => {
                Change::Submit { payment_id: payment?, body_hash: since.body_hash.clone()? }
            }
            (Submitting { .. }, Needed { click_code, click_note }) => {
                let click_note = click_note.clone().unwrap_or_default();
                Change::NotTaken { click_code: *click_code, click_note }
            }
            (Submitting { .. }, Submitted { .. } | Missing { why: MissingReason::NoAddress, .. }) => {
                Change::Taken
            }
            (Submitting { .. }, Missing { .. }) => Change::OutcomeUnknown,
            (Unknown { .. }, Submitted { .. }) => Change::FoundNothing,
            (Needed { .. } | Unknown { .. } | Submitted { .. }, Missing { why, .. }) => {
                Change::GiveUp { why: *why }
            }
            _ => return None,
        };
        let is_over = matches!(change, Change::FoundReceipt { .. } | Change::GiveUp { .. });
        self.clone().advance(change, (!is_over).then_some(now), now).ok()
    }
}
