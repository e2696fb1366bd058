//! The Merchant API of section 3: known digests, and calls that both sides write and read alike.
#![expect(clippy::unwrap_used, reason = "tests")]

use time::macros::date;
use tolov_click::{
    ApiAnswer, Auth, Call, SecretKey,
    merchant_api::{
        BadAuth, BadCall, BadItems, CommissionInfo, FiscalData, FiscalItem, FiscalItems, FiscalQrCode,
        InvoiceState, NewInvoice, Nothing, PaymentState,
    },
};
use tolov_domain::Tiyin;

fn secret() -> SecretKey {
    SecretKey::new("SECRET")
}

fn invoice() -> NewInvoice {
    NewInvoice {
        service_id: 12345,
        amount: Tiyin::parse_soum("33139.73").unwrap(),
        phone_number: "998901234567".to_owned(),
        merchant_trans_id: "1001".to_owned(),
    }
}

fn items() -> FiscalItems {
    let item = FiscalItem {
        name: "Non".to_owned(),
        barcode: Some("4780000000001".to_owned()),
        labels: Vec::new(),
        spic: "01905001001000000".to_owned(),
        units: Some(1),
        package_code: "1500000".to_owned(),
        good_price: None,
        price: 150_000,
        amount: 1,
        vat: 16_071,
        vat_percent: 12,
        discount: None,
        other: None,
        commission_info: CommissionInfo::Tin("305000000".to_owned()),
    };
    FiscalItems {
        service_id: 12345,
        payment_id: 77,
        items: vec![item],
        received_ecash: 150_000,
        received_cash: 0,
        received_card: 0,
    }
}

#[test]
fn the_known_digest_comes_out_and_is_read_back() {
    let auth = Auth::new(9, &secret(), 1_712_345_678);
    let header = "9:003d60aa9338dab162e66412533d4e61552414b1:1712345678";
    assert_eq!(auth.header(), header);
    let read = Auth::parse(header).unwrap();
    assert_eq!(read, auth);
    assert!(read.is_signed_by(&secret()));
    assert!(!read.is_signed_by(&SecretKey::new("SECRET2")));
    assert!(!format!("{read:?}").contains("003d60"), "the digest does not print");
}

#[test]
fn a_digest_of_another_second_is_not_clicks() {
    let header = "9:003d60aa9338dab162e66412533d4e61552414b1:1712345679";
    assert!(!Auth::parse(header).unwrap().is_signed_by(&secret()));
}

#[test]
fn a_header_that_is_none_says_why() {
    let digest = "003d60aa9338dab162e66412533d4e61552414b1";
    for (header, problem) in [
        (String::new(), BadAuth::Form),
        (format!("9:{digest}"), BadAuth::Form),
        (format!("9:{digest}:1712345678:1"), BadAuth::Form),
        (format!("me:{digest}:1712345678"), BadAuth::MerchantUserId),
        ("9:00:1712345678".to_owned(), BadAuth::Digest),
        (format!("9:{digest}:1712345678000"), BadAuth::Timestamp),
        (format!("9:{digest}:+171234567"), BadAuth::Timestamp),
    ] {
        assert_eq!(Auth::parse(&header), Err(problem), "{header}");
    }
}

#[test]
fn every_call_is_read_back_as_it_was_written() {
    let by_order = |order: &str| Call::PaymentStatusByOrder {
        service_id: 12345,
        merchant_trans_id: order.to_owned(),
        date: date!(2026 - 04 - 09),
    };
    let qr_code = FiscalQrCode {
        service_id: 12345,
        payment_id: 77,
        qrcode: "https://ofd.soliq.uz/check?t=1".to_owned(),
    };
    let calls = [
        (Call::CreateInvoice(invoice()), "POST /v2/merchant/invoice/create"),
        (Call::InvoiceStatus { service_id: 12345, invoice_id: 5 }, "GET /v2/merchant/invoice/status/12345/5"),
        (
            Call::PaymentStatus { service_id: 12345, payment_id: 77 },
            "GET /v2/merchant/payment/status/12345/77",
        ),
        (by_order("1001"), "GET /v2/merchant/payment/status_by_mti/12345/1001/2026-04-09"),
        (by_order("а/7?"), "GET /v2/merchant/payment/status_by_mti/12345/%D0%B0%2F7%3F/2026-04-09"),
        (
            Call::Reversal { service_id: 12345, payment_id: 77 },
            "DELETE /v2/merchant/payment/reversal/12345/77",
        ),
        (Call::SubmitItems(items()), "POST /v2/merchant/payment/ofd_data/submit_items"),
        (Call::SubmitQrCode(qr_code), "POST /v2/merchant/payment/ofd_data/submit_qrcode"),
        (
            Call::FiscalData { service_id: 12345, payment_id: 77 },
            "GET /v2/merchant/payment/ofd_data/12345/77",
        ),
    ];
    for (call, line) in calls {
        assert_eq!(format!("{} {}", call.method(), call.path()), line);
        let body = call.body().unwrap_or_default();
        assert_eq!(Call::parse(call.method(), &call.path(), &body), Ok(call.clone()), "{line}");
        assert_eq!(call.service_id(), 12345);
    }
}

