//! What a case's script plays with: orders, calls, and the record of what was expected and got.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tolov_kit::clock::Clock;

use crate::{
    answer::Answer,
    callback::{Callback, Step, sign_time},
    case::Halt,
    merchant::Merchant,
    options::{CreateCall, Options},
    orders::{NoOrder, Order, Orders, create},
    report::{Exchange, StepReport},
};

/// A merchant's ways to say that it will not have it, whichever it chooses.
pub(crate) const REFUSED: &[i64] = &[-1, -2, -3, -4, -5, -6, -7, -8, -9];

/// Everything that lasts longer than one case.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) merchant: Merchant,
    pub(crate) orders: Orders,
    pub(crate) options: Options,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) last_trans_id: i64,
    /// The answers of the whole run, for the cases that judge their form.
    pub(crate) answers: Vec<Seen>,
}

/// An answer with what it should repeat.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) step: Step,
    pub(crate) trans_id: String,
    pub(crate) order_id: String,
    pub(crate) answer: Answer,
    pub(crate) took: Duration,
}

/// One case being played.
#[derive(Debug)]
pub(crate) struct Play<'a> {
    pub(crate) stage: &'a mut Stage,
    pub(crate) steps: Vec<StepReport>,
}

impl Play<'_> {
    pub(crate) async fn fresh(&mut self) -> Result<Order, Halt> {
        let order = self.stage.orders.fresh(&self.stage.merchant).await;
        self.got_order(order)
    }

    pub(crate) async fn lent(&mut self) -> Result<Order, Halt> {
        let order = self.stage.orders.lent(&self.stage.merchant).await;
        self.got_order(order)
    }

    fn got_order(&mut self, order: Result<Order, NoOrder>) -> Result<Order, Halt> {
        order.map_err(|problem| match problem {
            NoOrder::Unavailable(reason) => Halt::Skip(reason),
            NoOrder::Failed(reason) => {
                self.check("the create call", "a new order", reason, false);
                Halt::Failed
            }
        })
    }

    /// An order that the merchant does not have.
    pub(crate) fn unknown_order(&self) -> Order {
        let text = "1000";
        let amount = tolov_domain::Tiyin::parse_soum(text).unwrap_or(tolov_domain::Tiyin::ZERO);
        Order {
            id: self.stage.options.unknown_order.clone(),
            amount_text: text.to_owned(),
            amount,
            link: None,
        }
    }

    pub(crate) fn create_call(&self) -> Result<CreateCall, Halt> {
        self.stage
            .orders
            .create_call()
            .cloned()
            .ok_or_else(|| Halt::Skip("needs --create-url: it looks at the create call itself".to_owned()))
    }

    /// Makes the create call in another form than usual.
    pub(crate) async fn create_otherwise(
        &mut self,
        call: &CreateCall,
        headers: &[(http::HeaderName, http::HeaderValue)],
        change: impl FnOnce(String) -> String,
    ) -> Result<Order, String> {
        let (order_id, body) = self.stage.orders.next_body(call, change);
        create(&self.stage.merchant, call, headers, body, &order_id).await
    }

    /// A number that CLICK has not used.
    pub(crate) fn new_trans_id(&mut self) -> i64 {
        self.stage.last_trans_id += 1;
        self.stage.last_trans_id
    }

    /// A good Prepare of a new attempt.
    pub(crate) fn prepare(&mut self, order: &Order) -> Callback {
        let trans_id = self.new_trans_id();
        let now = sign_time(self.stage.clock.now());
        Callback::prepare(self.stage.options.service_id, trans_id, now, order)
    }

    /// Sends a Prepare that must be accepted; its `merchant_prepare_id`, without which nothing can go on.
    pub(crate) async fn accepted(&mut self, what: &str, prepare: &Callback) -> Result<String, Halt> {
        let answer = self.expect(what, prepare, &[0]).await;
        if answer.code() != Some(0) {
            return Err(Halt::Failed);
        }
        answer.prepare_id().ok_or_else(|| {
            self.check("its answer", "a merchant_prepare_id", "none", false);
            Halt::Failed
        })
    }

    /// Prepares an order: the Prepare as sent, and the Complete that goes with it.
    pub(crate) async fn prepared(&mut self, order: &Order) -> Result<(Callback, Callback), Halt> {
        let prepare = self.prepare(order);
        let prepare_id = self.accepted("Prepare", &prepare).await?;
        Ok((prepare.clone(), prepare.into_complete(&prepare_id)))
    }

    /// Prepares and completes an order.
    pub(crate) async fn paid(&mut self, order: &Order) -> Result<(Callback, Callback), Halt> {
        let (prepare, complete) = self.prepared(order).await?;
        self.accepted_complete("Complete", &complete).await?;
        Ok((prepare, complete))
    }

    /// Sends a Complete that must be accepted.
    pub(crate) async fn accepted_complete(&mut self, what: &str, complete: &Callback) -> Result<(), Halt> {
        let answer = self.expect(what, complete, &[0]).await;
        if answer.code() == Some(0) { Ok(()) } else { Err(Halt::Failed) }
    }

    /// Sends a callback and records whether one of the codes came.
    pub(crate) async fn expect(
        &mut self,
        what: impl Into<String>,
        callback: &Callback,
        expected: &[i64],
    ) -> Answer {
        let (answer, took) = self.stage.merchant.send(callback).await;
        let passed = answer.code().is_some_and(|code| expected.contains(&code));
        let step = StepReport {
            sent: what.into(),
            expected: codes(expected),
            got: answer.summary(),
            passed,
            exchange: Some(self.exchange(callback, &answer, took)),
        };
        self.steps.push(step);
        self.remember(callback, &answer, took);
        answer
    }

    /// Sends callbacks at the same time; the codes in the same order. The caller judges them.
    pub(crate) async fn at_once(&mut self, callbacks: &[Callback]) -> Vec<Answer> {
        let merchant = &self.stage.merchant;
        let received = join_all(callbacks.iter().map(|callback| merchant.send(callback))).await;
        for (callback, (answer, took)) in callbacks.iter().zip(&received) {
            self.remember(callback, answer, *took);
        }
        received.into_iter().map(|(answer, _)| answer).collect()
    }

    /// Records something that is no single call.
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
            request: callback.shown(&self.stage.merchant.secret_key),
            http_status: answer.got().map(|got| got.http_status),
            answer: answer.got().map_or_else(|| answer.summary(), |got| got.text.clone()),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn remember(&mut self, callback: &Callback, answer: &Answer, took: Duration) {
        self.stage.answers.push(Seen {
            step: callback.step,
            trans_id: callback.field("click_trans_id").to_owned(),
            order_id: callback.field("merchant_trans_id").to_owned(),
            answer: answer.clone(),
            took,
        });
    }
}

/// Codes for a reader: `-4`, `-6 or -8`, `a refusal` (-1 to -9).
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
    let mut counts: Vec<(String, usize)> = Vec::new();
    for answer in answers {
        let summary = answer.summary();
        match counts.iter_mut().find(|(known, _)| *known == summary) {
            Some((_, count)) => *count += 1,
            None => counts.push((summary, 1)),
        }
    }
    counts.sort_by(|left, right| right.0.cmp(&left.0));
    let texts: Vec<String> = counts.iter().map(|(summary, count)| format!("{summary} ×{count}")).collect();
    texts.join(", ")
}

pub(crate) fn count(answers: &[Answer], code: i64) -> usize {
    answers.iter().filter(|answer| answer.code() == Some(code)).count()
}
