//! A merchant that keeps every rule of docs/click.md, except for the fault that a test asks for.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use serde_json::{Value, json};
use tolov_click::{Action, Callback, CallbackForm, ClickCode, Malformed, Reply, SecretKey};
use tolov_click_test::{CreateCall, Options, Order, OrderSource};
use tolov_domain::{PrepareId, Tiyin};
use tolov_kit::secret::Secret;
use url::{Url, form_urlencoded};
use warp::{Filter, http::StatusCode, reply::Response};

pub(crate) const SECRET_KEY: &str = "kalit-of-the-tests-7f1d";
pub(crate) const SERVICE_ID: i64 = 12_345;
const TOKEN: &str = "parol-of-the-tests-52aa";

/// Faults that were seen in implementations in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    BadSignatureIsAServerError,
    UnsignedCancelIsAccepted,
    DuplicatesAreRefusedBeforeTheSignature,
    PrepareIdIsNotChecked,
    PrepareIdOfAnotherOrderIsTaken,
    CompleteWithoutPreparePays,
    PaymentIsFoundByTransId,
    CancelledCanBeConfirmed,
    PaidCanBePaidAgain,
    TransIdPaysTwoOrders,
    CompletesRace,
    ToleranceOfOneTiyin,
    NanIsAnAmount,
    UnderpaymentPasses,
    AmountIsReformattedBeforeHashing,
    OnlyLackOfMoneyIsACancel,
    LinkIsNotEncoded,
    OrdersAreOpenToTheWorld,
    PaidByOwnWord,
    CodesAreText,
    NoCodeForMissingFields,
    IdsPassThroughAFloat,
    AnswersNothing,
    EchoesTheSignature,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    Prepared,
    Paid,
    Cancelled,
}

#[derive(Debug)]
struct KnownAttempt {
    order: String,
    trans_id: i64,
    attempt: Attempt,
}

#[derive(Debug, Default)]
struct State {
    orders: BTreeMap<String, (Tiyin, bool)>,
    attempts: BTreeMap<i64, KnownAttempt>,
    paid_trans_ids: BTreeSet<i64>,
    seen_trans_ids: BTreeSet<(i64, bool)>,
}

#[derive(Debug, Clone)]
pub(crate) struct Merchant {
    state: Arc<Mutex<State>>,
    fault: Fault,
    addr: SocketAddr,
}

impl Merchant {
    pub(crate) async fn with(fault: Fault) -> Self {
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let merchant = Self { state: Arc::default(), fault, addr };
        let (calls, creates) = (merchant.clone(), merchant.clone());
        let click = warp::path!("click").and(warp::body::content_length_limit(16 * 1024));
        let click = click.and(warp::body::bytes()).then(move |body: Bytes| {
            let merchant = calls.clone();
            async move { merchant.answer(&body).await }
        });
        let create = warp::path!("orders").and(warp::header::optional("x-token")).and(warp::body::json());
        let create =
            create.map(move |token: Option<String>, body: Value| creates.create(token.as_deref(), &body));
        tokio::spawn(warp::serve(warp::post().and(click.or(create).unify())).incoming(listener).run());
        merchant
    }

    /// Options for a run against this merchant.
    pub(crate) fn options(&self) -> Options {
        let url = |path: &str| Url::parse(&format!("http://{}{path}", self.addr)).unwrap();
        Options {
            orders: OrderSource::Create(Box::new(CreateCall {
                url: url("/orders"),
                headers: vec![tolov_click_test::header(&format!("X-Token: {TOKEN}")).unwrap()],
                body: r#"{"amount": "{amount}"}"#.to_owned(),
                id_field: Some("order.id".to_owned()),
                link_field: Some("order.link".to_owned()),
                amount: Order::new("", "1500.00").unwrap(),
            })),
            answer_timeout: Duration::from_secs(2),
            ..Options::new(url("/click"), SERVICE_ID, Secret::new(SECRET_KEY))
        }
    }

