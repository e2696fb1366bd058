//! CLICK's Merchant API, as a merchant calls it.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use time::{Date, Duration, macros::datetime};
use tolov_click::{
    Auth, Call, SecretKey,
    merchant_api::{CommissionInfo, FiscalItem, FiscalItems, FiscalQrCode, NewInvoice},
};
use tolov_domain::Tiyin;
use tolov_kit::clock::{Clock, ManualClock};
use tolov_sandbox::click::PaymentStatus;

use crate::{
    merchant::Merchant,
    running::{Running, SECRET_KEY, SERVICE_ID, client, config, start_with},
};

const MERCHANT_USER_ID: i64 = 4321;

/// A sandbox with the test's clock and a merchant that has order 1001.
struct World {
    sandbox: Running,
    clock: ManualClock,
    merchant: Merchant,
}

impl World {
    async fn new() -> Self {
        // The 30th in Tashkent, an hour before midnight.
        let clock = ManualClock::new(datetime!(2026-11-30 18:00 UTC));
        let mut config = config();
        config.clock = Arc::new(clock.clone());
        config.click.merchant_user_id = Some(MERCHANT_USER_ID);
        let sandbox = start_with(config);
        let merchant = Merchant::known_to(&sandbox).await;
        Self { sandbox, clock, merchant }
    }

    fn auth(&self) -> String {
        let now = self.clock.now().unix_timestamp();
        Auth::new(MERCHANT_USER_ID, &SecretKey::new(SECRET_KEY), now).header()
    }

