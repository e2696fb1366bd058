//! A merchant that follows enough of docs/click.md to tell correct calls of CLICK from wrong ones.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use tolov_click::{Action, Callback, CallbackForm, ClickCode, Malformed, Reply, SecretKey};
use tolov_domain::{PrepareId, Tiyin};
use url::Url;
use warp::{Filter, http::StatusCode, reply::Response};

use crate::running::{Running, SECRET_KEY, SERVICE_ID};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misbehaviour {
    /// Answers with HTTP 500.
    ServerError,
    /// Answers later than CLICK waits.
    Slow,
    /// Answers -7.
    StorageError,
    /// Executes the call, and answers something that is not JSON.
    NotJson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    Prepared,
    Paid,
    Cancelled,
}

#[derive(Debug, Default)]
struct State {
    orders: BTreeMap<String, Tiyin>,
    attempts: BTreeMap<String, (String, Attempt)>,
    by_click: BTreeMap<i64, PrepareId>,
    /// For the next Completes.
    misbehaviours: VecDeque<Misbehaviour>,
    paid_times: u32,
}

#[derive(Clone)]
pub(crate) struct Merchant {
    state: Arc<Mutex<State>>,
    pub(crate) url: Url,
}

impl Merchant {
    /// A merchant with one order of 1500 so'm, known to the sandbox's CLICK.
    pub(crate) async fn known_to(sandbox: &Running) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let order = ("1001".to_owned(), Tiyin::parse_soum("1500").unwrap());
        state.lock().unwrap().orders.extend([order]);
        let served = Arc::clone(&state);
        let route = warp::post()
            .and(warp::header::exact("content-type", "application/x-www-form-urlencoded"))
            .and(warp::body::bytes())
            .then(move |body: Bytes| answer(Arc::clone(&served), body));
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = Url::parse(&format!("http://{}/click", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(warp::serve(route).incoming(listener).run());
        sandbox.handle.click().set_merchant(url.clone(), url.clone());
        Self { state, url }
    }

    pub(crate) fn next_completes(&self, misbehaviours: impl IntoIterator<Item = Misbehaviour>) {
        self.state.lock().unwrap().misbehaviours.extend(misbehaviours);
    }

    pub(crate) fn paid_times(&self) -> u32 {
        self.state.lock().unwrap().paid_times
    }
}

async fn answer(state: Arc<Mutex<State>>, body: Bytes) -> Response {
    let (form, parsed) = CallbackForm::parse(&body);
    let is_complete = form.action() == Some("1");
    let misbehaviour = if is_complete { state.lock().unwrap().misbehaviours.pop_front() } else { None };
    match misbehaviour {
        Some(Misbehaviour::ServerError) => return plain(StatusCode::INTERNAL_SERVER_ERROR, "oops"),
        Some(Misbehaviour::Slow) => tokio::time::sleep(Duration::from_secs(2)).await,
        Some(Misbehaviour::StorageError) => return json(&Reply::code(ClickCode::FailedToUpdateUser)),
        Some(Misbehaviour::NotJson) | None => {}
    }
    let code = if parsed.is_err() {
        Err(ClickCode::ErrorInRequest)
    } else if form.is_signed_by(&SecretKey::new(SECRET_KEY)) {
        Callback::read(&form).map_err(|malformed| match malformed {
            Malformed::Field(_) => ClickCode::ErrorInRequest,
            Malformed::Action => ClickCode::ActionNotFound,
        })
    } else {
        Err(ClickCode::SignCheckFailed)
    };
    let reply = code.and_then(|callback| state.lock().unwrap().decide(&callback)).unwrap_or_else(Reply::code);
    if misbehaviour == Some(Misbehaviour::NotJson) { plain(StatusCode::OK, "<html>") } else { json(&reply) }
}

impl State {
    fn decide(&mut self, callback: &Callback) -> Result<Reply, ClickCode> {
        if callback.service_id != SERVICE_ID {
            return Err(ClickCode::ErrorInRequest);
        }
        let price = *self.orders.get(&callback.merchant_trans_id).ok_or(ClickCode::UserDoesNotExist)?;
        if callback.amount != Some(price) {
            return Err(ClickCode::IncorrectAmount);
        }
        match &callback.action {
            Action::Prepare => {
                let next = i64::try_from(self.by_click.len()).unwrap() + 500;
                let id = *self
                    .by_click
                    .entry(callback.click_trans_id.get())
                    .or_insert(PrepareId::try_new(next).unwrap());
                self.attempts
                    .entry(id.get().to_string())
                    .or_insert((callback.merchant_trans_id.clone(), Attempt::Prepared));
                Ok(Reply::prepared(id))
            }
            Action::Complete { merchant_prepare_id } => self.complete(callback, merchant_prepare_id),
        }
    }

    fn complete(&mut self, callback: &Callback, prepare_id: &str) -> Result<Reply, ClickCode> {
        let (_, attempt) = self
            .attempts
            .get_mut(prepare_id)
            .filter(|(order, _)| *order == callback.merchant_trans_id)
            .ok_or(ClickCode::TransactionDoesNotExist)?;
        match (*attempt, callback.error) {
            (Attempt::Prepared, 0) => {
                *attempt = Attempt::Paid;
                self.paid_times += 1;
                Ok(Reply::confirmed(PrepareId::parse(prepare_id).unwrap()))
            }
            (Attempt::Prepared, _) => {
                *attempt = Attempt::Cancelled;
                Err(ClickCode::TransactionCancelled)
            }
            (Attempt::Paid, 0 | -1) => Err(ClickCode::AlreadyPaid),
            (Attempt::Paid | Attempt::Cancelled, _) => Err(ClickCode::TransactionCancelled),
        }
    }
}

fn json(reply: &Reply) -> Response {
    Response::new(reply.to_json().into())
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response
}

/// An address where every connection is closed at once.
pub(crate) async fn closing_url() -> Url {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let url = Url::parse(&format!("http://{}/click", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        while let Ok(connection) = listener.accept().await {
            drop(connection);
        }
    });
    url
}
