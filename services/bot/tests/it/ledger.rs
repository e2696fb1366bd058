//! A fake webhook service, whose ledger answers as a test tells it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;
use warp::{Filter, http::StatusCode, hyper::body::Bytes};

#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The bot's orders that it knows.
    known: BTreeSet<i64>,
    /// Numbers that it has given to other orders, and the highest of all as it says when it refuses one of them.
    taken: BTreeSet<i64>,
    highest: Option<i64>,
    refuses_all: bool,
    is_away: bool,
    /// Every order that was registered, in order.
    registered: Vec<i64>,
}

impl Ledger {
    pub(crate) async fn start() -> (Arc<Self>, Url) {
        let ledger = Arc::<Self>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let answering = Arc::clone(&ledger);
        let calls = warp::path::full().and(warp::body::bytes()).map(
            move |path: warp::path::FullPath, body: Bytes| {
                let (status, json) = answering.answer(path.as_str(), &body);
                warp::reply::with_status(warp::reply::json(&json), StatusCode::from_u16(status).unwrap())
            },
        );
        tokio::spawn(warp::serve(calls).incoming(listener).run());
        (ledger, url)
    }

    fn answer(&self, path: &str, body: &[u8]) -> (u16, Value) {
        let mut state = self.0.lock().unwrap();
        let refusal = json!({"error": "as the test wants"});
        if state.is_away {
            return (503, refusal);
        }
        match path.trim_start_matches('/').split('/').collect::<Vec<_>>()[..] {
            ["api", "create_order"] => {
                let order: Value = serde_json::from_slice(body).unwrap();
                let id = order["order_id"].as_i64().unwrap();
                if state.refuses_all {
                    return (422, refusal);
                }
                if state.taken.contains(&id) {
                    return (409, json!({"error": "taken", "highest_order_id": state.highest}));
                }
                state.known.insert(id);
                state.registered.push(id);
                let url = format!("https://my.click.uz/services/pay?transaction_param={id}");
                let until = "2026-11-23T07:35:07Z";
                (201, json!({"status": "pending", "payment_url": url, "pay_until": until}))
            }
            ["orders"] => (200, json!({"orders": [], "highest_order_id": null})),
            ["orders", id] if state.known.contains(&id.parse().unwrap()) => (200, json!({})),
            ["orders", _] => (404, refusal),
            ["orders", id, "cancel"] => {
                if state.known.contains(&id.parse().unwrap()) {
                    (200, json!({}))
                } else {
                    (404, refusal)
                }
            }
            _ => (404, refusal),
        }
    }

    /// These numbers belong to other orders; the highest number of all is this.
    pub(crate) fn has_others(&self, taken: impl IntoIterator<Item = i64>, highest: i64) {
        let mut state = self.0.lock().unwrap();
        state.taken.extend(taken);
        state.highest = Some(highest);
    }

    /// Every order is refused, until it is said otherwise.
    pub(crate) fn refuses_all(&self, refuses: bool) {
        self.0.lock().unwrap().refuses_all = refuses;
    }

    /// It answers nobody, until it is said otherwise.
    pub(crate) fn is_away(&self, away: bool) {
        self.0.lock().unwrap().is_away = away;
    }

    /// It was restored from a copy that is older than every order of the bot.
    pub(crate) fn forget_all(&self) {
        self.0.lock().unwrap().known.clear();
    }

    pub(crate) fn registered(&self) -> Vec<i64> {
        self.0.lock().unwrap().registered.clone()
    }
}
