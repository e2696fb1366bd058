//! The callers of the service: CLICK, the bot, and staff tools.

use std::sync::atomic::Ordering;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tolov_webhook::http::CLICK_PATH;

use crate::{
    app::{API_TOKEN, TestApp},
    click::{AMOUNT, Answer, Callback},
};

/// What CLICK does.
impl TestApp {
    pub(crate) async fn send(&self, callback: &Callback) -> Answer {
        self.send_body(callback.body()).await
    }

    /// Sends a body that is kept as a callback, whatever it is. CLICK always gets 200 and JSON.
    pub(crate) async fn send_body(&self, body: impl Into<reqwest::Body>) -> Answer {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let request = self
            .http
            .post(self.url(CLICK_PATH))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
        let answer = Answer::read(&response.text().await.unwrap());
        if answer.code != -7 {
            self.decided.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    /// The code that a callback is answered with.
    pub(crate) async fn code(&self, callback: &Callback) -> i64 {
        self.send(callback).await.code
    }

    /// Prepares a payment of the order and returns its merchant_prepare_id.
    pub(crate) async fn prepared(&self, order_id: i64) -> i64 {
        self.send(&Callback::prepare(order_id)).await.prepare_id()
    }

    /// Pays an order that exists, and returns the merchant_prepare_id.
    pub(crate) async fn paid(&self, order_id: i64) -> i64 {
        let prepare_id = self.prepared(order_id).await;
        assert_eq!(self.code(&Callback::complete(order_id, prepare_id)).await, 0);
        prepare_id
    }
}

/// What the bot and staff tools do.
impl TestApp {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr())
    }

    /// Registers an order of the usual amount.
    pub(crate) async fn order(&self, order_id: i64) {
        self.order_of(order_id, AMOUNT).await;
    }

    /// Registers an order of this many so'm.
    pub(crate) async fn order_of(&self, order_id: i64, amount: &str) {
        let (status, body) = self.create(&order_json(order_id, amount)).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
    }

    pub(crate) async fn create(&self, body: &str) -> (StatusCode, Value) {
        self.call(Method::POST, "/api/create_order", body).await
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.call(Method::GET, path, "").await
    }

    pub(crate) async fn cancel(&self, order_id: i64) -> (StatusCode, Value) {
        self.call(Method::POST, &format!("/orders/{order_id}/cancel"), "").await
    }

    pub(crate) async fn replay(&self, order_id: i64) -> (StatusCode, Value) {
        self.call(Method::POST, &format!("/orders/{order_id}/replay"), "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.call(Method::POST, path, &body.to_string()).await
    }

    async fn call(&self, method: Method, path: &str, body: &str) -> (StatusCode, Value) {
        let request = self.http.request(method, self.url(path)).bearer_auth(API_TOKEN).body(body.to_owned());
        let response = request.send().await.unwrap();
        let status = response.status();
        (status, response.json().await.unwrap())
    }

    pub(crate) async fn status_of(&self, order_id: i64) -> String {
        let (_, order) = self.get(&format!("/orders/{order_id}")).await;
        order["status"].as_str().unwrap().to_owned()
    }

    /// The states of an order's attempts, oldest first.
    pub(crate) async fn attempts_of(&self, order_id: i64) -> Vec<String> {
        let (_, order) = self.get(&format!("/orders/{order_id}")).await;
        let attempts = order["attempts"].as_array().unwrap();
        attempts.iter().map(|attempt| attempt["state"].as_str().unwrap().to_owned()).collect()
    }

    /// The ids of an order's events in the outbox, oldest first, sent or not.
    pub(crate) async fn events_of(&self, order_id: i64) -> Vec<String> {
        let mut file = self.file().await;
        let query = sqlx::query_scalar("SELECT event_id FROM outbox WHERE order_id = $1 ORDER BY id");
        query.bind(order_id).fetch_all(&mut file).await.unwrap()
    }
}

/// The body of POST /api/create_order; the amount is JSON text.
pub(crate) fn order_json(order_id: i64, amount: &str) -> String {
    json!({"order_id": order_id, "user_id": 5551, "products": [{"product_id": 7, "count": 2}], "payment_method": "click"})
        .to_string()
        .replacen('{', &format!("{{\"total_amount\": {amount}, "), 1)
}
