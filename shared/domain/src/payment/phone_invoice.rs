//! An invoice to a phone number, made by CLICK's Merchant API (`invoice/create`): the payer finds it in the CLICK app and pays it
//! by an ordinary Prepare and Complete. Also the bodies of the webhook service's internal API about them; JSON, sums in tiyin,
//! times in milliseconds.
//!
//! CLICK has no call that withdraws an invoice or finds one without its number. So the intent is recorded before the call, the
//! call is made once, and one whose outcome is not known is never made again.

use serde::{Deserialize, Serialize};
use time::Duration;

use crate::{
    ids::{OrderId, UserId},
    money::Tiyin,
    phone::Phone,
    time::{Timestamp, millis},
};

/// The longest pause before an invoice's next step.
pub const PAUSE_MAX: Duration = Duration::minutes(10);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneInvoice {
    pub phone_invoice_id: i64,
    pub order_id: OrderId,
    /// As CLICK wants it: 998 and nine digits.
    pub phone: String,
    pub amount_tiyin: Tiyin,
    #[serde(with = "millis")]
    pub requested_at: Timestamp,
    #[serde(flatten)]
    pub state: InvoiceState,
    #[serde(with = "millis")]
    pub changed_at: Timestamp,
    /// Counts the changes. Whoever makes the next one names it, and the first one wins.
    pub step: u32,
    /// When the reconciler looks at it again; `None`: it does not.
    #[serde(with = "millis::option", default)]
    pub next_step_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum InvoiceState {
    /// CLICK was not asked yet.
    Requested,
    /// CLICK is being asked. Found after a restart, the outcome is not known.
    Sending,
    /// It waits in the payer's CLICK app.
    Sent { invoice_id: i64 },
    /// Perhaps it waits in the payer's app. No other one is made beside it.
    Unknown { click_note: String },
    /// CLICK made none, for example because the number is no user's of CLICK.
    Refused { click_code: i64, click_note: String },
    /// The payer has deleted it, or CLICK does not know it any more.
    Deleted { invoice_id: i64 },
    /// The order was paid or has ended.
    Over,
}

/// What the reconciler learned, or is about to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum InvoiceChange {
    /// CLICK is asked next. Committed before it is.
    Send,
    Sent {
        invoice_id: i64,
    },
    Refused {
        click_code: i64,
        click_note: String,
    },
    /// CLICK refused our keys or service: nothing was made.
    NotTaken,
    OutcomeUnknown {
        click_note: String,
    },
    /// It still waits.
    Wait,
    Deleted,
    /// Its order cannot be paid any more.
    Over,
}

impl InvoiceState {
    /// Whether no other invoice may be made for the order.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Requested | Self::Sending | Self::Sent { .. } | Self::Unknown { .. })
    }

    const fn is_looked_at(&self) -> bool {
        matches!(self, Self::Requested | Self::Sending | Self::Sent { .. })
    }
}

impl PhoneInvoice {
    pub fn request(
        phone_invoice_id: i64,
        order_id: OrderId,
        phone: &Phone,
        amount_tiyin: Tiyin,
        at: Timestamp,
    ) -> Self {
        Self {
            phone_invoice_id,
            order_id,
            phone: phone.as_str().trim_start_matches('+').to_owned(),
            amount_tiyin,
            requested_at: at,
            state: InvoiceState::Requested,
            changed_at: at,
            step: 0,
            next_step_at: Some(at),
        }
    }

