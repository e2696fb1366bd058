//! Promo codes: a discount, a number of uses, a time limit.

use proptest::prelude::*;
use tolov_contract::memory::MemoryDocuments;
use tolov_domain::Tiyin;
use tolov_shop::{
    promo::{self, Off, PromoCode, PromoRefusal, Use, fold_code},
    records,
};

use crate::shop::{CODE, NOON, code, minutes, order_id, soum, user_id};

fn used(order: i64, user: i64) -> Use {
    Use { order_id: order_id(order), user_id: user_id(user) }
}

fn discount(code: &PromoCode, goods: Tiyin) -> Result<Tiyin, PromoRefusal> {
    code.discount(user_id(1), goods, NOON)
}

#[test]
fn a_percentage_is_rounded_down_to_whole_soum() {
    assert_eq!(discount(&code(), soum(30_000)), Ok(soum(3_000)));
    assert_eq!(discount(&code(), soum(30_009)), Ok(soum(3_000)));
    assert_eq!(discount(&code(), soum(9)), Ok(Tiyin::ZERO));
}

#[test]
fn a_code_that_would_leave_nothing_to_pay_says_what_goods_it_needs() {
    let code = PromoCode { off: Off::Amount(soum(10_000)), ..code() };
    for goods in [soum(1), soum(5_000), soum(10_000)] {
        assert_eq!(discount(&code, goods), Err(PromoRefusal::TooLittle(soum(10_001))), "{goods:?}");
    }
    assert_eq!(discount(&code, soum(10_001)), Ok(soum(10_000)));
}

#[test]
fn each_limit_is_a_refusal_of_its_own() {
    let full = PromoCode { uses: vec![used(1, 2), used(2, 3)], uses_max: 2, ..code() };
    let mine = PromoCode { uses: vec![used(1, 1)], uses_per_shopper_max: 1, ..code() };
    for (code, refusal) in [
        (PromoCode { active: false, ..code() }, PromoRefusal::Unknown),
        (PromoCode { expires_at: Some(NOON), ..code() }, PromoRefusal::Expired),
        (full, PromoRefusal::UsedUp),
        (mine, PromoRefusal::UsedByYou),
        (PromoCode { goods_min: soum(30_001), ..code() }, PromoRefusal::TooLittle(soum(30_001))),
    ] {
        assert_eq!(discount(&code, soum(30_000)), Err(refusal));
    }
    let until_later = PromoCode { expires_at: Some(minutes(1)), ..code() };
    assert_eq!(discount(&until_later, soum(30_000)), Ok(soum(3_000)));
}

#[test]
fn an_order_uses_a_code_once_even_if_it_is_used_up_or_inactive_by_then() {
    let mut code = PromoCode { uses_max: 1, ..code() };
    assert_eq!(code.claim(used(1, 1), soum(30_000), NOON), Ok(soum(3_000)));
    code.active = false;
    assert_eq!(code.claim(used(1, 1), soum(30_000), NOON), Ok(soum(3_000)));
    code.active = true;
    assert_eq!(code.claim(used(2, 2), soum(30_000), NOON), Err(PromoRefusal::UsedUp));
    code.release(order_id(1));
    code.release(order_id(1));
    assert_eq!(code.claim(used(2, 2), soum(30_000), NOON), Ok(soum(3_000)));
    code.keep(used(1, 1));
    code.keep(used(1, 1));
    assert_eq!(code.uses, [used(2, 2), used(1, 1)], "late money counts above the limit");
}

#[test]
fn codes_are_stored_in_capitals_and_other_texts_are_refused() {
    assert_eq!(fold_code(" bahor-26 ").as_deref(), Some("BAHOR-26"));
    assert_eq!(fold_code("баҳор").as_deref(), Some("БАҲОР"));
    for text in ["", "  ", "two words", "a.b", "$x", &"A".repeat(33)] {
        assert_eq!(fold_code(text), None, "{text:?}");
    }
}

#[tokio::test]
async fn a_code_of_ten_uses_is_used_ten_times_under_concurrent_claims() {
    let documents = MemoryDocuments::default();
    records::insert(&documents, &PromoCode { uses_max: 10, ..code() }).await.unwrap();
    let claims = (1..=30).map(|number| {
        let documents = documents.clone();
        tokio::spawn(async move {
            let claim = |code: &mut PromoCode| code.claim(used(number, number), soum(30_000), NOON);
            records::change(&documents, CODE, claim).await.unwrap().unwrap().1
        })
    });
    let claims = futures_util::future::join_all(claims).await;
    assert_eq!(claims.into_iter().filter(|claim| claim.as_ref().unwrap().is_ok()).count(), 10);
    let unknown = promo::discount(&documents, "KUZ", user_id(1), soum(1), NOON).await.unwrap();
    assert_eq!(unknown, Err(PromoRefusal::Unknown));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn something_is_always_left_to_pay(goods in 1..=Tiyin::MAX.get(), percent in 0..=255u8, amount in 0..=Tiyin::MAX.get()) {
        let goods = Tiyin::try_new(goods).unwrap();
        for off in [Off::Percent(percent), Off::Amount(Tiyin::try_new(amount).unwrap())] {
            match discount(&PromoCode { off, ..code() }, goods) {
                Ok(discount) => prop_assert!(discount < goods),
                Err(PromoRefusal::TooLittle(least)) => prop_assert!(least > goods || goods < soum(1)),
                Err(refusal) => prop_assert!(false, "{refusal:?}"),
            }
        }
    }
}