    /// Adds an order.
    pub(crate) fn order(&self, id: &str, amount: &str) -> Order {
        let order = Order::new(id, amount).unwrap();
        self.state.lock().unwrap().orders.insert(id.to_owned(), (order.amount, false));
        order
    }

    fn create(&self, token: Option<&str>, body: &Value) -> Response {
        if token != Some(TOKEN) && self.fault != Fault::OrdersAreOpenToTheWorld {
            return plain(StatusCode::UNAUTHORIZED, "unauthorized");
        }
        let text = body["amount"].as_str().unwrap_or_default();
        let Ok(amount) = Tiyin::parse_soum(text) else {
            return plain(StatusCode::UNPROCESSABLE_ENTITY, "amount");
        };
        let mut state = self.state.lock().unwrap();
        let id = (state.orders.len() + 1001).to_string();
        let paid = self.fault == Fault::PaidByOwnWord && body["status"] == "paid";
        state.orders.insert(id.clone(), (amount, paid));
        let return_url = "https://t.me/bot?start=a&amount=1";
        let return_url: String = if self.fault == Fault::LinkIsNotEncoded {
            return_url.to_owned()
        } else {
            form_urlencoded::byte_serialize(return_url.as_bytes()).collect()
        };
        let link = format!(
            "https://my.click.uz/services/pay?service_id={SERVICE_ID}&merchant_id=678&amount={}\
             &transaction_param={id}&return_url={return_url}",
            amount.soum_text()
        );
        let mut response = Response::new(json!({"order": {"id": id, "link": link}}).to_string().into());
        *response.status_mut() = StatusCode::CREATED;
        response
    }

