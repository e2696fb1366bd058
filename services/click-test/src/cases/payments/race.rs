//! Calls at the same time.

use crate::{
    case::{Case, CaseResult, CaseRun, Needs, count, script, tally},
    protocol::{Answer, Callback},
};

pub(in crate::cases) const CASES: &[Case] = &[
    Case::should("race.prepares", Needs::FreshOrders(1), script!(prepares))
        .title("many equal Prepares at once")
        .why("one attempt has one merchant_prepare_id, however often it is prepared"),
    Case::must("race.completes", Needs::FreshOrders(2), script!(completes))
        .title("many equal Completes at once: one is accepted")
        .why("check-then-write without a lock fulfils the order two or three times"),
    Case::must("race.two-attempts", Needs::FreshOrders(2), script!(two_attempts))
        .title("two attempts of one order completed at once: one is accepted")
        .why("a payer with two open pages is charged twice for one order"),
    Case::must("race.complete-and-cancel", Needs::FreshOrders(3), script!(complete_and_cancel))
        .title("a Complete and a cancellation at once: one takes effect, and stays")
        .why("where both take effect, goods are given for a cancelled payment"),
    Case::should("race.trans-id-of-two-orders", Needs::FreshOrders(2), script!(trans_id_of_two_orders))
        .title("one click_trans_id completes two orders at once: one is accepted")
        .why("one payment must not pay two orders"),
];

async fn prepares(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let prepare = run.prepare(&order);
    let many = vec![prepare.clone(); run.tester.options.parallel];
    let answers = run.send_concurrently(&many).await;
    let mut ids: Vec<String> = answers.iter().filter_map(Answer::prepare_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let accepted = count(&answers, 0);
    run.check(
        format!("{} equal Prepares at once", many.len()),
        "0 for all, one merchant_prepare_id",
        format!("{}; {} different ids", tally(&answers), ids.len()),
        accepted == many.len() && ids.len() == 1,
    );
    if let Some(id) = ids.first() {
        run.expect("its Complete", &prepare.into_complete(id), &[0]).await;
    }
    Ok(())
}

/// Sends all at once; exactly one may be accepted, the others must get one of the other codes.
async fn one_is_accepted(run: &mut CaseRun<'_>, what: String, callbacks: &[Callback], others: &[i64]) {
    let answers = run.send_concurrently(callbacks).await;
    let lost: usize = others.iter().map(|code| count(&answers, *code)).sum();
    let won = count(&answers, 0);
    let names: Vec<String> = others.iter().map(ToString::to_string).collect();
    run.check(
        what,
        format!("0 ×1, {} ×{}", names.join(" or "), callbacks.len().saturating_sub(1)),
        tally(&answers),
        won == 1 && won + lost == callbacks.len(),
    );
}

async fn completes(run: &mut CaseRun<'_>) -> CaseResult {
    let parallel = run.tester.options.parallel;
    for with_new_ids in [false, true] {
        let order = run.fresh_order().await?;
        let (_, complete) = run.prepared(&order).await?;
        let mut many = Vec::new();
        for _ in 0..parallel {
            let trans_id = run.new_trans_id();
            many.push(if with_new_ids { complete.clone().with_trans_id(trans_id) } else { complete.clone() });
        }
        let numbers = if with_new_ids { ", each with another click_trans_id" } else { "" };
        one_is_accepted(run, format!("{parallel} Completes of one attempt at once{numbers}"), &many, &[-4])
            .await;
        run.expect("the Complete once more", &complete, &[-4]).await;
    }
    Ok(())
}

async fn two_attempts(run: &mut CaseRun<'_>) -> CaseResult {
    for _ in 0..2 {
        let order = run.fresh_order().await?;
        let (_, first) = run.prepared(&order).await?;
        let second_prepare = run.prepare(&order);
        let answer = run.expect("Prepare of a second attempt", &second_prepare, &[0, -4, -9, -8]).await;
        let Some(prepare_id) = answer.prepare_id().filter(|_| answer.code() == Some(0)) else {
            // The merchant reserves the order for the first attempt: there is no race.
            run.expect("Complete of the first", &first, &[0]).await;
            continue;
        };
        let both = [first, second_prepare.into_complete(&prepare_id)];
        one_is_accepted(run, "Completes of both attempts at once".to_owned(), &both, &[-4]).await;
    }
    Ok(())
}

async fn complete_and_cancel(run: &mut CaseRun<'_>) -> CaseResult {
    for round in 0..3 {
        let order = run.fresh_order().await?;
        let (_, complete) = run.prepared(&order).await?;
        let cancel = complete.clone().failed(-5017);
        let mut both = [complete.clone(), cancel];
        if round % 2 == 1 {
            both.reverse();
        }
        let mut answers = run.send_concurrently(&both).await;
        if round % 2 == 1 {
            answers.reverse();
        }
        let [completed, cancelled] = answers.as_slice() else { continue };
        let got = format!("Complete {}, cancellation {}", completed.summary(), cancelled.summary());
        let settled = match (completed.code(), cancelled.code()) {
            // CLICK's tools accept -9 for a paid attempt; -4 means the same.
            (Some(0), Some(-9 | -4)) => Some(-4),
            (Some(-9), Some(-9)) => Some(-9),
            _ => None,
        };
        run.check(
            "a Complete and a cancellation at once",
            "one of the two takes effect",
            got,
            settled.is_some(),
        );
        if let Some(later) = settled {
            run.expect("the Complete again agrees with it", &complete, &[later]).await;
        }
    }
    Ok(())
}

async fn trans_id_of_two_orders(run: &mut CaseRun<'_>) -> CaseResult {
    let trans_id = run.new_trans_id();
    let mut completes = Vec::new();
    for _ in 0..2 {
        let order = run.fresh_order().await?;
        let (_, complete) = run.prepared(&order).await?;
        completes.push(complete.with_trans_id(trans_id));
    }
    one_is_accepted(run, "one click_trans_id for two orders at once".to_owned(), &completes, &[-4, -6, -8])
        .await;
    Ok(())
}
