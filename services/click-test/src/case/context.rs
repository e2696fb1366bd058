//! What a case's script works with: orders, calls, and a record of what was expected and what came.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::join_all;
use tolov_domain::Tiyin;
use tolov_kit::clock::Clock;

use crate::{
    options::{CreateCall, Options},
    order::Order,
    orders::{NoOrder, Orders, create},
    protocol::{Answer, Callback, MerchantClient, Step, sign_time},
    report::{Exchange, StepReport},
};

/// Every code by which a merchant can refuse.
pub(crate) const REFUSED: &[i64] = &[-1, -2, -3, -4, -5, -6, -7, -8, -9];

/// Why a script ended early.
#[derive(Debug)]
pub(crate) enum Abort {
    /// What the case needs is missing.
    Skip(String),
    /// The merchant's answer leaves nothing to go on with; the failed step is recorded.
    Failed,
}

pub(crate) type CaseResult = Result<(), Abort>;

/// The state of a run that all cases share.
#[derive(Debug)]
pub(crate) struct Tester {
    pub(crate) merchant: MerchantClient,
    pub(crate) orders: Orders,
    pub(crate) options: Options,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) last_trans_id: i64,
    /// Every answer of the run, for the cases that check their form.
    pub(crate) answers: Vec<RecordedAnswer>,
}

/// An answer with the ids that it should repeat.
#[derive(Debug)]
pub(crate) struct RecordedAnswer {
    pub(crate) step: Step,
    pub(crate) trans_id: String,
    pub(crate) order_id: String,
    pub(crate) answer: Answer,
    pub(crate) took: Duration,
}

/// One case while it runs.
#[derive(Debug)]
pub(crate) struct CaseRun<'a> {
    pub(crate) tester: &'a mut Tester,
    pub(crate) steps: Vec<StepReport>,
}