    async fn answer(&self, body: &[u8]) -> Response {
        let fault = self.fault;
        if fault == Fault::AnswersNothing {
            std::future::pending::<()>().await;
        }
        let (form, parsed) = CallbackForm::parse(body);
        if parsed.is_err() && fault == Fault::NoCodeForMissingFields {
            return plain(StatusCode::UNPROCESSABLE_ENTITY, r#"{"detail": "field required"}"#);
        }
        if parsed.is_err() {
            return self.reply(&Reply::code(ClickCode::ErrorInRequest), &form);
        }
        let trans_id: i64 = form.click_trans_id().and_then(|id| id.parse().ok()).unwrap_or_default();
        let is_complete = form.action() == Some("1");
        if fault == Fault::DuplicatesAreRefusedBeforeTheSignature
            && !self.state.lock().unwrap().seen_trans_ids.insert((trans_id, is_complete))
        {
            return self.reply(&Reply::code(ClickCode::AlreadyPaid), &form);
        }
        if !self.is_signed(&form) {
            if fault == Fault::BadSignatureIsAServerError {
                return plain(StatusCode::INTERNAL_SERVER_ERROR, r#"{"error": -1, "error_note": "oops"}"#);
            }
            if fault == Fault::UnsignedCancelIsAccepted && form.error().is_some_and(|error| error != "0") {
                self.cancel_unsigned(&form);
            }
            return self.reply(&Reply::code(ClickCode::SignCheckFailed), &form);
        }
        let reply = match Callback::read(&form) {
            Ok(callback) => {
                let decided = self.decide(&callback, &form).await.unwrap_or_else(Reply::code);
                decided.echo(callback.click_trans_id, &callback.merchant_trans_id)
            }
            Err(Malformed::Field(_)) => Reply::code(ClickCode::ErrorInRequest),
            Err(Malformed::Action) => Reply::code(ClickCode::ActionNotFound),
        };
        self.reply(&reply, &form)
    }

    fn is_signed(&self, form: &CallbackForm) -> bool {
        let key = SecretKey::new(SECRET_KEY);
        if self.fault != Fault::AmountIsReformattedBeforeHashing {
            return form.is_signed_by(&key);
        }
        let amount = form.amount().and_then(|text| Tiyin::parse_soum(text).ok()).map(Tiyin::soum_text);
        key.verify(
            &tolov_click::sign::SignedFields {
                click_trans_id: form.click_trans_id().unwrap_or_default(),
                service_id: form.service_id().unwrap_or_default(),
                merchant_trans_id: form.merchant_trans_id().unwrap_or_default(),
                merchant_prepare_id: form.merchant_prepare_id().filter(|_| form.action() == Some("1")),
                amount: &amount.unwrap_or_default(),
                action: form.action().unwrap_or_default(),
                sign_time: form.sign_time().unwrap_or_default(),
            },
            form.sign_string().unwrap_or_default(),
        )
    }

    fn cancel_unsigned(&self, form: &CallbackForm) {
        let id = form.merchant_prepare_id().and_then(|id| id.parse::<i64>().ok()).unwrap_or_default();
        if let Some(known) = self.state.lock().unwrap().attempts.get_mut(&id) {
            known.attempt = Attempt::Cancelled;
        }
    }

    async fn decide(&self, callback: &Callback, form: &CallbackForm) -> Result<Reply, ClickCode> {
        if callback.service_id != SERVICE_ID {
            return Err(ClickCode::ErrorInRequest);
        }
        let order = callback.merchant_trans_id.clone();
        let (price, paid) =
            *self.state.lock().unwrap().orders.get(&order).ok_or(ClickCode::UserDoesNotExist)?;
        if !self.amount_fits(callback.amount, price, form.amount().unwrap_or_default()) {
            return Err(ClickCode::IncorrectAmount);
        }
        match &callback.action {
            Action::Prepare => self.prepare(callback, paid),
            Action::Complete { merchant_prepare_id } => self.complete(callback, merchant_prepare_id).await,
        }
    }

    fn amount_fits(&self, amount: Option<Tiyin>, price: Tiyin, text: &str) -> bool {
        let Some(amount) = amount else {
            return self.fault == Fault::NanIsAnAmount && text.eq_ignore_ascii_case("nan");
        };
        if self.fault == Fault::ToleranceOfOneTiyin {
            return amount.get().abs_diff(price.get()) <= 1;
        }
        amount == price || (self.fault == Fault::UnderpaymentPasses && amount < price)
    }

    fn prepare(&self, callback: &Callback, paid: bool) -> Result<Reply, ClickCode> {
        if callback.error < 0 {
            return Err(ClickCode::TransactionCancelled);
        }
        let mut state = self.state.lock().unwrap();
        let trans_id = callback.click_trans_id.get();
        let reused = state.paid_trans_ids.contains(&trans_id) && self.fault != Fault::TransIdPaysTwoOrders;
        if reused || (paid && self.fault != Fault::PaidCanBePaidAgain) {
            return Err(ClickCode::AlreadyPaid);
        }
        let same =
            |known: &KnownAttempt| known.trans_id == trans_id && known.order == callback.merchant_trans_id;
        let again = state.attempts.iter().find(|(_, known)| same(known)).map(|(id, _)| *id);
        let id = again.unwrap_or_else(|| i64::try_from(state.attempts.len()).unwrap() + 50_000);
        let order = callback.merchant_trans_id.clone();
        state.attempts.entry(id).or_insert(KnownAttempt { order, trans_id, attempt: Attempt::Prepared });
        Ok(Reply::prepared(PrepareId::try_new(id).unwrap()))
    }

    /// The attempt that a Complete is for.
    fn find(&self, state: &mut State, callback: &Callback, prepare_id: &str) -> Result<i64, ClickCode> {
        let trans_id = callback.click_trans_id.get();
        let order = &callback.merchant_trans_id;
        let of_order =
            |state: &State| state.attempts.iter().find(|(_, known)| known.order == *order).map(|(id, _)| *id);
        let exact = PrepareId::parse(prepare_id).ok().map(PrepareId::get);
        let exact = exact.filter(|id| state.attempts.contains_key(id));
        let own = exact.filter(|id| state.attempts[id].order == *order);
        let found = if self.fault == Fault::PrepareIdIsNotChecked {
            of_order(state)
        } else if self.fault == Fault::CompleteWithoutPreparePays && of_order(state).is_none() {
            let known = KnownAttempt { order: order.clone(), trans_id, attempt: Attempt::Prepared };
            state.attempts.insert(90_000_000, known);
            Some(90_000_000)
        } else if self.fault == Fault::PrepareIdOfAnotherOrderIsTaken {
            exact
        } else if self.fault == Fault::PaymentIsFoundByTransId {
            own.filter(|id| state.attempts[id].trans_id == trans_id)
        } else {
            own
        };
        found.ok_or(ClickCode::TransactionDoesNotExist)
    }

    async fn complete(&self, callback: &Callback, prepare_id: &str) -> Result<Reply, ClickCode> {
        let (id, attempt, order_paid, reused) = {
            let mut state = self.state.lock().unwrap();
            let id = self.find(&mut state, callback, prepare_id)?;
            let reused = state.paid_trans_ids.contains(&callback.click_trans_id.get());
            (id, state.attempts[&id].attempt, state.orders[&callback.merchant_trans_id].1, reused)
        };
        if self.fault == Fault::CompletesRace {
            tokio::time::sleep(Duration::from_millis(20)).await;
        } else {
            return self.settle(callback, id, None);
        }
        self.settle(callback, id, Some((attempt, order_paid, reused)))
    }

    /// Decides by the current state, or by what was read of it before.
    fn settle(
        &self,
        callback: &Callback,
        id: i64,
        read: Option<(Attempt, bool, bool)>,
    ) -> Result<Reply, ClickCode> {
        let mut state = self.state.lock().unwrap();
        let trans_id = callback.click_trans_id.get();
        let now = (
            state.attempts[&id].attempt,
            state.orders[&callback.merchant_trans_id].1,
            state.paid_trans_ids.contains(&trans_id),
        );
        let (attempt, order_paid, reused) = read.unwrap_or(now);
        let reused = reused && self.fault != Fault::TransIdPaysTwoOrders;
        let order_paid = order_paid && self.fault != Fault::PaidCanBePaidAgain;
        let is_cancel =
            callback.error < 0 && (self.fault != Fault::OnlyLackOfMoneyIsACancel || callback.error == -5017);
        let confirmed = self.fault == Fault::CancelledCanBeConfirmed;
        match attempt {
            Attempt::Paid if !is_cancel || callback.error == -1 => Err(ClickCode::AlreadyPaid),
            Attempt::Paid => Err(ClickCode::TransactionCancelled),
            Attempt::Cancelled if is_cancel || !confirmed => Err(ClickCode::TransactionCancelled),
            Attempt::Prepared if is_cancel => {
                state.attempts.get_mut(&id).unwrap().attempt = Attempt::Cancelled;
                Err(ClickCode::TransactionCancelled)
            }
            Attempt::Prepared | Attempt::Cancelled if order_paid || reused => Err(ClickCode::AlreadyPaid),
            Attempt::Prepared | Attempt::Cancelled => {
                state.attempts.get_mut(&id).unwrap().attempt = Attempt::Paid;
                state.orders.get_mut(&callback.merchant_trans_id).unwrap().1 = true;
                state.paid_trans_ids.insert(trans_id);
                Ok(Reply::confirmed(PrepareId::try_new(id).unwrap()))
            }
        }
    }

    fn reply(&self, reply: &Reply, form: &CallbackForm) -> Response {
        let mut body: Value = serde_json::from_slice(&reply.to_json()).unwrap();
        if self.fault == Fault::CodesAreText {
            body["error"] = json!(reply.error.to_string());
        }
        if let (Fault::IdsPassThroughAFloat, Some(id)) = (self.fault, reply.click_trans_id) {
            // What a double keeps of a number near 2^63.
            body["click_trans_id"] = json!(id.get() / 1024 * 1024);
        }
        if self.fault == Fault::EchoesTheSignature {
            body["debug"] = json!(format!("{SECRET_KEY} {}", form.sign_string().unwrap_or_default()));
        }
        let mut response = Response::new(body.to_string().into());
        response.headers_mut().insert("content-type", "application/json".parse().unwrap());
        response
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response
}
