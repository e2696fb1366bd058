//! Known vectors of section 1.3, and the shapes of forms, answers and links.

use proptest::prelude::*;
use tolov_click::{
    Action, BadForm, Callback, CallbackForm, ClickCode, Malformed, PayLink, Reply, SecretKey,
    sign::SignedFields, sign_complete, sign_prepare,
};
use tolov_domain::{ClickTransId, OrderId, PrepareId, Tiyin};

fn secret() -> SecretKey {
    SecretKey::new("SECRET")
}

const LIVE: &str = "click_trans_id=3647911201&service_id=12345&click_paydoc_id=2001&merchant_trans_id=1001\
    &amount=38400&action=0&sign_time=2026-04-29+18%3A02%3A18&error=0&error_note=Success\
    &sign_string=fa6ab4c1cb7c0926faa7b206f5bcc494";

fn parsed(body: &str) -> CallbackForm {
    let (form, outcome) = CallbackForm::parse(body.as_bytes());
    assert_eq!(outcome, Ok(()), "{body}");
    form
}

#[test]
fn the_known_signatures_come_out() {
    let prepare =
        |trans, order, amount| sign_prepare(&secret(), trans, "12345", order, amount, "2026-04-29 18:02:18");
    assert_eq!(prepare("3647911201", "1001", "38400"), "fa6ab4c1cb7c0926faa7b206f5bcc494");
    assert_eq!(prepare("3647911201", "1001", "38400.00"), "e7d133dd37411285753dc76b34006b61");
    assert_eq!(prepare("1", "Заказ-7", "1000"), "5e1bcf3c7b5d147a9abf1fd7bf130748");
    let complete =
        sign_complete(&secret(), "3647911201", "12345", "1001", "77", "38400", "2026-04-29 18:02:25");
    assert_eq!(complete, "9cbf2ce19efcdb5676287b5751434fe3");
}

#[test]
fn a_signature_is_verified_with_its_key_alone_and_the_key_is_not_shown() {
    let fields = |amount| SignedFields {
        click_trans_id: "3647911201",
        service_id: "12345",
        merchant_trans_id: "1001",
        merchant_prepare_id: None,
        amount,
        action: "0",
        sign_time: "2026-04-29 18:02:18",
    };
    assert!(secret().verify(&fields("38400"), "fa6ab4c1cb7c0926faa7b206f5bcc494"));
    assert!(!secret().verify(&fields("38400.00"), "fa6ab4c1cb7c0926faa7b206f5bcc494"));
    assert!(!SecretKey::new("SECRET2").verify(&fields("38400"), "fa6ab4c1cb7c0926faa7b206f5bcc494"));
    assert_eq!(format!("{:?}", secret()), "SecretKey(…)");
}

#[test]
fn a_request_as_production_users_quote_it_is_signed_and_read() {
    let form = parsed(LIVE);
    assert!(form.is_signed_by(&secret()));
    let callback = Callback::read(&form).unwrap();
    assert_eq!(callback.click_trans_id, ClickTransId::try_new(3_647_911_201).unwrap());
    assert_eq!(callback.amount, Tiyin::parse_soum("38400").ok());
    assert_eq!((callback.action, callback.error), (Action::Prepare, 0));
}

#[test]
fn one_changed_signed_field_breaks_the_signature_and_an_unsigned_one_does_not() {
    for (from, to) in [
        ("3647911201", "3647911202"),
        ("service_id=12345", "service_id=12346"),
        ("merchant_trans_id=1001", "merchant_trans_id=1002"),
        ("amount=38400", "amount=38400.00"),
        ("A18&error", "A19&error"),
        ("bcc494", "bcc495"),
        ("bcc494", "bcc49"),
    ] {
        assert!(!parsed(&LIVE.replace(from, to)).is_signed_by(&secret()), "{from} -> {to}");
    }
    assert!(!parsed(LIVE).is_signed_by(&SecretKey::new("SECRET2")));
    for (from, to) in [("paydoc_id=2001", "paydoc_id=2002"), ("error=0", "error=-1"), ("=Success", "=Fine")] {
        assert!(parsed(&LIVE.replace(from, to)).is_signed_by(&secret()), "{from} -> {to}");
    }
}

#[test]
fn a_prepare_id_sent_with_a_prepare_is_not_signed() {
    assert!(parsed(&format!("{LIVE}&merchant_prepare_id=")).is_signed_by(&secret()));
    assert!(parsed(&format!("{LIVE}&merchant_prepare_id=5")).is_signed_by(&secret()));
}

#[test]
fn a_complete_without_failure_alone_reports_that_money_was_taken() {
    for (action, error, reports) in
        [("0", "0", false), ("0", "-5017", false), ("1", "0", true), ("1", "-5017", false)]
    {
        let body = LIVE.replace("action=0", &format!("action={action}"));
        let body = body.replace("error=0", &format!("error={error}"));
        let form = parsed(&format!("{body}&merchant_prepare_id=77"));
        assert_eq!(form.reports_payment(), reports, "{body}");
    }
}