#[test]
fn an_amount_is_a_json_number_that_never_was_a_float() {
    let body = String::from_utf8(Call::CreateInvoice(invoice()).body().unwrap()).unwrap();
    assert_eq!(
        body,
        r#"{"service_id":12345,"amount":33139.73,"phone_number":"998901234567","merchant_trans_id":"1001"}"#
    );
    let path = "/v2/merchant/invoice/create";
    for (from, to, problem) in [
        ("33139.73", "33139.731", "amount"),
        ("33139.73", "1e3", "amount"),
        ("33139.73", "-1", "amount"),
        ("33139.73", "0", "amount"),
        ("998901234567", "+998901234567", "phone_number"),
        ("\"1001\"", "\"\"", "merchant_trans_id"),
        (",\"merchant_trans_id\":\"1001\"", "", "merchant_trans_id"),
    ] {
        let Err(BadCall::Body(words)) = Call::parse("POST", path, body.replace(from, to).as_bytes()) else {
            panic!("{to} was taken");
        };
        assert!(words.contains(problem), "{words}");
    }
}

#[test]
fn the_addresses_that_peers_call_wrongly_do_not_exist() {
    for (method, path) in [
        ("DELETE", "/v2/merchant/payment/status_by_mti/12345/1001"),
        ("GET", "/v2/merchant/payment/status_by_mti/12345/1001"),
        ("DELETE", "/v2/merchant/payment/status_by_mti/12345/1001/2026-04-09"),
        ("GET", "/v2/merchant/payment/status_by_mti/12345/1001/09.04.2026"),
        ("GET", "/v1/merchant/payment/status/12345/77"),
        ("POST", "/v2/merchant/payment/reversal/12345/77"),
        ("GET", "/v2/merchant/payment/status/12345/77/"),
        ("GET", "/v2/merchant/payment/status/12345/-77"),
        ("GET", "/v2/merchant/payment/status/12345/x"),
    ] {
        assert_eq!(Call::parse(method, path, b""), Err(BadCall::NoSuchAddress), "{method} {path}");
    }
}

#[test]
fn items_of_a_receipt_are_held_to_their_documented_lengths() {
    assert_eq!(items().check(), Ok(()));
    assert_eq!(items().received(), Some(150_000));
    let json = String::from_utf8(Call::SubmitItems(items()).body().unwrap()).unwrap();
    for name in
        ["\"SPIC\":", "\"PackageCode\":", "\"VATPercent\":12", "\"CommissionInfo\":{\"TIN\":\"305000000\"}"]
    {
        assert!(json.contains(name), "{name} in {json}");
    }
    let spoiled = |spoil: fn(&mut FiscalItem)| {
        let mut items = items();
        spoil(&mut items.items[0]);
        items.check()
    };
    let field = |field| Err(BadItems::Field { item: 1, field });
    assert_eq!(spoiled(|item| item.name = "н".repeat(64)), field("Name"));
    assert_eq!(spoiled(|item| item.spic = "1".to_owned()), field("SPIC"));
    assert_eq!(spoiled(|item| item.package_code = String::new()), field("PackageCode"));
    assert_eq!(spoiled(|item| item.labels = vec![String::from("x"); 301]), field("Labels"));
    assert_eq!(
        spoiled(|item| item.commission_info = CommissionInfo::Pinfl("305000000".to_owned())),
        field("CommissionInfo")
    );
    assert_eq!(FiscalItems { items: Vec::new(), ..items() }.check(), Err(BadItems::Empty));
}

#[test]
fn answers_are_read_with_and_without_what_was_asked_for() {
    let paid: ApiAnswer<PaymentState> = serde_json::from_str(
        r#"{"error_code":0,"error_note":"Success","payment_id":9007199254740993,"payment_status":2}"#,
    )
    .unwrap();
    assert_eq!(paid.body.unwrap().payment_id, 9_007_199_254_740_993);
    let refused: ApiAnswer<PaymentState> =
        serde_json::from_str(r#"{"error_code":-404,"error_note":"Payment not found"}"#).unwrap();
    assert_eq!((refused.error_code, refused.body), (-404, None));
    // Official samples read another name.
    let invoice: ApiAnswer<InvoiceState> =
        serde_json::from_str(r#"{"error_code":0,"error_note":"","status":-99,"status_note":"Deleted"}"#)
            .unwrap();
    assert_eq!(invoice.body.unwrap().invoice_status, InvoiceState::DELETED);
    let done = serde_json::to_string(&ApiAnswer::success(Nothing {})).unwrap();
    assert_eq!(done, r#"{"error_code":0,"error_note":"Success"}"#);
    let fiscal = FiscalData { payment_id: 77, qr_code_url: "https://x".to_owned() };
    let fiscal = serde_json::to_string(&ApiAnswer::success(fiscal)).unwrap();
    assert!(fiscal.ends_with(r#""paymentId":77,"qrCodeURL":"https://x"}"#), "{fiscal}");
}
