//! What the bot is asked to say, and to whom. One message a recipient, so that a slow staff channel never delays a
//! shopper.

use serde::{Deserialize, Serialize};

use crate::{
    event::{Event, EventError, EventKind, Undecided, schema_of},
    ids::{ClickPaydocId, ClickTransId, EventId, OrderId, PrepareId, RefundId, UserId},
    json,
    money::Tiyin,
    order::OrderLine,
    payment::Anomaly,
    refund::{ManualReason, UndecidedState},
    time::Timestamp,
};

/// A message that the bot is to send. The same fact and recipient always have the same id, so that a repetition sends
/// nothing twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    pub schema: String,
    pub notification_id: EventId,
    pub recipient: Recipient,
    pub order_id: OrderId,
    pub user_id: UserId,
    pub lines: Vec<OrderLine>,
    pub total_tiyin: Tiyin,
    pub subject: Subject,
    #[serde(with = "time::serde::rfc3339")]
    pub occurred_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    Shopper,
    /// The staff channel, DB_CHANNEL.
    Staff,
}

impl Recipient {
    pub const ALL: [Self; 2] = [Self::Shopper, Self::Staff];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shopper => "shopper",
            Self::Staff => "staff",
        }
    }
}

/// What is said. A reader that does not know a subject parks the message: the bot is upgraded before the projector
/// (docs/events.md).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    OrderPaid {
        click_paydoc_id: ClickPaydocId,
        late: bool,
        /// The stock, cart or promo code of the order could not be brought up to date: staff have to.
        #[serde(default = "settled")]
        stock_settled: bool,
    },
    PaymentQuestioned {
        /// `None` where the event is an expiry.
        click_paydoc_id: Option<ClickPaydocId>,
        /// `None` where the event is an expiry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        click_trans_id: Option<ClickTransId>,
        /// The amount that CLICK names, where the event has it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        click_amount_tiyin: Option<Tiyin>,
        /// The payment that the shop has the order paid by, where it is another one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        paid_by: Option<PaymentNumbers>,
        /// The attempt that an owner may accept as paid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant_prepare_id: Option<PrepareId>,
        anomaly: Anomaly,
    },
    /// Nobody paid in time. For the shopper alone.
    OrderExpired,
    /// Money went back to the shopper. For the shopper alone.
    MoneyReturned {
        refunded_tiyin: Tiyin,
        /// Nothing of the order's money is left with the shop.
        is_rest: bool,
    },
    /// A refund waits for a person. For staff alone.
    RefundUndecided {
        refund_id: RefundId,
        refunded_tiyin: Tiyin,
        state: UndecidedState,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<ManualReason>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        click_code: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        click_note: Option<String>,
    },
    /// The fiscal receipt of the order. For the shopper alone.
    ReceiptIssued { url: String },
}

/// What a payment is looked up by in CLICK's cabinet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentNumbers {
    pub click_trans_id: ClickTransId,
    pub click_paydoc_id: ClickPaydocId,
}

const fn settled() -> bool {
    true
}

/// The only schema of this version.
pub const SCHEMA: &str = "notification/1";

/// What people are to hear of an event, once the shop has dealt with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    /// Nothing: the event is no news to them.
    Nothing,
    /// The event itself.
    Event { stock_settled: bool },
    /// The event contradicts what the shop knows of the order and was not applied: staff must look.
    Question(Anomaly),
}

