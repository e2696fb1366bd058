//! A load generator that plays CLICK over keep-alive connections.

mod connection;
mod report;

use std::{net::SocketAddr, sync::Arc, time::Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tolov_click::{Reply, SecretKey, form::FIELDS, sign_complete, sign_prepare};

use tolov_kit::lifecycle::Stop;

use self::connection::Connection;
pub use self::{
    connection::{PROXY, Way},
    report::Report,
};

/// The shop that the load is played against.
#[derive(Debug, Clone)]
pub struct Shop {
    pub addr: SocketAddr,
    pub service_id: i64,
    pub secret_key: SecretKey,
    /// Of every order, in so'm as CLICK writes it.
    pub amount: &'static str,
    pub way: Way,
}

/// Pays orders, each with one Prepare and one Complete, over `connections` at once that take turns. Every callback is measured
/// from its first byte to its whole answer.
pub async fn pay_orders(shop: &Shop, orders: &[i64], connections: usize) -> Result<Report> {
    let started = Instant::now();
    let mut payers = JoinSet::new();
    for connection in 0..connections {
        let shop = shop.clone();
        let orders: Vec<i64> = orders.iter().skip(connection).step_by(connections).copied().collect();
        payers.spawn(async move { pay_one_by_one(&shop, &orders).await });
    }
    let mut latencies = Vec::new();
    while let Some(paid) = payers.join_next().await {
        latencies.extend(paid??);
    }
    Ok(Report::new(latencies, started.elapsed()))
}

async fn pay_one_by_one(shop: &Shop, orders: &[i64]) -> Result<Vec<std::time::Duration>> {
    let mut connection = Connection::open(shop.addr, shop.way).await?;
    let mut latencies = Vec::with_capacity(orders.len() * 2);
    for order in orders {
        let prepare = shop.prepare(*order);
        let (answer, took) = connection.post(tolov_webhook::http::CLICK_PATH, &prepare).await?;
        latencies.push(took);
        let prepared: Reply = serde_json::from_slice(&answer)?;
        let prepare_id =
            prepared.merchant_prepare_id.with_context(|| format!("Prepare of {order}: {prepared:?}"))?;
        let complete = shop.complete(*order, prepare_id.get());
        let (answer, took) = connection.post(tolov_webhook::http::CLICK_PATH, &complete).await?;
        latencies.push(took);
        let confirmed: Reply = serde_json::from_slice(&answer)?;
        anyhow::ensure!(confirmed.error == 0, "Complete of {order}: {confirmed:?}");
    }
    Ok(latencies)
}

/// Sends forged callbacks, over each connection as soon as the one before is answered, until `stop`. Returns how many.
/// Their fields are as long as fields may be, of characters that take the most space in JSON.
pub async fn flood(addr: SocketAddr, way: Way, connections: usize, stop: Stop) -> Result<u64> {
    let field = "%01".repeat(240);
    let body = Arc::new(FIELDS.map(|name| format!("{name}={field}")).join("&"));
    let mut floods = JoinSet::new();
    for _ in 0..connections {
        floods.spawn(flood_connection(addr, way, Arc::clone(&body), stop.clone()));
    }
    let mut sent = 0;
    while let Some(flooded) = floods.join_next().await {
        sent += flooded??;
    }
    Ok(sent)
}

async fn flood_connection(addr: SocketAddr, way: Way, body: Arc<String>, stop: Stop) -> Result<u64> {
    let mut sent = 0;
    while !stop.is_cancelled() {
        let mut connection = Connection::open(addr, way).await?;
        // Whoever is refused is shut out too, and comes back at once.
        while !stop.is_cancelled() && connection.post(tolov_webhook::http::CLICK_PATH, &body).await.is_ok() {
            sent += 1;
        }
    }
    Ok(sent)
}

const SIGN_TIME: &str = "2026-11-23 12:00:00";

impl Shop {
    fn prepare(&self, order: i64) -> String {
        let trans = (9_000_000_000 + order).to_string();
        let (service, order) = (self.service_id.to_string(), order.to_string());
        let sign = sign_prepare(&self.secret_key, &trans, &service, &order, self.amount, SIGN_TIME);
        self.form(&trans, &order, "0", "", &sign)
    }

    fn complete(&self, order: i64, prepare_id: i64) -> String {
        let trans = (9_000_000_000 + order).to_string();
        let (service, order, prepare_id) =
            (self.service_id.to_string(), order.to_string(), prepare_id.to_string());
        let sign =
            sign_complete(&self.secret_key, &trans, &service, &order, &prepare_id, self.amount, SIGN_TIME);
        self.form(&trans, &order, "1", &prepare_id, &sign)
    }

    fn form(&self, trans: &str, order: &str, action: &str, prepare_id: &str, sign: &str) -> String {
        url::form_urlencoded::Serializer::new(String::with_capacity(320))
            .append_pair("click_trans_id", trans)
            .append_pair("service_id", &self.service_id.to_string())
            .append_pair("click_paydoc_id", trans)
            .append_pair("merchant_trans_id", order)
            .append_pair("merchant_prepare_id", prepare_id)
            .append_pair("amount", self.amount)
            .append_pair("action", action)
            .append_pair("error", "0")
            .append_pair("error_note", "Success")
            .append_pair("sign_time", SIGN_TIME)
            .append_pair("sign_string", sign)
            .finish()
    }
}