    /// Applies a change. `None`: the state does not allow it.
    pub fn advance(
        self,
        change: InvoiceChange,
        next_step_at: Option<Timestamp>,
        at: Timestamp,
    ) -> Option<Self> {
        use InvoiceState::{Deleted, Over, Refused, Requested, Sending, Sent, Unknown};
        let state = match (self.state.clone(), change) {
            (Requested, InvoiceChange::Send) => Sending,
            (Sending, InvoiceChange::Sent { invoice_id }) => Sent { invoice_id },
            (Sending, InvoiceChange::Refused { click_code, click_note }) => {
                Refused { click_code, click_note }
            }
            (Sending, InvoiceChange::NotTaken) => {
                Refused { click_code: 0, click_note: "the Merchant API did not take our keys".to_owned() }
            }
            (Sending, InvoiceChange::OutcomeUnknown { click_note }) => Unknown { click_note },
            (same @ Sent { .. }, InvoiceChange::Wait) => same,
            (Sent { invoice_id }, InvoiceChange::Deleted) => Deleted { invoice_id },
            (Requested | Sent { .. }, InvoiceChange::Over) => Over,
            _ => return None,
        };
        let next_step_at = state.is_looked_at().then(|| next_step_at.unwrap_or(at));
        Some(Self { state, changed_at: at, step: self.step.saturating_add(1), next_step_at, ..self })
    }

    /// Whether both are the same request, however far each has gone.
    pub fn is_same_request(&self, other: &Self) -> bool {
        let numbers = |invoice: &Self| (invoice.phone_invoice_id, invoice.order_id, invoice.requested_at);
        numbers(self) == numbers(other)
            && self.phone == other.phone
            && self.amount_tiyin == other.amount_tiyin
    }

    /// How it goes on in a ledger that was put back: CLICK may have been asked for it since. `None`: as it is.
    pub fn after_restore(self, at: Timestamp) -> Option<Self> {
        if !matches!(self.state, InvoiceState::Requested | InvoiceState::Sending) {
            return None;
        }
        let click_note = "the ledger was restored before it was known whether CLICK had made it".to_owned();
        let (state, step) = (InvoiceState::Unknown { click_note }, self.step.saturating_add(1));
        Some(Self { state, changed_at: at, step, next_step_at: None, ..self })
    }
}

/// `POST /orders/ID/phone-invoices`: 201 a new [`PhoneInvoice`], 200 the open one, 404, 409 [`InvoiceConflict`], 422.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceRequest {
    pub user_id: UserId,
    pub phone: Phone,
}

/// Body of a 409.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceConflict {
    pub error: String,
    pub reason: InvoiceRefusal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceRefusal {
    /// It is paid or has ended.
    NotPayable,
    OtherUser,
    /// This shop has no access to the Merchant API.
    MerchantApiOff,
    /// Something of the request has changed meanwhile: read it again.
    Stale,
}

/// `GET /orders/ID/phone-invoices`, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneInvoices {
    pub phone_invoices: Vec<PhoneInvoice>,
}

/// `GET /phone-invoices/due`: those on whose turn it is, at most 500.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueInvoices {
    pub due: Vec<DueInvoice>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueInvoice {
    pub invoice: PhoneInvoice,
    /// Its order can still be paid.
    pub is_payable: bool,
}