/// The notifications of an event: for nobody, the shopper, staff, or both.
pub fn notifications_for(
    event: &Event,
    lines: &[OrderLine],
    announcement: Announcement,
) -> Vec<Notification> {
    let notification = |name: &EventId, recipient, subject| Notification {
        schema: SCHEMA.to_owned(),
        notification_id: id_of(name, recipient),
        recipient,
        order_id: event.order_id,
        user_id: event.user_id,
        lines: lines.to_vec(),
        total_tiyin: event.amount,
        subject,
        occurred_at: event.occurred_at,
    };
    let stock_settled = match announcement {
        Announcement::Nothing => return Vec::new(),
        Announcement::Question(anomaly) => {
            let (name, subject) = (question_id(event, anomaly), question(event, anomaly));
            return vec![notification(&name, Recipient::Staff, subject)];
        }
        Announcement::Event { stock_settled } => stock_settled,
    };
    match &event.kind {
        &EventKind::PaymentCompleted { click_paydoc_id, late, .. } => {
            let subject = Subject::OrderPaid { click_paydoc_id, late, stock_settled };
            let told = |recipient| notification(&event.id, recipient, subject.clone());
            vec![told(Recipient::Shopper), told(Recipient::Staff)]
        }
        &EventKind::PaymentQuestioned { anomaly, .. } => {
            vec![notification(&event.id, Recipient::Staff, question(event, anomaly))]
        }
        EventKind::OrderExpired => vec![notification(&event.id, Recipient::Shopper, Subject::OrderExpired)],
        EventKind::PaymentReversed(reversal) | EventKind::PaymentPartlyReversed { reversal, .. } => {
            let is_rest = matches!(event.kind, EventKind::PaymentReversed(_));
            let subject = Subject::MoneyReturned { refunded_tiyin: reversal.refunded, is_rest };
            vec![notification(&event.id, Recipient::Shopper, subject)]
        }
        EventKind::RefundUndecided(undecided) => {
            vec![notification(&event.id, Recipient::Staff, undecided_subject(undecided))]
        }
        EventKind::ReceiptIssued { url } => {
            let subject = Subject::ReceiptIssued { url: url.clone() };
            vec![notification(&event.id, Recipient::Shopper, subject)]
        }
        EventKind::PaymentCancelled { .. } => Vec::new(),
    }
}

fn undecided_subject(undecided: &Undecided) -> Subject {
    Subject::RefundUndecided {
        refund_id: undecided.refund_id,
        refunded_tiyin: undecided.refunded,
        state: undecided.state,
        why: undecided.why,
        click_code: undecided.click_code,
        click_note: undecided.click_note.clone(),
    }
}

fn question(event: &Event, anomaly: Anomaly) -> Subject {
    let (click_trans_id, click_paydoc_id) = event.kind.click_ids().unzip();
    let (click_amount_tiyin, merchant_prepare_id) = match event.kind {
        EventKind::PaymentQuestioned { click_amount, merchant_prepare_id, .. } => {
            (click_amount, merchant_prepare_id)
        }
        EventKind::PaymentCompleted { .. } => (Some(event.amount), None),
        EventKind::PaymentCancelled { .. }
        | EventKind::OrderExpired
        | EventKind::PaymentReversed(_)
        | EventKind::PaymentPartlyReversed { .. }
        | EventKind::RefundUndecided(_)
        | EventKind::ReceiptIssued { .. } => (None, None),
    };
    Subject::PaymentQuestioned {
        click_paydoc_id,
        click_trans_id,
        click_amount_tiyin,
        paid_by: None,
        merchant_prepare_id,
        anomaly,
    }
}

/// Names what a recipient is told, after the event, or after the question that it raises.
pub fn id_of(name: &EventId, recipient: Recipient) -> EventId {
    EventId::new(format!("{name}/{}", recipient.as_str()))
}

/// Names the question that an event raises. Two payments of one order have the same event id: the transaction tells their
/// questions apart.
pub fn question_id(event: &Event, anomaly: Anomaly) -> EventId {
    let (id, anomaly) = (&event.id, anomaly.as_str());
    EventId::new(match event.kind.click_ids() {
        Some((trans_id, _)) => format!("{id}:{trans_id}:{anomaly}"),
        None => format!("{id}:{anomaly}"),
    })
}

impl Notification {
    /// A question names also the payment that the order has, where it is another one: staff compare both.
    #[must_use]
    pub fn beside(mut self, known: Option<PaymentNumbers>) -> Self {
        if let Subject::PaymentQuestioned { click_trans_id, paid_by, .. } = &mut self.subject {
            *paid_by = known.filter(|known| Some(known.click_trans_id) != *click_trans_id);
        }
        self
    }

