//! The payment page, as a browser without JavaScript uses it.

use tolov_sandbox::click::PaymentStatus;

use crate::{
    merchant::Merchant,
    running::{MERCHANT_ID, Running, SERVICE_ID, client, start},
};

struct Browser<'a> {
    sandbox: &'a Running,
    client: reqwest::Client,
}

impl<'a> Browser<'a> {
    fn new(sandbox: &'a Running) -> Self {
        Self { sandbox, client: client() }
    }

    fn link(order: &str) -> String {
        format!(
            "service_id={SERVICE_ID}&merchant_id={MERCHANT_ID}&amount=1500.00&transaction_param={order}\
             &return_url=https%3A%2F%2Ft.me%2Ftolov_bot"
        )
    }

    async fn open(&self, query: &str) -> (u16, String) {
        let url = self.sandbox.url(&format!("/services/pay?{query}"));
        let answer = self.client.get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn submit(&self, action: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.client.post(self.sandbox.url(&format!("/services/pay/{action}"))).body(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Enters a card and returns the page with the session's number.
    async fn enter_card(&self, card: &str) -> (String, String) {
        let link = Self::link("1001");
        let fields = [("link", link.as_str()), ("card", card), ("expiry", "03/99")];
        let (status, html) = self.submit("card", &fields).await;
        assert_eq!(status, 200, "{html}");
        let session = html.split("name=\"session\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        (html.clone(), session.unwrap_or_default().to_owned())
    }

    fn status(&self) -> PaymentStatus {
        self.sandbox.handle.click().payments().pop().unwrap().status
    }
}

const TEST_CARD: &str = "8600 4954 0000 0094";

#[tokio::test]
async fn the_test_card_and_the_code_pay() {
    let sandbox = start();
    let merchant = Merchant::known_to(&sandbox).await;
    let browser = Browser::new(&sandbox);
    let (status, html) = browser.open(&Browser::link("1001")).await;
    assert_eq!(status, 200);
    assert!(html.contains("1\u{a0}500\u{a0}UZS") && html.contains("action=\"/services/pay/card\""), "{html}");
    let (_, session) = browser.enter_card(TEST_CARD).await;
    let (status, html) = browser.submit("sms", &[("session", &session), ("code", "111111")]).await;
    assert!(status == 422 && html.contains("The code is wrong"), "{status} {html}");
    assert_eq!(merchant.paid_times(), 0);
    let (_, html) = browser.submit("sms", &[("session", &session), ("code", "666 666")]).await;
    assert!(html.contains("<h1>Paid</h1>") && html.contains("https://t.me/tolov_bot"), "{html}");
    assert_eq!(merchant.paid_times(), 1);
    // Going back in the browser and confirming again pays nothing more.
    let (status, _) = browser.submit("sms", &[("session", &session), ("code", "666666")]).await;
    assert_eq!((status, merchant.paid_times()), (410, 1));
}

#[tokio::test]
async fn another_card_has_no_money() {
    let sandbox = start();
    let merchant = Merchant::known_to(&sandbox).await;
    let browser = Browser::new(&sandbox);
    let (_, session) = browser.enter_card("8600 1111 2222 3333").await;
    let (_, html) = browser.submit("sms", &[("session", &session), ("code", "666666")]).await;
    assert!(html.contains("not enough money"), "{html}");
    assert_eq!(browser.status(), PaymentStatus::Cancelled { error: -5017 });
    let payment = sandbox.handle.click().payments().pop().unwrap();
    let told = &payment.exchanges[1];
    assert!(told.fields.contains(&("error".to_owned(), "-5017".to_owned())));
    assert_eq!((told.answer.error(), merchant.paid_times()), (Some(-9), 0));
}

#[tokio::test]
async fn the_payer_can_cancel_and_three_wrong_codes_do_it_too() {
    let sandbox = start();
    let _merchant = Merchant::known_to(&sandbox).await;
    let browser = Browser::new(&sandbox);
    let (_, session) = browser.enter_card(TEST_CARD).await;
    let (_, html) = browser.submit("cancel", &[("session", &session)]).await;
    assert!(html.contains("<h1>Cancelled</h1>"), "{html}");
    assert_eq!(browser.status(), PaymentStatus::Cancelled { error: -1 });

    let (_, session) = browser.enter_card(TEST_CARD).await;
    for _ in 0..3 {
        browser.submit("sms", &[("session", &session), ("code", "000000")]).await;
    }
    assert_eq!(browser.status(), PaymentStatus::Cancelled { error: -1 });
}

#[tokio::test]
async fn the_payer_sees_a_bad_link_and_a_refusal_of_the_merchant() {
    let sandbox = start();
    let browser = Browser::new(&sandbox);
    let (status, html) = browser.open("service_id=1").await;
    assert!(status == 400 && html.contains("this CLICK knows 12345"), "{html}");
    let link = Browser::link("<script>");
    let (_, html) = browser.open(&link).await;
    assert!(!html.contains("<script>"));
    let fields = [("link", link.as_str()), ("card", TEST_CARD), ("expiry", "03/99")];
    let (status, _) = browser.submit("card", &fields).await;
    assert_eq!(status, 503, "no merchant yet");
    let _merchant = Merchant::known_to(&sandbox).await;
    let (_, html) = browser.submit("card", &fields).await;
    assert!(html.contains("User does not exist"), "{html}");
    let (status, _) =
        browser.submit("card", &[("link", link.as_str()), ("card", "12"), ("expiry", "13/99")]).await;
    assert_eq!(status, 422);
}