/// `POST /phone-invoices/ID/step`: 200 the [`PhoneInvoice`], 404, 409 [`InvoiceConflict`] where `step` is not its last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceStep {
    pub step: u32,
    #[serde(flatten)]
    pub change: InvoiceChange,
    #[serde(with = "millis::option", default)]
    pub next_step_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: Timestamp = datetime!(2026-11-29 08:00 UTC);

    fn requested() -> PhoneInvoice {
        let phone = Phone::parse("+998901234567").unwrap();
        PhoneInvoice::request(1, OrderId::try_new(1001).unwrap(), &phone, Tiyin::try_new(5).unwrap(), NOW)
    }

    #[test]
    fn an_invoice_is_sent_once_and_one_of_unknown_outcome_stays_alone() {
        let sending = requested().advance(InvoiceChange::Send, None, NOW).unwrap();
        assert_eq!((sending.phone.as_str(), sending.step), ("998901234567", 1));
        assert!(sending.clone().advance(InvoiceChange::Send, None, NOW).is_none());
        let lost = InvoiceChange::OutcomeUnknown { click_note: "no answer".to_owned() };
        let unknown = sending.clone().advance(lost, Some(NOW), NOW).unwrap();
        assert!(unknown.state.is_open() && unknown.next_step_at.is_none());
        assert!(unknown.advance(InvoiceChange::Send, None, NOW).is_none());
        let sent = sending.advance(InvoiceChange::Sent { invoice_id: 7 }, Some(NOW), NOW).unwrap();
        let deleted = sent.clone().advance(InvoiceChange::Deleted, None, NOW).unwrap();
        assert!(!deleted.state.is_open() && deleted.next_step_at.is_none());
        assert_eq!(sent.advance(InvoiceChange::Over, None, NOW).unwrap().state, InvoiceState::Over);
    }

    #[test]
    fn a_request_is_known_by_its_number_order_time_phone_and_sum() {
        let sending = requested().advance(InvoiceChange::Send, None, NOW).unwrap();
        assert!(requested().is_same_request(&sending), "however far it has gone");
        let (phone, amount_tiyin) = ("998900000000".to_owned(), Tiyin::try_new(6).unwrap());
        let later = NOW + time::Duration::minutes(1);
        for other in [
            PhoneInvoice { phone_invoice_id: 2, ..requested() },
            PhoneInvoice { order_id: OrderId::try_new(1002).unwrap(), ..requested() },
            PhoneInvoice { requested_at: later, ..requested() },
            PhoneInvoice { phone, ..requested() },
            PhoneInvoice { amount_tiyin, ..requested() },
        ] {
            assert!(!requested().is_same_request(&other), "{other:?}");
        }
    }

    #[test]
    fn after_a_restore_one_that_click_may_have_made_is_of_unknown_outcome_and_others_go_on() {
        let later = NOW + time::Duration::hours(1);
        let sending = requested().advance(InvoiceChange::Send, None, NOW).unwrap();
        for before in [requested(), sending.clone()] {
            let after = before.clone().after_restore(later).unwrap();
            assert!(matches!(after.state, InvoiceState::Unknown { .. }), "{after:?}");
            assert_eq!((after.changed_at, after.step, after.next_step_at), (later, before.step + 1, None));
        }
        let sent = sending.advance(InvoiceChange::Sent { invoice_id: 7 }, Some(NOW), NOW).unwrap();
        assert_eq!(sent.after_restore(later), None);
    }

    #[test]
    fn an_invoice_is_looked_at_while_it_waits_and_one_that_click_did_not_take_is_over() {
        let later = NOW + time::Duration::minutes(1);
        let sending = requested().advance(InvoiceChange::Send, Some(later), later).unwrap();
        assert_eq!(
            (sending.next_step_at, sending.changed_at, sending.requested_at),
            (Some(later), later, NOW)
        );
        let refused = InvoiceChange::Refused { click_code: -3, click_note: "no such number".to_owned() };
        let state = InvoiceState::Refused { click_code: -3, click_note: "no such number".to_owned() };
        for (change, expected) in [(refused, Some(state)), (InvoiceChange::NotTaken, None)] {
            let over = sending.clone().advance(change, Some(later), later).unwrap();
            assert!(matches!(over.state, InvoiceState::Refused { .. }) && over.next_step_at.is_none());
            assert!(expected.is_none_or(|state| over.state == state));
        }
        let sent = sending.advance(InvoiceChange::Sent { invoice_id: 7 }, None, NOW).unwrap();
        let waiting = sent.clone().advance(InvoiceChange::Wait, Some(later), later).unwrap();
        assert_eq!((waiting.state, waiting.step), (sent.state, sent.step + 1));
        assert_eq!((sent.next_step_at, waiting.next_step_at), (Some(NOW), Some(later)));
    }

    #[test]
    fn an_invoice_is_read_back_as_it_was_written() {
        let sent = requested().advance(InvoiceChange::Send, None, NOW).unwrap();
        let sent = sent.advance(InvoiceChange::Sent { invoice_id: 7 }, Some(NOW), NOW).unwrap();
        let json = serde_json::to_string(&sent).unwrap();
        assert_eq!(serde_json::from_str::<PhoneInvoice>(&json).unwrap(), sent);
    }
}