#[test]
fn a_field_that_is_missing_empty_or_doubled_is_refused() {
    for field in tolov_click::form::FIELDS.into_iter().filter(|field| *field != "merchant_prepare_id") {
        let without: Vec<&str> =
            LIVE.split('&').filter(|pair| !pair.starts_with(&format!("{field}="))).collect();
        let (_, outcome) = CallbackForm::parse(without.join("&").as_bytes());
        assert_eq!(outcome, Err(BadForm::Missing(field)));
        let (_, outcome) = CallbackForm::parse(format!("{}&{field}=", without.join("&")).as_bytes());
        // The note is text for people: one that is there and empty is given.
        let expected = if field == "error_note" { Ok(()) } else { Err(BadForm::Missing(field)) };
        assert_eq!(outcome, expected);
        let (_, outcome) = CallbackForm::parse(format!("{LIVE}&{field}=1").as_bytes());
        assert_eq!(outcome, Err(BadForm::Twice(field)));
    }
    let (_, outcome) = CallbackForm::parse(LIVE.replace("action=0", "action=1").as_bytes());
    assert_eq!(outcome, Err(BadForm::Missing("merchant_prepare_id")));
}

#[test]
fn line_ends_after_the_form_are_not_part_of_its_last_value() {
    for end in ["\r\n", "\n", "\r\n\r\n"] {
        assert!(parsed(&format!("{LIVE}{end}")).is_signed_by(&secret()), "{end:?}");
    }
    for inside in ["%0D%0A", "%20", "&x=1\r\n&sign_time=1\n"] {
        let (form, outcome) = CallbackForm::parse(format!("{LIVE}{inside}").as_bytes());
        assert!(outcome.is_err() || !form.is_signed_by(&secret()), "{inside}");
    }
}

#[test]
fn bytes_that_are_not_utf8_spoil_no_field_that_is_not_signed() {
    for body in [
        LIVE.replace("=Success", "=%CE%F8%E8%E1%EA%E0"),
        format!("{LIVE}&comment=%CE%EA"),
        format!("{LIVE}&%CE%EA=1"),
    ] {
        let form = parsed(&body);
        assert!(form.is_signed_by(&secret()), "{body}");
        assert!(Callback::read(&form).is_ok(), "{body}");
        assert!(form.to_record().contains("error_note"), "it is kept as far as it can be read");
    }
    let (form, outcome) = CallbackForm::parse(&[LIVE.as_bytes(), b"&card=\xff\xfe"].concat());
    assert!(outcome.is_ok() && form.is_signed_by(&secret()));
}

#[test]
fn signed_fields_are_hashed_as_the_bytes_that_were_received() {
    let order: &[u8] = b"\xc7\xe0\xea\xe0\xe7";
    let signature = secret().sign_bytes(&tolov_click::sign::SignedBytes {
        before_key: [b"3647911201", b"12345"],
        after_key: [order, b"", b"38400", b"0", b"2026-04-29 18:02:18"],
    });
    let body = LIVE
        .replace("merchant_trans_id=1001", "merchant_trans_id=%C7%E0%EA%E0%E7")
        .replace("fa6ab4c1cb7c0926faa7b206f5bcc494", &signature);
    let form = parsed(&body);
    assert!(form.is_signed_by(&secret()));
    assert_eq!(Callback::read(&form).unwrap().merchant_trans_id, "\u{fffd}".repeat(5));
    let other = body.replace("%C7%E0%EA%E0%E7", "%C7%E0%EA%E0%E8");
    assert!(!parsed(&other).is_signed_by(&secret()), "two bytes with one replacement are not one order");
}

#[test]
fn a_record_is_small_whatever_the_fields_are() {
    for filler in ["%01", "%22", "%D0%B6", "a", "%FF", "\u{10ffff}"] {
        let mut body = LIVE.to_owned();
        for field in tolov_click::form::FIELDS {
            body = body.replace(&format!("{field}="), &format!("{field}={}", filler.repeat(800)));
        }
        let (form, _) = CallbackForm::parse(body.as_bytes());
        assert!(form.to_record().len() < 3_000, "{filler}: {}", form.to_record().len());
        assert!(form.to_unverified_record().len() < 1_000, "{filler}");
    }
}

