//! The routes of the Merchant API: authentication, types, and the calls.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::{Value, json};
use tolov_click::{
    ApiAnswer, Auth, Call,
    merchant_api::{AUTH_HEADER, BASE_PATH, BadCall, PaymentState},
};
use warp::{Filter, filters::BoxedFilter, path::FullPath, reply::Response};

use super::{
    super::{payment::Payment, simulator::Click},
    answer::{ApiRefusal, ApiResult, WRONG_SERVICE, WRONG_SIGNATURE, as_json},
    faults::{ApiCallKind, ApiFaultEffect},
    payments::{PartialReversal, outside_month},
    records::ApiCall,
};
use crate::{
    monitor::TraceEvent,
    web::reply::{broken, json_with, reply_with},
};

/// Far more than a receipt needs.
const MAX_BODY_BYTES: usize = 256 * 1024;

pub(crate) fn routes(click: Click) -> BoxedFilter<(Response,)> {
    warp::path!("v2" / "merchant" / ..)
        .and(warp::path::full())
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .and(warp::body::bytes())
        .map(move |path: FullPath, method: Method, headers: HeaderMap, body: Bytes| {
            click.answer_api(&method, path.as_str(), &headers, &body)
        })
        .boxed()
}

/// A call as it came.
struct Asked<'a> {
    method: &'a Method,
    path: &'a str,
    body: &'a [u8],
}

impl Click {
    /// The kept calls to the Merchant API, oldest first.
    pub fn api_calls(&self) -> Vec<ApiCall> {
        self.with(|state| state.api_calls.to_vec())
    }