    pub fn to_json(&self) -> Vec<u8> {
        json::to_vec(self)
    }

    pub fn from_json(body: &[u8]) -> Result<Self, EventError> {
        let schema = schema_of(body)?;
        if schema != SCHEMA {
            return Err(EventError::UnknownSchema(schema));
        }
        serde_json::from_slice(body).map_err(|error| EventError::Malformed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::event::Reversal;

    const SETTLED: Announcement = Announcement::Event { stock_settled: true };

    fn event(kind: EventKind) -> Event {
        let order_id = OrderId::try_new(1024).unwrap();
        Event {
            id: Event::id_of(order_id, &kind),
            order_id,
            user_id: UserId::try_new(5551).unwrap(),
            products: Vec::new(),
            amount: Tiyin::try_new(3_000_000).unwrap(),
            occurred_at: datetime!(2026-11-23 07:05:06 UTC),
            kind,
        }
    }

    fn completed(click_trans_id: i64) -> Event {
        event(EventKind::PaymentCompleted {
            click_trans_id: ClickTransId::try_new(click_trans_id).unwrap(),
            click_paydoc_id: ClickPaydocId::try_new(2001).unwrap(),
            merchant_prepare_id: PrepareId::try_new(77).unwrap(),
            late: false,
        })
    }

    fn ids(notifications: &[Notification]) -> Vec<&str> {
        notifications.iter().map(|notification| notification.notification_id.as_str()).collect()
    }

    #[test]
    fn an_expiry_is_announced_to_the_shopper_alone_and_not_when_it_is_no_news() {
        let event = event(EventKind::OrderExpired);
        let told = notifications_for(&event, &[], SETTLED);
        let [told] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((told.recipient, &told.subject), (Recipient::Shopper, &Subject::OrderExpired));
        assert_eq!(told.notification_id.as_str(), "order.expired:1024/shopper");
        assert_eq!(Notification::from_json(&told.to_json()).as_ref(), Ok(told));
        assert_eq!(notifications_for(&event, &[], Announcement::Nothing), []);
    }

    #[test]
    fn the_shopper_is_told_of_returned_money_and_staff_of_a_refund_that_waits_for_them() {
        let refund_id = RefundId::try_new(1_795_900_000).unwrap();
        let refunded = Tiyin::try_new(1_000_000).unwrap();
        let reversal = Reversal { refund_id, refunded, by_hand: false, returned: Vec::new() };
        let part = EventKind::PaymentPartlyReversed { reversal: reversal.clone(), refunded_total: refunded };
        for (kind, is_rest) in [(part, false), (EventKind::PaymentReversed(reversal), true)] {
            let told = notifications_for(&event(kind), &[], SETTLED);
            let [told] = told.as_slice() else { panic!("{told:?}") };
            let subject = Subject::MoneyReturned { refunded_tiyin: refunded, is_rest };
            assert_eq!((told.recipient, &told.subject), (Recipient::Shopper, &subject));
            assert_eq!(Notification::from_json(&told.to_json()).as_ref(), Ok(told));
        }
        let undecided = Undecided {
            refund_id,
            refunded,
            state: UndecidedState::Refused,
            step: 4,
            why: None,
            click_code: Some(-500),
            click_note: Some("UZCARD".to_owned()),
        };
        let told = notifications_for(&event(EventKind::RefundUndecided(undecided)), &[], SETTLED);
        assert_eq!(ids(&told), ["refund.undecided:1024:1795900000:refused:4/staff"]);
        assert_eq!(Notification::from_json(&told[0].to_json()).as_ref(), Ok(&told[0]));
    }

    #[test]
    fn questions_about_two_payments_of_one_order_have_different_ids() {
        let question = Announcement::Question(Anomaly::PaidTwice);
        let [first, second] =
            [501, 777].map(|trans_id| notifications_for(&completed(trans_id), &[], question));
        assert_eq!(ids(&first), ["payment.completed:1024:501:paid_twice/staff"]);
        assert_eq!(ids(&second), ["payment.completed:1024:777:paid_twice/staff"]);
        let expiry = notifications_for(
            &event(EventKind::OrderExpired),
            &[],
            Announcement::Question(Anomaly::OrderDiffers),
        );
        assert_eq!(ids(&expiry), ["order.expired:1024:order_differs/staff"]);
        let subject = Subject::PaymentQuestioned {
            click_paydoc_id: None,
            click_trans_id: None,
            click_amount_tiyin: None,
            paid_by: None,
            merchant_prepare_id: None,
            anomaly: Anomaly::OrderDiffers,
        };
        assert_eq!(expiry[0].subject, subject);
    }

    #[test]
    fn a_question_names_transaction_payment_and_the_amount_that_click_names() {
        let (click_trans_id, click_amount) = (ClickTransId::try_new(501).unwrap(), Tiyin::try_new(299).ok());
        let told = notifications_for(
            &event(EventKind::PaymentQuestioned {
                click_trans_id,
                click_paydoc_id: ClickPaydocId::try_new(2001).unwrap(),
                merchant_prepare_id: None,
                click_amount,
                anomaly: Anomaly::AmountDiffers,
            }),
            &[],
            SETTLED,
        );
        let subject = Subject::PaymentQuestioned {
            click_paydoc_id: ClickPaydocId::try_new(2001).ok(),
            click_trans_id: Some(click_trans_id),
            click_amount_tiyin: click_amount,
            paid_by: None,
            merchant_prepare_id: None,
            anomaly: Anomaly::AmountDiffers,
        };
        assert_eq!(told[0].subject, subject);
        assert_eq!(Notification::from_json(&told[0].to_json()).as_ref(), Ok(&told[0]));
        // A bot reads the messages of a projector that did not name the transaction yet.
        let older = String::from_utf8(told[0].to_json()).unwrap();
        let older = older.replace("\"click_trans_id\":501,\"click_amount_tiyin\":299,", "");
        let read = Notification::from_json(older.as_bytes()).unwrap().subject;
        assert!(matches!(read, Subject::PaymentQuestioned { click_trans_id: None, .. }), "{read:?}");
    }

    #[test]
    fn a_question_names_the_payment_that_the_order_has_where_it_is_another_one() {
        let question = Announcement::Question(Anomaly::PaidTwice);
        let known = |click_trans_id| PaymentNumbers {
            click_trans_id: ClickTransId::try_new(click_trans_id).unwrap(),
            click_paydoc_id: ClickPaydocId::try_new(2001).unwrap(),
        };
        let named = |known| {
            let told = notifications_for(&completed(777), &[], question).remove(0).beside(known);
            let Subject::PaymentQuestioned { paid_by, .. } = told.subject else { panic!("{told:?}") };
            paid_by
        };
        assert_eq!(named(Some(known(501))), Some(known(501)));
        assert_eq!((named(Some(known(777))), named(None)), (None, None));
    }

    #[test]
    fn stock_that_was_not_settled_is_said_in_the_notification() {
        for stock_settled in [false, true] {
            for told in notifications_for(&completed(501), &[], Announcement::Event { stock_settled }) {
                let Subject::OrderPaid { stock_settled: said, .. } = told.subject else { panic!("{told:?}") };
                assert_eq!(said, stock_settled);
            }
        }
    }

    #[test]
    fn a_subject_of_a_newer_producer_is_refused_as_unreadable() {
        let told = notifications_for(&event(EventKind::OrderExpired), &[], SETTLED).remove(0);
        let body = String::from_utf8(told.to_json()).unwrap();
        let newer = body.replace("\"order_expired\"", "\"order_sent_off\"");
        assert_ne!(newer, body);
        let refusal = Notification::from_json(newer.as_bytes()).unwrap_err();
        assert!(refusal.to_string().contains("order_sent_off"), "{refusal}");
    }
}
