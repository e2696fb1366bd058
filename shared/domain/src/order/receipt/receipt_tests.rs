use proptest::prelude::*;
use time::macros::datetime;

use super::*;
use crate::{
    ids::ProductId,
    order::{OrderLine, Portion},
};

const NOW: Timestamp = datetime!(2026-11-23 09:00 UTC);

fn tiyin(tiyin: i64) -> Tiyin {
    Tiyin::try_new(tiyin).unwrap()
}

fn codes() -> Fiscal {
    Fiscal {
        mxik: Some("01234567890123456".to_owned()),
        package_code: Some("1506113".to_owned()),
        vat_percent: Some(12),
    }
}

fn line(title: &str, count: u32, price: i64) -> OrderLine {
    let product_id = ProductId::try_new(7).unwrap();
    let (title, price) = (title.to_owned(), Some(tiyin(price)));
    OrderLine { product_id, count, title, price, portion: None, fiscal: Some(codes()) }
}

fn delivery(price: i64) -> DeliveryLine {
    DeliveryLine { name: "Yetkazib berish".to_owned(), fiscal: codes(), price: tiyin(price) }
}

fn payment() -> ClickPaymentId {
    ClickPaymentId::try_new(4_710_103_925).unwrap()
}

fn receipt() -> Receipt {
    Receipt {
        order_id: OrderId::try_new(1001).unwrap(),
        amount_tiyin: tiyin(3_000),
        content: content(&[line("Choy", 1, 3_000)], None, Tiyin::ZERO, tiyin(3_000), &codes()).unwrap(),
        state: ReceiptState::NEEDED,
        body_hash: None,
        since: NOW,
        changed_at: NOW,
        step: 1,
        tries: 0,
        next_step_at: Some(NOW),
    }
}

fn submit(hash: &str) -> Change {
    Change::Submit { payment_id: payment(), body_hash: hash.to_owned() }
}

#[test]
fn a_receipt_holds_goods_discount_and_delivery() {
    let olive = OrderLine { portion: Portion::parse("0,5 kg"), ..line("Zaytun", 3, 1_200_000) };
    let goods = [line("Choy", 2, 1_000_000), olive];
    let total = tiyin(2_000_000 + 3_600_000 - 100_001 + 500_000);
    let content = content(&goods, Some(delivery(500_000)), tiyin(100_001), total, &codes()).unwrap();
    assert_eq!(content.paid(), Some(total));
    let [tea, olive, delivery] = content.lines.as_slice() else { panic!("{content:?}") };
    assert_eq!((tea.name.as_str(), tea.amount, tea.price), ("Choy dona", 2_000, tiyin(2_000_000)));
    assert_eq!((olive.name.as_str(), olive.amount, olive.price), ("Zaytun 0,5 kg", 1_500, tiyin(3_600_000)));
    assert_eq!((tea.discount, olive.discount), (tiyin(35_715), tiyin(64_286)));
    assert_eq!((delivery.amount, delivery.discount), (1_000, Tiyin::ZERO));
    assert!(content.has_codes());
}

#[test]
fn vat_is_inside_of_what_is_paid() {
    // CLICK's own example: 240 000 less 22 at 7%.
    assert_eq!(vat_inside(tiyin(239_978), 7), tiyin(15_699));
    assert_eq!(vat_inside(tiyin(112), 12), tiyin(12));
    assert_eq!(vat_inside(tiyin(3_000), 0), Tiyin::ZERO);
}

#[test]
fn the_shops_defaults_stand_in_and_a_package_stays_with_its_code() {
    let none = Fiscal::default();
    assert_eq!(none.or(&codes()), codes());
    let own = Fiscal { mxik: Some("06543210987654321".to_owned()), ..none.clone() };
    let filled = own.or(&codes());
    assert_eq!((filled.package_code, filled.vat_percent), (None, Some(12)));
    let free = OrderLine { fiscal: None, ..line("Choy", 1, 3_000) };
    let content = content(&[free], None, Tiyin::ZERO, tiyin(3_000), &none).unwrap();
    assert!(!content.has_codes());
}

#[test]
fn an_order_that_does_not_add_up_has_no_receipt() {
    let goods = [line("Choy", 1, 3_000)];
    let of = |goods: &[OrderLine], discount, total| {
        content(goods, None, tiyin(discount), tiyin(total), &codes()).map(|_| ())
    };
    assert_eq!(of(&goods, 0, 3_001), Err(ContentError::DoesNotAddUp));
    assert_eq!(of(&goods, 3_001, 0), Err(ContentError::DoesNotAddUp));
    let unknown = [OrderLine { price: None, ..line("Choy", 1, 1) }];
    assert_eq!(of(&unknown, 0, 1), Err(ContentError::NoPrice));
}