    async fn call(&self, call: &Call) -> (u16, Value) {
        let headers = [("auth", self.auth()), ("accept", "application/json".to_owned())];
        self.send(call.method(), &call.path(), &headers, call.body()).await
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: Option<Vec<u8>>,
    ) -> (u16, Value) {
        let mut request =
            client().request(Method::from_bytes(method.as_bytes()).unwrap(), self.sandbox.url(path));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// `None`: no answer comes.
    async fn try_call(&self, call: &Call) -> Option<(u16, String)> {
        let method = Method::from_bytes(call.method().as_bytes()).unwrap();
        let request = client().request(method, self.sandbox.url(&call.path())).header("auth", self.auth());
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        answer.text().await.ok().map(|body| (status, body))
    }

    async fn fault(&self, fault: Value) {
        let url = self.sandbox.url("/sandbox/click/api_faults");
        let injected = client().post(url).json(&fault).send().await.unwrap();
        assert_eq!(injected.status(), 200, "{fault}");
    }

    async fn set_reversals(&self, how: Value) {
        let url = self.sandbox.url("/sandbox/click/reversals");
        assert_eq!(client().post(url).json(&how).send().await.unwrap().status(), 200);
    }

    /// Order 1001, paid; CLICK's payment_id.
    async fn paid(&self) -> i64 {
        let payment = self.sandbox.handle.click().pay("1001", "1500").await.unwrap();
        assert!(payment.is_paid());
        payment.click_paydoc_id
    }

    async fn status_of(&self, payment_id: i64) -> Value {
        let call = Call::PaymentStatus { service_id: SERVICE_ID, payment_id };
        self.call(&call).await.1["payment_status"].clone()
    }
}

fn reversal(payment_id: i64) -> Call {
    Call::Reversal { service_id: SERVICE_ID, payment_id }
}

fn by_order(order: &str, date: Date) -> Call {
    Call::PaymentStatusByOrder { service_id: SERVICE_ID, merchant_trans_id: order.to_owned(), date }
}

/// A request that is none.
fn assert_bad((status, body): &(u16, Value), expected: StatusCode, words: &str) {
    assert_eq!(*status, expected.as_u16(), "{body}");
    assert_code(body, -i64::from(expected.as_u16()), words);
}

/// CLICK refuses with HTTP 200 and a code.
fn assert_refused((status, body): &(u16, Value), code: i64, words: &str) {
    assert_eq!(*status, 200, "{body}");
    assert_code(body, code, words);
}

fn assert_code(body: &Value, code: i64, words: &str) {
    let note = body["error_note"].as_str().unwrap();
    assert_eq!(body["error_code"], code, "{body}");
    assert!(note.contains(words), "{note}");
}

#[tokio::test]
async fn a_call_without_a_correct_auth_header_is_refused() {
    let world = World::new().await;
    let payment_id = world.paid().await;
    let call = Call::PaymentStatus { service_id: SERVICE_ID, payment_id };
    let now = world.clock.now().unix_timestamp();
    let key = SecretKey::new(SECRET_KEY);
    let with = |auth: String| vec![("auth", auth)];
    for (headers, code, words) in [
        (Vec::new(), -12, "missing"),
        (with("Bearer x".to_owned()), -15, "merchant_user_id:digest:timestamp"),
        (with(Auth::new(MERCHANT_USER_ID, &SecretKey::new("other"), now).header()), -15, "sha1(timestamp"),
        (with(Auth::new(1, &key, now).header()), -15, "merchant_user_id"),
    ] {
        let answer = world.send("GET", &call.path(), &headers, None).await;
        assert_refused(&answer, code, words);
        assert!(!answer.1.to_string().contains(SECRET_KEY));
    }
    let old = with(Auth::new(MERCHANT_USER_ID, &key, now - 24 * 3_600).header());
    assert_eq!(world.send("GET", &call.path(), &old, None).await.1["error_code"], 0, "CLICK takes any age");
    assert_eq!(world.call(&call).await.0, 200);
    let calls = world.sandbox.handle.click().api_calls();
    assert_eq!(calls.len(), 6);
    assert_eq!((calls[0].http_status, calls[0].error_code, calls[5].error_code), (200, -12, 0));
}

#[tokio::test]
async fn wrong_addresses_services_and_types_are_told_apart() {
    let world = World::new().await;
    let path = "/v2/merchant/payment/status_by_mti/12345/1001";
    let auth = vec![("auth", world.auth())];
    // What CLICK's own PHP sample calls: DELETE, and no date.
    let answer = world.send("DELETE", path, &auth, None).await;
    assert_bad(&answer, StatusCode::NOT_FOUND, "there is no DELETE payment/status_by_mti");
    let other = Call::PaymentStatus { service_id: 1, payment_id: 1 };
    assert_refused(&world.call(&other).await, -12, "service_id 1");
    let xml = vec![("auth", world.auth()), ("accept", "application/xml".to_owned())];
    let answer = world.send("GET", "/v2/merchant/payment/status/12345/1", &xml, None).await;
    assert_bad(&answer, StatusCode::NOT_ACCEPTABLE, "application/json");
    let answer = world.send("POST", "/v2/merchant/invoice/create", &auth, Some(b"{".to_vec())).await;
    assert_bad(&answer, StatusCode::BAD_REQUEST, "the body");
    let (status, _) = world.send("POST", "/v2/merchant/invoice/create", &auth, None).await;
    assert_eq!(status, 400, "no content type");
}

#[tokio::test]
async fn an_invoice_waits_for_its_payer_and_is_paid_or_deleted() {
    let world = World::new().await;
    let new = NewInvoice {
        service_id: SERVICE_ID,
        amount: Tiyin::parse_soum("1500").unwrap(),
        phone_number: "998901234567".to_owned(),
        merchant_trans_id: "1001".to_owned(),
    };
    let (status, created) = world.call(&Call::CreateInvoice(new.clone())).await;
    assert_eq!((status, &created["error_code"], &created["error_note"]), (200, &json!(0), &json!("Success")));
    let invoice_id = created["invoice_id"].as_i64().unwrap();
    let asked = Call::InvoiceStatus { service_id: SERVICE_ID, invoice_id };
    assert_eq!(world.call(&asked).await.1["invoice_status"], 0);

    let click = world.sandbox.handle.click();
    assert!(click.pay_invoice(invoice_id).await.unwrap().is_paid());
    assert_eq!(world.call(&asked).await.1["invoice_status"], 1);
    assert!(click.pay_invoice(invoice_id).await.is_err(), "it is paid once");
    assert_eq!(world.merchant.paid_times(), 1);

    let second = world.call(&Call::CreateInvoice(new)).await.1["invoice_id"].as_i64().unwrap();
    click.delete_invoice(second).unwrap();
    let asked = Call::InvoiceStatus { service_id: SERVICE_ID, invoice_id: second };
    let answer = world.call(&asked).await.1;
    assert_eq!((&answer["invoice_status"], &answer["invoice_status_note"]), (&json!(-99), &json!("Deleted")));
    let nobodys = Call::InvoiceStatus { service_id: SERVICE_ID, invoice_id: 5 };
    let (_, answer) = world.call(&nobodys).await;
    assert_eq!((&answer["error_code"], &answer["invoice_status"]), (&json!(0), &Value::Null));
}

#[tokio::test]
async fn an_invoice_whose_payment_the_merchant_refuses_still_waits() {
    let world = World::new().await;
    let new = NewInvoice {
        service_id: SERVICE_ID,
        amount: Tiyin::parse_soum("1").unwrap(),
        phone_number: "998901234567".to_owned(),
        merchant_trans_id: "1001".to_owned(),
    };
    let invoice_id = world.call(&Call::CreateInvoice(new)).await.1["invoice_id"].as_i64().unwrap();
    let payment = world.sandbox.handle.click().pay_invoice(invoice_id).await.unwrap();
    assert!(matches!(payment.status, PaymentStatus::Refused { error: Some(-2), .. }));
    let asked = Call::InvoiceStatus { service_id: SERVICE_ID, invoice_id };
    assert_eq!(world.call(&asked).await.1["invoice_status"], 0);
}

#[tokio::test]
async fn a_payment_is_found_by_its_number_and_by_its_order_and_day_in_tashkent() {
    let world = World::new().await;
    let payment_id = world.paid().await;
    assert_eq!(world.status_of(payment_id).await, 2);
    let today = time::macros::date!(2026 - 11 - 30);
    let (_, found) = world.call(&by_order("1001", today)).await;
    assert_eq!(
        found,
        json!({"error_code": 0, "error_note": "Success", "payment_id": payment_id, "payment_status": 2,
            "merchant_trans_id": "1001"})
    );
    for wrong in [by_order("1001", time::macros::date!(2026 - 12 - 01)), by_order("1002", today)] {
        assert_refused(&world.call(&wrong).await, -16, "payment");
    }
    // The number of the attempt is not the number of the payment.
    let attempt = world.sandbox.handle.click().payments()[0].click_trans_id;
    let call = Call::PaymentStatus { service_id: SERVICE_ID, payment_id: attempt };
    assert_refused(&world.call(&call).await, -16, "payment");
    // A failed attempt afterwards does not hide the payment.
    world.sandbox.handle.click().pay("1001", "1").await.unwrap();
    assert_eq!(world.call(&by_order("1001", today)).await.1["payment_id"], payment_id);
}

#[tokio::test]
async fn a_finished_payment_is_given_back_once() {
    let world = World::new().await;
    let payment_id = world.paid().await;
    let (status, body) = world.call(&reversal(payment_id)).await;
    assert_eq!((status, &body["payment_id"]), (200, &json!(payment_id)));
    assert_eq!(world.status_of(payment_id).await, -1);
    assert_refused(&world.call(&reversal(payment_id)).await, -500, "already reversed");
    assert_refused(&world.call(&reversal(1)).await, -16, "payment");
    let refused = world.sandbox.handle.click().pay("1001", "1").await.unwrap();
    let answer = world.call(&reversal(refused.click_paydoc_id)).await;
    assert_refused(&answer, -500, "not finished");
}

#[tokio::test]
async fn last_months_payment_is_given_back_on_the_first_and_not_on_the_second() {
    let world = World::new().await;
    let (early, late) = (world.paid().await, world.paid().await);
    world.clock.advance(Duration::hours(2));
    assert_eq!(world.call(&reversal(early)).await.1["error_code"], 0, "it is the 1st");
    world.clock.advance(Duration::hours(24));
    assert_refused(&world.call(&reversal(late)).await, -500, "in its month");
}

#[tokio::test]
async fn the_cards_bank_may_refuse_a_reversal() {
    let world = World::new().await;
    let payment_id = world.paid().await;
    world.set_reversals(json!({"refuse": true})).await;
    assert_refused(&world.call(&reversal(payment_id)).await, -500, "bank");
    assert_eq!(world.status_of(payment_id).await, 2);
    world.sandbox.handle.click().refuse_reversals(false);
    assert_eq!(world.call(&reversal(payment_id)).await.1["error_code"], 0);
}

#[tokio::test]
async fn a_part_is_given_back_only_where_that_is_switched_on() {
    let world = World::new().await;
    let payment_id = world.paid().await;
    let path =
        |amount: &str| format!("/v2/merchant/payment/partial_reversal/{SERVICE_ID}/{payment_id}/{amount}");
    let auth = vec![("auth", world.auth())];
    let reverse = async |amount: &str| world.send("DELETE", &path(amount), &auth, None).await;
    assert_refused(&reverse("500").await, -500, "not open");
    world.set_reversals(json!({"parts": true})).await;
    assert_eq!(reverse("500.50").await.1["error_code"], 0);
    assert_refused(&reverse("999.50").await, -500, "not a part of what is left");
    assert_eq!(world.status_of(payment_id).await, 2, "it stays paid");
    assert_eq!(world.sandbox.handle.click().payments()[0].reversed_tiyin, 50_050);
    assert_refused(&world.call(&reversal(payment_id)).await, -500, "a part of the payment");
}

#[tokio::test]
async fn a_call_is_lost_before_or_after_its_effect() {
    let world = World::new().await;
    let payment_id = world.paid().await;
    world.fault(json!({"call": "reversal", "effect": "lost_request"})).await;
    assert!(world.try_call(&reversal(payment_id)).await.is_none());
    assert_eq!(world.status_of(payment_id).await, 2, "not executed");
    world.fault(json!({"call": "reversal", "effect": "server_error"})).await;
    assert_eq!(world.call(&reversal(payment_id)).await.0, 502);
    assert_eq!(world.status_of(payment_id).await, 2, "not executed");
    world.fault(json!({"call": "reversal", "effect": "lost_answer"})).await;
    assert!(world.try_call(&reversal(payment_id)).await.is_none());
    assert_eq!(world.status_of(payment_id).await, -1, "executed");

    let second = world.paid().await;
    world.fault(json!({"call": "reversal", "effect": "empty_body"})).await;
    let (status, body) = world.try_call(&reversal(second)).await.unwrap();
    assert_eq!((status, body.as_str()), (200, ""));
    assert_eq!(world.status_of(second).await, -1, "executed");
    let calls = world.sandbox.handle.click().api_calls();
    assert!(calls.iter().any(|call| call.error_note == "the answer was lost"), "{calls:?}");
}

#[tokio::test]
async fn a_call_is_refused_as_click_refuses_and_a_payment_stays_in_work() {
    let world = World::new().await;
    let payment_id = world.paid().await;
    for (fault, code, words) in [
        (json!({"call": "reversal", "effect": "wrong_keys"}), -12, "поставщика"),
        (json!({"call": "reversal", "effect": "wrong_keys", "error_code": -15}), -15, "поставщика"),
        (json!({"call": "reversal", "effect": "not_found"}), -16, "not found"),
        (json!({"effect": "refused", "error_code": -9, "error_note": "UZCARD"}), -9, "UZCARD"),
        (json!({"call": "reversal", "effect": "outside_month"}), -500, "in its month"),
    ] {
        world.fault(fault).await;
        assert_refused(&world.call(&reversal(payment_id)).await, code, words);
    }
    world.fault(json!({"effect": "in_work", "times": 2})).await;
    assert_eq!(world.call(&reversal(payment_id)).await.1["error_code"], 0, "only a status is affected");
    assert_eq!([world.status_of(payment_id).await, world.status_of(payment_id).await], [1, 1]);
    assert_eq!(world.status_of(payment_id).await, -1, "the fault is used up");
    world.fault(json!({"effect": "in_work"})).await;
    let url = world.sandbox.url("/sandbox/click/api_faults");
    let open: Value = client().get(url.clone()).send().await.unwrap().json().await.unwrap();
    assert_eq!(open, json!([{"call": null, "times": 1, "effect": "in_work"}]));
    client().delete(url).header("content-type", "application/json").send().await.unwrap();
    assert_eq!(world.sandbox.handle.click().api_faults(), []);
}

fn items(payment_id: i64, received: u64) -> Call {
    let item = FiscalItem {
        name: "Non".to_owned(),
        barcode: None,
        labels: Vec::new(),
        spic: "01905001001000000".to_owned(),
        units: None,
        package_code: "1500000".to_owned(),
        good_price: None,
        price: received,
        amount: 1,
        vat: 0,
        vat_percent: 0,
        discount: None,
        other: None,
        commission_info: CommissionInfo::Tin("305000000".to_owned()),
    };
    Call::SubmitItems(FiscalItems {
        service_id: SERVICE_ID,
        payment_id,
        items: vec![item],
        received_ecash: received,
        received_cash: 0,
        received_card: 0,
    })
}

#[tokio::test]
async fn fiscal_data_is_taken_for_paid_payments_in_tiyin_and_read_back() {
    let world = World::new().await;
    let payment_id = world.paid().await;
    let asked = Call::FiscalData { service_id: SERVICE_ID, payment_id };
    assert_refused(&world.call(&asked).await, -16, "fiscal data");
    assert_refused(&world.call(&items(payment_id, 1_500)).await, -500, "tiyin");
    assert_refused(&world.call(&items(1, 150_000)).await, -16, "payment");
    let (status, done) = world.call(&items(payment_id, 150_000)).await;
    assert_eq!((status, done), (200, json!({"error_code": 0, "error_note": "Success"})));
    assert_eq!(world.call(&items(payment_id, 150_000)).await.0, 200, "the same items again");
    let Call::SubmitItems(mut other) = items(payment_id, 150_000) else { unreachable!() };
    other.items[0].name = "Choy".to_owned();
    assert_refused(&world.call(&Call::SubmitItems(other)).await, -500, "other items");
    let (_, receipt) = world.call(&asked).await;
    assert_eq!(receipt["paymentId"], payment_id);
    assert!(receipt["qrCodeURL"].as_str().unwrap().starts_with("https://ofd.soliq.uz/check"));

    let own = |qrcode: &str| {
        Call::SubmitQrCode(FiscalQrCode { service_id: SERVICE_ID, payment_id, qrcode: qrcode.to_owned() })
    };
    assert_refused(&world.call(&own("no address")).await, -500, "qrcode");
    let address = "https://ofd.soliq.uz/check?t=UZ1&r=7";
    assert_eq!(world.call(&own(address)).await.0, 200);
    assert_eq!(world.call(&asked).await.1["qrCodeURL"], address);
    assert_eq!(world.sandbox.handle.click().receipts().len(), 1, "a corrected receipt replaces the first");
    let refused = world.sandbox.handle.click().pay("1001", "1").await.unwrap();
    let answer = world.call(&items(refused.click_paydoc_id, 100)).await;
    assert_refused(&answer, -500, "not finished");
}