    fn answer_api(&self, method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Response {
        let asked = Asked { method, path, body };
        let tail = path.strip_prefix(BASE_PATH).unwrap_or_default();
        let fault = self.take_api_fault(ApiCallKind::of_path(tail));
        let answer = match &fault {
            Some(ApiFaultEffect::LostRequest) => return self.lost(&asked, "the request was lost"),
            Some(ApiFaultEffect::ServerError) => {
                Err(ApiRefusal::new(StatusCode::BAD_GATEWAY, "a fault answers 502"))
            }
            Some(ApiFaultEffect::WrongKeys { error_code }) => {
                Err(ApiRefusal::with_code(*error_code, "Неверные данные поставщика"))
            }
            Some(ApiFaultEffect::NotFound) => Err(ApiRefusal::not_found("Payment")),
            Some(ApiFaultEffect::Refused { error_code, error_note }) => {
                Err(ApiRefusal::with_code(*error_code, error_note))
            }
            Some(ApiFaultEffect::OutsideMonth) => Err(outside_month()),
            Some(ApiFaultEffect::InWork) => {
                let mut answer = self.execute(method, path, headers, body);
                if let Ok(Value::Object(state)) = &mut answer {
                    state.insert("payment_status".to_owned(), PaymentState::IN_WORK.into());
                }
                answer
            }
            Some(ApiFaultEffect::LostAnswer | ApiFaultEffect::EmptyBody) | None => {
                self.execute(method, path, headers, body)
            }
        };
        if fault == Some(ApiFaultEffect::LostAnswer) {
            return self.lost(&asked, "the answer was lost");
        }
        if fault == Some(ApiFaultEffect::EmptyBody) {
            self.record_call(&asked, StatusCode::OK, 0, "the answer has no body".to_owned());
            self.trace_call(&asked, false, "the answer has no body", &Value::Null);
            return reply_with(StatusCode::OK, "application/json", Vec::new());
        }
        let (status, body, code, note) = match answer {
            Ok(body) => (StatusCode::OK, body, 0, "Success".to_owned()),
            Err(ApiRefusal { status, code, note }) => {
                let body = ApiAnswer::<()> { error_code: code, error_note: note.clone(), body: None };
                (status, as_json(&body), code, note)
            }
        };
        self.trace_call(&asked, code == 0, &note, &body);
        self.record_call(&asked, status, code, note);
        json_with(status, &body)
    }

    fn lost(&self, asked: &Asked<'_>, note: &str) -> Response {
        self.record_call(asked, StatusCode::OK, 0, note.to_owned());
        self.trace_call(asked, false, note, &Value::Null);
        broken()
    }

    fn record_call(&self, asked: &Asked<'_>, status: StatusCode, error_code: i64, note: String) {
        let call = ApiCall {
            at_ms: self.now_ms(),
            method: asked.method.to_string(),
            path: asked.path.chars().take(300).collect(),
            http_status: status.as_u16(),
            error_code,
            error_note: note,
        };
        self.with(|state| state.api_calls.push(call));
    }

    /// Shows on its order's path that money goes back, and that a receipt is made. Questions are no step of an order.
    fn trace_call(&self, asked: &Asked<'_>, is_done: bool, note: &str, answer: &Value) {
        let call = Call::parse(asked.method.as_str(), asked.path, asked.body).ok();
        let partial = PartialReversal::parse(asked.method, asked.path).map(|partial| partial.payment_id);
        let (stage, name, payment_id) = match (call, partial) {
            (Some(Call::Reversal { payment_id, .. }), _) | (None, Some(payment_id)) => {
                ("refund", "reversal", payment_id)
            }
            (Some(Call::SubmitItems(items)), _) => ("receipt", "submit_items", items.payment_id),
            (Some(Call::FiscalData { payment_id, .. }), _) if is_done => ("receipt", "ofd_data", payment_id),
            _ => return,
        };
        let of_payment = |payment: &Payment| payment.click_paydoc_id == payment_id;
        let order_id = self.with(|state| state.payments.find(of_payment).map(|it| it.order_id.clone()));
        let Some(order_id) = order_id else { return };
        let items = serde_json::from_slice::<Value>(asked.body).unwrap_or(Value::Null);
        let facts = answer.get("qrCodeURL").map_or(Value::Null, |url| json!({ "url": url }));
        let event = TraceEvent::new(stage, format!("{name} → {note}")).of_order(&order_id).ok(is_done);
        self.inner.trace.record(event.facts(facts).payload(&json!({ "sent": items, "answer": answer })));
    }

    fn execute(&self, method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> ApiResult {
        self.check_auth(headers)?;
        if body.len() > MAX_BODY_BYTES {
            return Err(ApiRefusal::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"));
        }
        check_types(method, headers)?;
        if let Some(partial) = PartialReversal::parse(method, path) {
            self.check_service(partial.service_id)?;
            return self.reverse_partly(&partial);
        }
        let call = Call::parse(method.as_str(), path, body).map_err(|bad| match &bad {
            BadCall::NoSuchAddress => {
                let tail = path.strip_prefix(BASE_PATH).unwrap_or_default();
                ApiRefusal::new(StatusCode::NOT_FOUND, format_args!("there is no {method} {tail}"))
            }
            BadCall::Body(_) => ApiRefusal::new(StatusCode::BAD_REQUEST, bad),
        })?;
        self.check_service(call.service_id())?;
        match call {
            Call::CreateInvoice(invoice) => Ok(self.create_invoice(invoice)),
            Call::InvoiceStatus { invoice_id, .. } => Ok(self.invoice_status(invoice_id)),
            Call::PaymentStatus { payment_id, .. } => self.payment_status(payment_id),
            Call::PaymentStatusByOrder { merchant_trans_id, date, .. } => {
                self.payment_status_by_order(&merchant_trans_id, date)
            }
            Call::Reversal { payment_id, .. } => self.reverse(payment_id),
            Call::SubmitItems(items) => self.submit_items(&items),
            Call::SubmitQrCode(qr_code) => self.submit_qr_code(qr_code),
            Call::FiscalData { payment_id, .. } => self.fiscal_data(payment_id),
        }
    }

    fn check_service(&self, service_id: i64) -> Result<(), ApiRefusal> {
        if service_id == self.inner.config.service_id {
            return Ok(());
        }
        let note = format_args!("service_id {service_id} is not this merchant's");
        Err(ApiRefusal::with_code(WRONG_SERVICE, note))
    }

    /// CLICK takes headers of any age.
    fn check_auth(&self, headers: &HeaderMap) -> Result<(), ApiRefusal> {
        let missing = || ApiRefusal::with_code(WRONG_SERVICE, "the Auth header is missing");
        let refused = |note: &dyn std::fmt::Display| ApiRefusal::with_code(WRONG_SIGNATURE, note);
        let auth = headers.get(AUTH_HEADER).ok_or_else(missing)?;
        let auth = auth.to_str().map_err(|_| refused(&"the Auth header is not text"))?;
        let auth = Auth::parse(auth).map_err(|bad| refused(&bad))?;
        if !auth.is_signed_by(&self.inner.secret_key) {
            return Err(refused(&"the digest of the Auth header is not sha1(timestamp + secret key)"));
        }
        match self.inner.config.merchant_user_id {
            Some(known) if known != auth.merchant_user_id => {
                Err(refused(&"merchant_user_id of the Auth header is not this merchant's"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// The simulator answers JSON only; CLICK also answers XML.
fn check_types(method: &Method, headers: &HeaderMap) -> Result<(), ApiRefusal> {
    let has = |name: header::HeaderName, wanted: &[&str]| {
        let Some(value) = headers.get(&name) else { return false };
        let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
        wanted.iter().any(|kind| value.contains(kind))
    };
    let accepts = !headers.contains_key(header::ACCEPT) || has(header::ACCEPT, &["application/json", "*/*"]);
    if !accepts {
        return Err(ApiRefusal::new(
            StatusCode::NOT_ACCEPTABLE,
            "Accept: the sandbox answers application/json",
        ));
    }
    if *method == Method::POST && !has(header::CONTENT_TYPE, &["application/json"]) {
        return Err(ApiRefusal::new(StatusCode::BAD_REQUEST, "Content-Type must be application/json"));
    }
    Ok(())
}