#[test]
fn a_long_title_keeps_its_unit_within_63_characters() {
    let long = [line(&"я".repeat(100), 1, 3_000)];
    let content = content(&long, None, Tiyin::ZERO, tiyin(3_000), &codes()).unwrap();
    let name = &content.lines[0].name;
    assert_eq!(name.chars().count(), 63);
    assert!(name.ends_with("я dona"), "{name}");
}

#[test]
fn another_body_is_never_sent() {
    let sent = receipt().advance(submit("a"), None, NOW).unwrap();
    let refusal = Change::NotTaken { click_code: Some(-500), click_note: "нет".to_owned() };
    let again = sent.advance(refusal, Some(NOW), NOW).unwrap();
    assert!(again.clone().advance(submit("b"), None, NOW).is_err());
    let again = again.advance(submit("a"), None, NOW).unwrap();
    assert_eq!((again.tries, again.step), (2, 4));
}

#[test]
fn what_is_being_sent_or_is_known_is_not_sent_again() {
    let url = "https://ofd.soliq.uz/check?t=1&r=2&c=3&s=4".to_owned();
    let sending = receipt().advance(submit("a"), None, NOW).unwrap();
    assert!(sending.clone().advance(submit("a"), None, NOW).is_err());
    let unknown = sending.clone().advance(Change::OutcomeUnknown, None, NOW).unwrap();
    assert!(unknown.advance(submit("a"), None, NOW).is_err(), "CLICK is asked first");
    let taken = sending.advance(Change::Taken, None, NOW).unwrap();
    assert!(taken.clone().advance(submit("a"), None, NOW).is_err());
    let known = taken.advance(Change::FoundReceipt { payment_id: payment(), url }, None, NOW).unwrap();
    for change in [submit("a"), Change::Wait, Change::GiveUp { why: MissingReason::NoAnswer }] {
        assert!(known.clone().advance(change, None, NOW).is_err());
    }
}

#[test]
fn a_person_tries_again_or_closes_what_is_missing_and_the_return_of_a_known_one() {
    let missing = receipt().advance(Change::GiveUp { why: MissingReason::NoCodes }, None, NOW).unwrap();
    let by_hand = Decision::ByHand { document: "Z-1".to_owned() };
    let again = missing.clone().decide(Decision::Retry, "5551", false, NOW).unwrap();
    assert_eq!((again.state, again.next_step_at), (ReceiptState::NEEDED, Some(NOW)));
    let closed = missing.decide(by_hand.clone(), "5551", false, NOW).unwrap();
    assert_eq!(closed.state.status(), ReceiptStatus::ByHand);
    assert!(closed.decide(Decision::Retry, "5551", false, NOW).is_err());
    let url = "https://ofd.soliq.uz/check".to_owned();
    let known = receipt().advance(Change::FoundReceipt { payment_id: payment(), url }, None, NOW).unwrap();
    assert!(known.clone().decide(by_hand.clone(), "5551", false, NOW).is_err());
    assert!(known.decide(by_hand.clone(), "5551", true, NOW).is_ok());
    let sending = receipt().advance(submit("a"), None, NOW).unwrap();
    assert!(sending.decide(by_hand, "5551", true, NOW).is_err());
}

