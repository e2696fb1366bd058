//! Any sequence of callbacks, whatever their order: the answers are those of a plain model of CLICK's rules, and the
//! ledger passes its audit.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::prelude::*;
use tolov_kit::clock::Clock;
use tolov_webhook::maintenance::expire_due;

use crate::{
    app::{Setup, TestApp},
    click::{AMOUNT, Callback},
};

const TTL: Duration = Duration::from_hours(1);

#[derive(Debug, Clone)]
enum Action {
    Prepare {
        order: i64,
        trans: i64,
        amount: &'static str,
    },
    /// `attempt` may be another order's, or nobody's.
    Complete {
        order: i64,
        attempt: i64,
        trans: i64,
        amount: &'static str,
        error: i32,
    },
    Expire,
    /// The shopper, not CLICK.
    Cancel {
        order: i64,
    },
    Restart,
}

fn amount() -> impl Strategy<Value = &'static str> {
    prop_oneof![8 => Just(AMOUNT), 2 => Just("30000.00"), 1 => Just("29999.99")]
}

fn action() -> impl Strategy<Value = Action> {
    let error = prop_oneof![6 => Just(0), 1 => Just(-1), 2 => Just(-5017)];
    prop_oneof![
        6 => (1..=2i64, 1..=4i64, amount()).prop_map(|(order, trans, amount)| Action::Prepare { order, trans, amount }),
        8 => (1..=2i64, 1..=5i64, 1..=4i64, amount(), error).prop_map(|(order, attempt, trans, amount, error)| {
            Action::Complete { order, attempt, trans, amount, error }
        }),
        1 => Just(Action::Expire),
        1 => (1..=2i64).prop_map(|order| Action::Cancel { order }),
        1 => Just(Action::Restart),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Paid,
    Cancelled,
}

/// CLICK's rules, told a second time and in another way than the service tells them.
#[derive(Debug, Default)]
struct Model {
    /// By merchant_prepare_id: order, click_trans_id, state.
    attempts: BTreeMap<i64, (i64, i64, State)>,
    /// By order: the attempt that paid.
    paid: BTreeMap<i64, i64>,
    /// By click_trans_id of the Complete: the attempt that it paid.
    spent: BTreeMap<i64, i64>,
    /// Orders that take no new attempt.
    over: BTreeSet<i64>,
    /// What staff are asked: order and the end of the event's id.
    questions: BTreeSet<(i64, String)>,
}

impl Model {
    fn prepare(&mut self, order: i64, trans: i64, amount: &str) -> (i64, Option<i64>) {
        if amount == "29999.99" {
            return (-2, None);
        }
        if self.paid.contains_key(&order) {
            return (-4, None);
        }
        if self.over.contains(&order) {
            return (-9, None);
        }
        let same = self
            .attempts
            .iter()
            .find(|(_, (its_order, its_trans, _))| (*its_order, *its_trans) == (order, trans));
        match same {
            Some((_, (_, _, State::Cancelled))) => (-9, None),
            _ if self.spent.contains_key(&trans) => {
                self.questions.insert((order, format!("trans-{trans}:transaction_reused")));
                (-4, None)
            }
            Some((id, _)) => (0, Some(*id)),
            None => {
                let id = i64::try_from(self.attempts.len()).unwrap() + 1;
                self.attempts.insert(id, (order, trans, State::Open));
                (0, Some(id))
            }
        }
    }

    fn complete(&mut self, order: i64, attempt: i64, trans: i64, amount: &str, error: i32) -> i64 {
        let Some((its_order, _, state)) = self.attempts.get_mut(&attempt) else { return -6 };
        if *its_order != order {
            return -6;
        }
        let mut ask =
            |anomaly: &str| self.questions.insert((order, format!("{attempt}:trans-{trans}:{anomaly}")));
        if amount == "29999.99" {
            ask("amount_differs");
            return -2;
        }
        if error < 0 {
            return match state {
                State::Paid => {
                    ask("cancel_after_paid");
                    if error == -1 { -4 } else { -9 }
                }
                State::Cancelled => -9,
                State::Open => {
                    *state = State::Cancelled;
                    -9
                }
            };
        }
        let spent_on = self.spent.get(&trans);
        if spent_on.is_some_and(|spent_on| *spent_on != attempt) {
            ask("transaction_reused");
            return -4;
        }
        match state {
            State::Cancelled => {
                ask("confirmed_after_cancel");
                -9
            }
            State::Paid if spent_on.is_some() => -4,
            State::Paid => {
                ask("paid_twice");
                -4
            }
            State::Open if self.paid.contains_key(&order) => {
                ask("paid_twice");
                -4
            }
            State::Open => {
                *state = State::Paid;
                self.paid.insert(order, attempt);
                self.spent.insert(trans, attempt);
                0
            }
        }
    }
}

async fn play(actions: &[Action]) {
    let mut app = TestApp::start_with(Setup { order_ttl: Some(TTL), ..Setup::default() }).await;
    let mut model = Model::default();
    app.order(1).await;
    app.order(2).await;
    for action in actions {
        match *action {
            Action::Prepare { order, trans, amount } => {
                let answer = app.send(&Callback::prepare(order).trans(trans).amount(amount)).await;
                let given = answer.body["merchant_prepare_id"].as_i64();
                assert_eq!((answer.code, given), model.prepare(order, trans, amount), "{action:?}");
            }
            Action::Complete { order, attempt, trans, amount, error } => {
                let callback = Callback::cancel(order, attempt, error).trans(trans).amount(amount);
                let expected = model.complete(order, attempt, trans, amount, error);
                assert_eq!(app.code(&callback).await, expected, "{action:?}");
            }
            Action::Expire => {
                app.clock.advance(time::Duration::hours(2));
                expire_due(app.ledger(), app.clock.now() - TTL, app.clock.now()).await;
                model.over.extend([1, 2]);
            }
            Action::Cancel { order } => {
                let expected = if model.paid.contains_key(&order) { 409 } else { 200 };
                assert_eq!(app.cancel(order).await.0.as_u16(), expected, "{action:?}");
                model.over.insert(order);
            }
            Action::Restart => {
                app.kill();
                app.start_again().await;
            }
        }
    }
    for order in [1, 2] {
        let expected = match (model.paid.contains_key(&order), model.over.contains(&order)) {
            (true, _) => "paid",
            (false, true) => "expired",
            (false, false) => "pending",
        };
        assert_eq!(app.status_of(order).await, expected, "order {order}");
        let asked = |id: String| id.strip_prefix(&format!("payment.questioned:{order}:")).map(str::to_owned);
        let asked: BTreeSet<String> = app.events_of(order).await.into_iter().filter_map(asked).collect();
        let of_order = model.questions.iter().filter(|(its_order, _)| *its_order == order);
        assert_eq!(asked, of_order.map(|(_, question)| question.clone()).collect(), "order {order}");
    }
    app.finish().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_sequence_of_callbacks_is_answered_by_the_rules_and_leaves_a_ledger_in_order(
        actions in prop::collection::vec(action(), 1..40),
    ) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(play(&actions));
    }
}
