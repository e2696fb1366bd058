//! The clients of the Merchant API and of the ledger against a server that misbehaves, or has much to say.

use std::{net::SocketAddr, sync::Arc};

use time::macros::datetime;
use tolov_click::{Auth, Call, SecretKey};
use tolov_domain::{
    RefundId,
    refund::{
        Refund,
        api::{CallOutcome, OpenRefund, Refunds},
    },
};
use tolov_kit::{clock::ManualClock, secret::Secret};
use tolov_reconciler::{ClickClient, Config, Ledger, LedgerClient, MerchantApi};
use url::Url;
use warp::{Filter, Reply, http::StatusCode};

use crate::world::World;

fn config(addr: SocketAddr) -> Config {
    let url = Url::parse(&format!("http://{addr}/")).unwrap();
    Config {
        service_id: 1,
        merchant_user_id: 4321,
        secret_key: SecretKey::new("a key"),
        merchant_api_url: url.clone(),
        webhook_url: url,
        api_token: Secret::new("a token"),
        accepts: false,
        receipts: None,
        restore_in_parallel: false,
    }
}

async fn ask(
    call: Call,
    answer: impl Fn(Option<String>) -> warp::reply::Response + Clone + Send + Sync + 'static,
) -> CallOutcome {
    let routes = warp::any().and(warp::header::optional::<String>("auth")).map(answer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = tokio::spawn(warp::serve(routes).incoming(listener).run());
    let clock = Arc::new(ManualClock::new(datetime!(2026-11-23 12:00 UTC)));
    let client = ClickClient::new(&config(addr), clock).unwrap().unpaced();
    let outcome = client.call(&call).await.outcome;
    server.abort();
    outcome
}

fn reversal() -> Call {
    Call::Reversal { service_id: 1, payment_id: 7 }
}

#[tokio::test]
async fn a_call_carries_the_auth_header_and_is_read() {
    let outcome = ask(reversal(), |auth| {
        let auth = Auth::parse(&auth.unwrap()).unwrap();
        let is_ours = auth.merchant_user_id == 4321 && auth.is_signed_by(&SecretKey::new("a key"));
        let code = if is_ours { 0 } else { -15 };
        format!(r#"{{"error_code":{code},"payment_id":7}}"#).into_response()
    });
    assert_eq!(outcome.await, CallOutcome::Done);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_long_answer_is_not_read() {
    let elsewhere = warp::http::Uri::from_static("/elsewhere");
    let outcome = ask(reversal(), move |_| warp::redirect::temporary(elsewhere.clone()).into_response());
    assert_eq!(outcome.await, CallOutcome::Unknown);
    let long = format!(r#"{{"error_code":0,"error_note":"{}"}}"#, "x".repeat(20_000));
    assert_eq!(ask(reversal(), move |_| long.clone().into_response()).await, CallOutcome::Unknown);
    let broken = ask(reversal(), |_| StatusCode::BAD_GATEWAY.into_response());
    assert_eq!(broken.await, CallOutcome::Unknown);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_no_answer() {
    let addr = SocketAddr::from(([127, 0, 0, 1], 9));
    let clock = Arc::new(ManualClock::new(datetime!(2026-11-23 12:00 UTC)));
    let client = ClickClient::new(&config(addr), clock).unwrap();
    let reading = client.call(&reversal()).await;
    assert_eq!(reading.outcome, CallOutcome::Unknown);
    assert!(!reading.note.contains("payment"), "no address in the note: {}", reading.note);
}

#[tokio::test]
async fn all_open_refunds_are_read_however_many_wait_for_staff() {
    #[derive(serde::Deserialize)]
    struct Page {
        after: i64,
    }
    let world = World::new();
    world.ask_for_refund();
    let (asked, attempt) = (world.refund(), world.ledger.state().attempt.clone());
    let open = move |number: i64| {
        let refund_id = RefundId::try_new(number).unwrap();
        OpenRefund { refund: Refund { refund_id, ..asked.clone() }, attempt: attempt.clone() }
    };
    let routes = warp::path!("refunds" / "open").and(warp::query::<Page>()).map(move |page: Page| {
        let refunds = (page.after + 1..=1_001).take(500).map(&open).collect();
        warp::reply::json(&Refunds { refunds })
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = LedgerClient::new(&config(listener.local_addr().unwrap())).unwrap();
    let server = tokio::spawn(warp::serve(routes).incoming(listener).run());
    let numbers = client.open_refunds().await.unwrap().into_iter().map(|open| open.refund.refund_id.get());
    assert_eq!(numbers.collect::<Vec<_>>(), (1..=1_001).collect::<Vec<_>>());
    server.abort();
}
