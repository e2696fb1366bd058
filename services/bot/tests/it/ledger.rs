//! A fake webhook service, whose ledger answers as a test tells it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use time::macros::datetime;
use tokio::net::TcpListener;
use tolov_domain::{
    OrderId, OrderedProduct, PrepareId, RefundId, Tiyin,
    refund::{
        Change, Decision, PaidAttempt, Refund, RequestRefusal, allowed,
        api::{Conflict, DecidedBy, GivenByHand, OrderRefunds},
        request,
    },
    time::Timestamp,
};
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
    /// Paid orders with their refunds.
    paid: BTreeMap<i64, (PaidAttempt, Vec<Refund>)>,
    merchant_api: bool,
    /// Attempts that were accepted as paid, and by whom.
    accepted: Vec<(String, String)>,
}

const NOW: Timestamp = datetime!(2026-11-23 07:10 UTC);
const FIRST_REFUND: i64 = 1_795_900_000;

impl State {
    fn refunds_of(&mut self, order: i64, body: &[u8]) -> (u16, Value) {
        let Some((paid, refunds)) = self.paid.get_mut(&order) else {
            return (404, json!({"error": "unknown"}));
        };
        if body.is_empty() {
            let sum = |done: bool| {
                let sums = refunds.iter().filter(|refund| refund.status().is_done() == done);
                sums.fold(Tiyin::ZERO, |sum, refund| sum.checked_add(refund.amount_tiyin).unwrap())
            };
            return as_json(
                200,
                &OrderRefunds {
                    paid_tiyin: paid.amount,
                    refunded_tiyin: sum(true),
                    open: refunds.iter().find(|refund| refund.status().is_open()).cloned(),
                    refunds: refunds.clone(),
                    allowed: allowed(Some(paid), refunds, self.merchant_api, NOW),
                },
            );
        }
        let asked: tolov_domain::refund::api::RefundRequest = serde_json::from_slice(body).unwrap();
        if let Some(known) = refunds.iter().find(|refund| refund.request_id == asked.request_id) {
            return as_json(200, known);
        }
        let id = FIRST_REFUND + i64::try_from(refunds.len()).unwrap();
        let id = RefundId::try_new(id).unwrap();
        match request(id, Some(paid), refunds, &asked, self.merchant_api, NOW) {
            Ok(refund) => {
                refunds.push(refund.clone());
                as_json(201, &refund)
            }
            Err(RequestRefusal::Field(field)) => (422, json!({"error": field})),
            Err(refusal) => conflict(match refusal {
                RequestRefusal::NotPaid => "not_paid",
                RequestRefusal::NothingLeft => "nothing_left",
                RequestRefusal::RefundOpen | RequestRefusal::Field(_) => "refund_open",
            }),
        }
    }

    fn decide(&mut self, id: i64, decision: &str, body: &[u8]) -> (u16, Value) {
        let mut refunds = self.paid.values_mut().flat_map(|(_, refunds)| refunds);
        let refund = refunds.find(|refund| refund.refund_id.get() == id).unwrap();
        let by: DecidedBy = serde_json::from_slice(body).unwrap();
        let decision = match decision {
            "withdraw" => Decision::Withdraw,
            "retry" => Decision::Retry,
            _ => Decision::ByHand { document: serde_json::from_slice::<GivenByHand>(body).unwrap().document },
        };
        match refund.clone().decide(decision, &by.by, NOW) {
            Ok(decided) => {
                *refund = decided;
                as_json(200, refund)
            }
            Err(_) => conflict("not_allowed"),
        }
    }
}

fn as_json(status: u16, body: &impl serde::Serialize) -> (u16, Value) {
    (status, serde_json::to_value(body).unwrap())
}

fn conflict(reason: &str) -> (u16, Value) {
    as_json(409, &Conflict { error: reason.to_owned(), reason: reason.to_owned(), refund: None })
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
            ["orders"] => (200, json!({"orders": [], "highest_order_id": state.highest})),
            ["orders", id] if state.known.contains(&id.parse().unwrap()) => (200, json!({})),
            ["orders", _] => (404, refusal),
            ["orders", id, "cancel"] => {
                if state.known.contains(&id.parse().unwrap()) {
                    (200, json!({}))
                } else {
                    (404, refusal)
                }
            }
            ["attempts", id, "accept"] => {
                let by: DecidedBy = serde_json::from_slice(body).unwrap();
                let outcome = if state.accepted.is_empty() { "paid" } else { "already_paid" };
                state.accepted.push((id.to_owned(), by.by));
                (200, json!({"outcome": outcome}))
            }
            ["orders", id, "refunds"] => state.refunds_of(id.parse().unwrap(), body),
            ["refunds", id, decision] => state.decide(id.parse().unwrap(), decision, body),
            _ => (404, refusal),
        }
    }

    /// An order was paid with these goods; CLICK's Merchant API is on.
    pub(crate) fn is_paid(&self, number: i64, amount: Tiyin, products: Vec<OrderedProduct>) {
        let mut state = self.0.lock().unwrap();
        let order_id = OrderId::try_new(number).unwrap();
        let prepare_id = PrepareId::try_new(77).unwrap();
        let attempt =
            PaidAttempt { order_id, prepare_id, amount, products, prepared_at: NOW, in_telegram: false };
        state.paid.insert(number, (attempt, Vec::new()));
        state.merchant_api = true;
    }

    pub(crate) fn refunds(&self, number: i64) -> Vec<Refund> {
        self.0.lock().unwrap().paid[&number].1.clone()
    }

    /// What the reconciler has learned of the last refund.
    pub(crate) fn advance(&self, number: i64, changes: impl IntoIterator<Item = Change>) {
        let mut state = self.0.lock().unwrap();
        let refund = state.paid.get_mut(&number).unwrap().1.last_mut().unwrap();
        for change in changes {
            *refund = refund.clone().advance(change, None, NOW).unwrap();
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

    pub(crate) fn accepted(&self) -> Vec<(String, String)> {
        self.0.lock().unwrap().accepted.clone()
    }

    pub(crate) fn registered(&self) -> Vec<i64> {
        self.0.lock().unwrap().registered.clone()
    }
}