proptest! {
    #[test]
    fn shares_add_up_and_none_is_above_its_weight(
        weights in prop::collection::vec(0_i64..=1_000_000_000_000, 0..40),
        part in 0_u32..=1_000_000,
    ) {
        let all: i64 = weights.iter().sum();
        let sum = i64::try_from(i128::from(all) * i128::from(part) / 1_000_000).unwrap();
        let weights: Vec<Tiyin> = weights.into_iter().map(tiyin).collect();
        let shares = spread(tiyin(sum), &weights).unwrap();
        prop_assert_eq!(shares.iter().map(|share| share.get()).sum::<i64>(), sum);
        for (share, weight) in shares.iter().zip(&weights) {
            prop_assert!(share <= weight);
            // Within one tiyin of the exact proportion.
            let exact = i128::from(sum) * i128::from(weight.get());
            prop_assert!((i128::from(share.get()) * i128::from(all) - exact).abs() < i128::from(all.max(1)));
        }
        prop_assert!(spread(tiyin(all + 1), &weights).is_none());
    }

    #[test]
    fn every_order_adds_up_to_the_tiyin(
        goods in prop::collection::vec((1_u32..1_000, 0_i64..100_000_000, prop::option::of(1_u32..2_000)), 1..30),
        part in 0_u32..=100,
        delivery_price in 0_i64..10_000_000,
        percent in 0_u8..=100,
    ) {
        let fiscal = Fiscal { vat_percent: Some(percent), ..codes() };
        let goods: Vec<OrderLine> = goods
            .into_iter()
            .map(|(count, price, grams)| OrderLine {
                portion: grams.and_then(|grams| Portion::parse(&format!("{grams} g"))),
                fiscal: Some(fiscal.clone()),
                ..line("Choy", count, price)
            })
            .collect();
        let sum: i64 = goods.iter().map(|line| i64::from(line.count) * line.price.unwrap().get()).sum();
        let discount = sum / 100 * i64::from(part);
        let total = tiyin(sum - discount + delivery_price);
        let content =
            content(&goods, Some(delivery(delivery_price)), tiyin(discount), total, &fiscal).unwrap();
        prop_assert_eq!(content.paid().unwrap_or(Tiyin::ZERO), total);
        for line in content.lines {
            let paid = line.price.checked_sub(line.discount).unwrap();
            prop_assert!(line.vat <= paid && line.amount > 0 && line.name.chars().count() <= 63);
        }
    }
}

/// Where a receipt may have come to, from one that is needed.
fn everywhere() -> Vec<Receipt> {
    let advance = |receipt: &Receipt, change| receipt.clone().advance(change, None, NOW).unwrap();
    let url = "https://ofd.soliq.uz/check?t=UZ1".to_owned();
    let known = Change::FoundReceipt { payment_id: payment(), url };
    let not_taken = Change::NotTaken { click_code: Some(-7), click_note: "items".to_owned() };
    let needed = receipt();
    let submitting = advance(&needed, submit(&"a".repeat(64)));
    let unknown = advance(&submitting, Change::OutcomeUnknown);
    let submitted = advance(&submitting, Change::Taken);
    let refused = advance(&submitting, not_taken);
    let missing = |receipt, why| advance(receipt, Change::GiveUp { why });
    let by_hand = Decision::ByHand { document: "Z-report 17".to_owned() };
    vec![
        missing(&needed, MissingReason::NoCodes),
        missing(&refused, MissingReason::Refused),
        missing(&unknown, MissingReason::NoAnswer),
        missing(&submitted, MissingReason::NoAddress),
        advance(&needed, known.clone()),
        advance(&submitted, known),
        needed.clone().decide(by_hand.clone(), "5551", false, NOW).unwrap(),
        unknown.clone().decide(by_hand, "5551", false, NOW).unwrap(),
        needed,
        submitting,
        unknown,
        submitted,
        refused,
    ]
}

#[test]
fn a_receipt_of_an_older_copy_goes_on_to_where_it_was_and_what_was_sent_stays_sent() {
    for since in everywhere() {
        let mut copy = receipt();
        for _ in 0..5 {
            let Some(next) = copy.retrace(&since, Some(payment()), false, NOW) else { break };
            copy = next;
        }
        assert_eq!(copy.state.status(), since.state.status(), "{since:?}");
        let is_over = matches!(since.state.status(), ReceiptStatus::Known | ReceiptStatus::ByHand);
        assert!(is_over || copy.body_hash == since.body_hash, "{since:?}");
        assert_eq!(copy.retrace(&since, Some(payment()), false, NOW), None, "{since:?}");
    }
}

#[test]
fn a_receipt_that_was_taken_or_is_there_is_never_needed_again() {
    let is_settled = |receipt: &Receipt| {
        matches!(
            receipt.state.status(),
            ReceiptStatus::Submitted | ReceiptStatus::Known | ReceiptStatus::ByHand
        )
    };
    for copy in everywhere() {
        for since in everywhere().into_iter().filter(is_settled) {
            let mut copy = copy.clone();
            for _ in 0..5 {
                let Some(next) = copy.retrace(&since, Some(payment()), false, NOW) else { break };
                copy = next;
            }
            assert!(is_settled(&copy), "{copy:?} {since:?}");
        }
    }
    let of_other_goods = Receipt { content: Content { lines: Vec::new() }, ..everywhere()[4].clone() };
    assert_eq!(receipt().retrace(&of_other_goods, None, false, NOW), None);
}
