use time::macros::datetime;

use super::*;

fn event(kind: EventKind) -> Event {
    let order_id = OrderId::try_new(1024).unwrap();
    Event {
        id: Event::id_of(order_id, &kind),
        order_id,
        user_id: UserId::try_new(5551).unwrap(),
        products: vec![OrderedProduct { product_id: crate::ProductId::try_new(7).unwrap(), count: 2 }],
        amount: Tiyin::try_new(3_000_000).unwrap(),
        occurred_at: datetime!(2026-11-23 07:05:06.789 UTC),
        kind,
    }
}

fn kinds() -> Vec<EventKind> {
    let click_trans_id = ClickTransId::try_new(3_647_911_201).unwrap();
    let click_paydoc_id = ClickPaydocId::try_new(2001).unwrap();
    let merchant_prepare_id = PrepareId::try_new(77).unwrap();
    let error = ClickError::from_code(-5017).unwrap();
    let anomaly = Anomaly::PaidTwice;
    vec![
        EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, merchant_prepare_id, late: false },
        EventKind::PaymentCancelled { click_trans_id, click_paydoc_id, merchant_prepare_id, error },
        EventKind::PaymentQuestioned {
            click_trans_id,
            click_paydoc_id,
            merchant_prepare_id: Some(merchant_prepare_id),
            click_amount: Tiyin::try_new(2_999_900).ok(),
            anomaly,
        },
        EventKind::OrderExpired,
        EventKind::PaymentReversed(reversal()),
        EventKind::PaymentPartlyReversed {
            reversal: reversal(),
            refunded_total: Tiyin::try_new(1_500_000).unwrap(),
        },
        EventKind::RefundUndecided(Undecided {
            refund_id: RefundId::try_new(1_795_900_000).unwrap(),
            refunded: Tiyin::try_new(3_000_000).unwrap(),
            state: UndecidedState::Refused,
            step: 4,
            why: None,
            click_code: Some(-500),
            click_note: Some("Возврат невозможен".to_owned()),
        }),
        EventKind::ReceiptIssued { url: "https://ofd.soliq.uz/check?t=1&r=2".to_owned() },
    ]
}

fn reversal() -> Reversal {
    Reversal {
        refund_id: RefundId::try_new(1_795_900_000).unwrap(),
        refunded: Tiyin::try_new(1_000_000).unwrap(),
        by_hand: true,
        returned: vec![OrderedProduct { product_id: crate::ProductId::try_new(7).unwrap(), count: 1 }],
    }
}

#[test]
fn the_events_of_a_refund_and_of_a_receipt_are_named_after_what_happened() {
    let ids: Vec<String> = kinds().into_iter().skip(4).map(|kind| event(kind).id.to_string()).collect();
    assert_eq!(
        ids,
        [
            "payment.reversed:1024",
            "payment.partly_reversed:1024:1795900000",
            "refund.undecided:1024:1795900000:refused:4",
            "receipt.issued:1024"
        ]
    );
}

#[test]
fn an_event_is_read_back_as_it_was_written() {
    for kind in kinds() {
        let event = event(kind);
        assert_eq!(Event::from_json(&event.to_json()), Ok(event));
    }
}

#[test]
fn the_body_has_the_fields_of_the_contract() {
    let body = String::from_utf8(event(kinds().remove(0)).to_json()).unwrap();
    assert_eq!(
        body,
        r#"{"schema":"payment.completed/1","event_id":"payment.completed:1024","order_id":1024,"user_id":5551,"products":[{"product_id":7,"count":2}],"amount_tiyin":3000000,"occurred_at":"2026-11-23T07:05:06.789Z","click_trans_id":3647911201,"click_paydoc_id":2001,"merchant_prepare_id":77,"late":false}"#
    );
}

#[test]
fn each_transaction_that_is_reused_at_prepare_is_a_question_of_its_own() {
    let order_id = OrderId::try_new(1024).unwrap();
    let reused = |trans_id| EventKind::PaymentQuestioned {
        click_trans_id: ClickTransId::try_new(trans_id).unwrap(),
        click_paydoc_id: ClickPaydocId::try_new(2001).unwrap(),
        merchant_prepare_id: None,
        click_amount: None,
        anomaly: Anomaly::TransactionReused,
    };
    assert_ne!(Event::id_of(order_id, &reused(501)), Event::id_of(order_id, &reused(777)));
    assert_eq!(Event::id_of(order_id, &reused(501)), Event::id_of(order_id, &reused(501)));
}

#[test]
fn a_schema_of_a_newer_producer_is_named_in_the_refusal() {
    let body = String::from_utf8(event(EventKind::OrderExpired).to_json()).unwrap();
    let newer = body.replace("order.expired/1", "order.expired/2");
    assert_eq!(
        Event::from_json(newer.as_bytes()),
        Err(EventError::UnknownSchema("order.expired/2".to_owned()))
    );
    let other_fields = Event::from_json(br#"{"schema":"order.moved/1"}"#);
    assert_eq!(other_fields, Err(EventError::UnknownSchema("order.moved/1".to_owned())));
    assert!(matches!(Event::from_json(b"not json"), Err(EventError::Malformed(_))));
}