impl CaseRun<'_> {
    /// An order that no other case uses.
    pub(crate) async fn fresh_order(&mut self) -> Result<Order, Abort> {
        let order = self.tester.orders.fresh(&self.tester.merchant).await;
        self.or_abort(order)
    }

    /// An order that every call must leave unpaid.
    pub(crate) async fn shared_order(&mut self) -> Result<Order, Abort> {
        let order = self.tester.orders.shared(&self.tester.merchant).await;
        self.or_abort(order)
    }

    fn or_abort(&mut self, order: Result<Order, NoOrder>) -> Result<Order, Abort> {
        order.map_err(|problem| match problem {
            NoOrder::Unavailable(reason) => Abort::Skip(reason),
            NoOrder::Failed(error) => {
                self.check("the create call", "a new order", error.to_string(), false);
                Abort::Failed
            }
        })
    }

    /// An order that the merchant does not have.
    pub(crate) fn unknown_order(&self) -> Order {
        Order {
            id: self.tester.options.unknown_order.clone(),
            amount_text: "1000".to_owned(),
            amount: Tiyin::from_soum(1000).unwrap_or(Tiyin::ZERO),
            link: None,
        }
    }

    pub(crate) fn create_call(&self) -> Result<CreateCall, Abort> {
        let call = self.tester.orders.create_call().cloned();
        call.ok_or_else(|| Abort::Skip("needs --create-url: it tests the create call itself".to_owned()))
    }

    /// Makes the create call with a changed body.
    pub(crate) async fn create_with(
        &mut self,
        call: &CreateCall,
        change: impl FnOnce(String) -> String,
    ) -> Result<Order, String> {
        let (order_id, body) = self.tester.orders.next_body(call);
        let created = create(&self.tester.merchant, call, change(body), &order_id).await;
        created.map_err(|error| error.to_string())
    }

    /// A `click_trans_id` that was not used before.
    pub(crate) fn new_trans_id(&mut self) -> i64 {
        self.tester.last_trans_id += 1;
        self.tester.last_trans_id
    }

    /// A correct Prepare of a new attempt.
    pub(crate) fn prepare(&mut self, order: &Order) -> Callback {
        let trans_id = self.new_trans_id();
        let now = sign_time(self.tester.clock.now());
        Callback::prepare(self.tester.options.service_id, trans_id, now, order)
    }

    /// Sends a Prepare that must be accepted and returns its `merchant_prepare_id`.
    pub(crate) async fn accepted(&mut self, what: &str, prepare: &Callback) -> Result<String, Abort> {
        let answer = self.expect(what, prepare, &[0]).await;
        if answer.code() != Some(0) {
            return Err(Abort::Failed);
        }
        answer.prepare_id().ok_or_else(|| {
            self.check("its answer", "a merchant_prepare_id", "none", false);
            Abort::Failed
        })
    }

    /// Prepares an order and returns the Prepare that was sent and the Complete that belongs to it.
    pub(crate) async fn prepared(&mut self, order: &Order) -> Result<(Callback, Callback), Abort> {
        let prepare = self.prepare(order);
        let prepare_id = self.accepted("Prepare", &prepare).await?;
        Ok((prepare.clone(), prepare.into_complete(&prepare_id)))
    }

    /// Prepares and completes an order.
    pub(crate) async fn paid(&mut self, order: &Order) -> Result<(Callback, Callback), Abort> {
        let (prepare, complete) = self.prepared(order).await?;
        self.accepted_complete("Complete", &complete).await?;
        Ok((prepare, complete))
    }

    /// Sends a Complete that must be accepted.
    pub(crate) async fn accepted_complete(&mut self, what: &str, complete: &Callback) -> CaseResult {
        let answer = self.expect(what, complete, &[0]).await;
        if answer.code() == Some(0) { Ok(()) } else { Err(Abort::Failed) }
    }

    /// Sends a callback and records whether one of the expected codes came.
    pub(crate) async fn expect(
        &mut self,
        what: impl Into<String>,
        callback: &Callback,
        expected: &[i64],
    ) -> Answer {
        let (answer, took) = self.tester.merchant.send(callback).await;
        let passed = answer.code().is_some_and(|code| expected.contains(&code));
        let step = StepReport {
            sent: what.into(),
            expected: codes(expected),
            got: answer.summary(),
            passed,
            exchange: Some(self.exchange(callback, &answer, took)),
        };
        self.steps.push(step);
        self.record(callback, &answer, took);
        answer
    }

    /// Sends callbacks at the same time and returns the answers in the same order, for the caller to judge.
    pub(crate) async fn send_concurrently(&mut self, callbacks: &[Callback]) -> Vec<Answer> {
        let merchant = &self.tester.merchant;
        let received = join_all(callbacks.iter().map(|callback| merchant.send(callback))).await;
        for (callback, (answer, took)) in callbacks.iter().zip(&received) {
            self.record(callback, answer, *took);
        }
        received.into_iter().map(|(answer, _)| answer).collect()
    }

    /// Records a step that is not a single call.
    pub(crate) fn check(
        &mut self,
        what: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
        passed: bool,
    ) {
        self.steps.push(StepReport {
            sent: what.into(),
            expected: expected.into(),
            got: got.into(),
            passed,
            exchange: None,
        });
    }

    fn exchange(&self, callback: &Callback, answer: &Answer, took: Duration) -> Exchange {
        Exchange {
            request: callback.shown(&self.tester.merchant.secret_key),
            http_status: answer.http().map(|answer| answer.http_status),
            answer: answer.http().map_or_else(|| answer.summary(), |answer| answer.text.clone()),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn record(&mut self, callback: &Callback, answer: &Answer, took: Duration) {
        self.tester.answers.push(RecordedAnswer {
            step: callback.step,
            trans_id: callback.field("click_trans_id").to_owned(),
            order_id: callback.field("merchant_trans_id").to_owned(),
            answer: answer.clone(),
            took,
        });
    }
}

/// Codes for a report: `-4`, `-6 or -8`, `a refusal` (-1 to -9).
fn codes(expected: &[i64]) -> String {
    if expected == REFUSED {
        return "a refusal".to_owned();
    }
    if expected.split_first() == Some((&0, REFUSED)) {
        return "0 or a refusal".to_owned();
    }
    let texts: Vec<String> = expected.iter().map(ToString::to_string).collect();
    texts.join(" or ")
}

/// How often each code came: `0 ×1, -4 ×19`.
pub(crate) fn tally(answers: &[Answer]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.summary()).or_default() += 1;
    }
    let texts: Vec<String> =
        counts.iter().rev().map(|(summary, count)| format!("{summary} ×{count}")).collect();
    texts.join(", ")
}

pub(crate) fn count(answers: &[Answer], code: i64) -> usize {
    answers.iter().filter(|answer| answer.code() == Some(code)).count()
}