#[test]
fn a_card_number_is_not_kept() {
    for (written, kept) in [
        ("8600123456789012", "************9012"),
        ("8600+1234+5678+9012", "**** **** **** 9012"),
        ("card+9860-1234-5678-9012.", "card ****-****-****-9012."),
        ("order+1001+of+29.04", "order 1001 of 29.04"),
        ("999999999999", "999999999999"),
    ] {
        for field in ["merchant_trans_id=1001", "error_note=Success"] {
            let (name, _) = field.split_once('=').unwrap();
            let form = parsed(&LIVE.replace(field, &format!("{name}={written}")));
            assert!(form.to_record().contains(&format!("\"{name}\":\"{kept}\"")), "{}", form.to_record());
        }
    }
    let form = parsed(&LIVE.replace("click_trans_id=3647911201", "click_trans_id=8600123456789012"));
    assert!(form.to_record().contains("8600123456789012"), "CLICK's own number is evidence");
    assert!(
        form.to_unverified_record().contains("\"************9012\""),
        "a number in a forged callback is not"
    );
}

#[test]
fn unknown_fields_are_ignored_even_twice() {
    assert!(parsed(&format!("{LIVE}&param2=a&param2=b&&=&x")).is_signed_by(&secret()));
}

#[test]
fn the_record_of_a_callback_leaves_the_signature_out() {
    let record = parsed(LIVE).to_record();
    assert!(record.contains(r#""sign_time":"2026-04-29 18:02:18""#));
    assert!(!record.contains("sign_string") && !record.contains("fa6ab4c1"));
}

#[test]
fn fields_have_one_spelling() {
    let read = |from: &str, to: &str| Callback::read(&parsed(&LIVE.replace(from, to)));
    assert_eq!(read("action=0", "action=2"), Err(Malformed::Action));
    assert_eq!(read("action=0", "action=00"), Err(Malformed::Action));
    for (from, to, field) in [
        ("3647911201", "03647911201", "click_trans_id"),
        ("3647911201", "99999999999999999999", "click_trans_id"),
        ("paydoc_id=2001", "paydoc_id=x", "click_paydoc_id"),
        ("service_id=12345", "service_id=%2B12345", "service_id"),
        ("error=0", "error=-0", "error"),
        ("error=0", "error=1", "error"),
        ("18%3A02%3A18", "18%3A02%3A180", "sign_time"),
        ("2026-04-29+", "2026-04-29t", "sign_time"),
        ("18%3A02%3A18", "18%3A02%3A18Z", "sign_time"),
        ("18%3A02%3A18", "18%3A02%3A18.2180", "sign_time"),
    ] {
        assert_eq!(read(from, to), Err(Malformed::Field(field)), "{to}");
    }
    assert_eq!(read("amount=38400", "amount=nan").unwrap().amount, None);
    // Some integrators' guides show these.
    for sign_time in ["2026-04-29T18%3A02%3A18", "20260429T180218", "2026-04-29+18%3A02%3A18.000"] {
        assert!(read("2026-04-29+18%3A02%3A18", sign_time).is_ok(), "{sign_time}");
    }
}

#[test]
fn answers_are_json_with_an_integer_error() {
    let trans = ClickTransId::try_new(i64::MAX).unwrap();
    let reply = Reply::prepared(PrepareId::try_new(77).unwrap()).echo(trans, "1001");
    assert_eq!(
        String::from_utf8(reply.to_json()).unwrap(),
        r#"{"click_trans_id":9223372036854775807,"merchant_trans_id":"1001","merchant_prepare_id":77,"error":0,"error_note":"Success"}"#
    );
    assert_eq!(
        String::from_utf8(Reply::code(ClickCode::SignCheckFailed).to_json()).unwrap(),
        r#"{"error":-1,"error_note":"SIGN CHECK FAILED!"}"#
    );
    for (position, code) in ClickCode::ALL.into_iter().enumerate() {
        assert_eq!(code.code(), -i32::try_from(position).unwrap());
        assert_eq!(ClickCode::from_code(code.code()), Some(code));
    }
}

#[test]
fn a_value_with_an_ampersand_adds_no_parameter_to_the_pay_link() {
    let link = PayLink {
        pay_page: tolov_click::link::CLICK_PAY_PAGE.to_owned(),
        service_id: 12345,
        merchant_id: 678,
        merchant_user_id: Some(9),
        return_url: Some("https://t.me/bot?start=a&amount=1".to_owned()),
    }
    .for_order(OrderId::try_new(1024).unwrap(), Tiyin::from_soum(30_000).unwrap());
    assert_eq!(
        link,
        "https://my.click.uz/services/pay?service_id=12345&merchant_id=678&amount=30000.00&transaction_param=1024\
         &merchant_user_id=9&return_url=https%3A%2F%2Ft.me%2Fbot%3Fstart%3Da%26amount%3D1"
    );
}

proptest! {
    #[test]
    fn no_body_makes_the_reader_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let (form, _) = CallbackForm::parse(&body);
        prop_assert!(!form.is_signed_by(&secret()));
        let _ = (Callback::read(&form), form.to_record(), form.to_unverified_record());
    }
}
