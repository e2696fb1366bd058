//! The same call again: CLICK repeats a call whose answer it did not get, and anybody can replay one.

use crate::case::{Case, CaseResult, CaseRun, Needs, REFUSED, script};

pub(in crate::cases) const CASES: &[Case] = &[
    Case::should("replay.prepare", Needs::FreshOrders(1), script!(prepare))
        .title("the same Prepare three times, then its Complete")
        .why("CLICK repeats a Prepare whose answer was lost; the same attempt has one merchant_prepare_id"),
    Case::must("replay.complete", Needs::FreshOrders(1), script!(complete))
        .title("the same Complete again and again")
        .why("CLICK repeats a Complete whose answer was lost: the goods must be given once; -4 settles it"),
    Case::must("replay.prepare-after-paid", Needs::FreshOrders(1), script!(prepare_after_paid))
        .title("the Prepare again after its payment is confirmed")
        .why("CLICK sends it when it got no answer to the Complete; 'Already paid' settles the payment"),
    Case::must("replay.new-attempt-after-paid", Needs::FreshOrders(1), script!(new_attempt_after_paid))
        .title("a new payment of an order that is paid")
        .why("whoever opens the pay link again must not be charged again"),
    Case::must("replay.cancelled", Needs::FreshOrders(1), script!(cancelled))
        .title("Complete with error=0 of an attempt that was cancelled")
        .why("a cancelled payment that can be confirmed gives goods for money that was returned"),
];

async fn prepare(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let prepare = run.prepare(&order);
    let first = run.accepted("Prepare", &prepare).await?;
    for _ in 0..2 {
        let again = run.accepted("the same Prepare", &prepare).await?;
        let same = again == first;
        run.check("its merchant_prepare_id", format!("{first} again"), again, same);
    }
    run.expect("its Complete", &prepare.into_complete(&first), &[0]).await;
    Ok(())
}

async fn complete(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let (_, complete) = run.paid(&order).await?;
    for _ in 0..2 {
        run.expect("the same Complete", &complete, &[-4]).await;
    }
    let trans_id = run.new_trans_id();
    run.expect("the Complete with another click_trans_id", &complete.with_trans_id(trans_id), &[-4]).await;
    Ok(())
}

async fn prepare_after_paid(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let (prepare, _) = run.paid(&order).await?;
    run.expect("the same Prepare after the Complete", &prepare, &[-4]).await;
    Ok(())
}

async fn new_attempt_after_paid(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    run.paid(&order).await?;
    let second = run.prepare(&order);
    let answer = run.expect("Prepare of a new attempt on a paid order", &second, &[-4, -5, -9]).await;
    if let Some(prepare_id) = answer.prepare_id().filter(|_| answer.code() == Some(0)) {
        run.expect("its Complete", &second.into_complete(&prepare_id), REFUSED).await;
    }
    Ok(())
}

async fn cancelled(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let (_, complete) = run.prepared(&order).await?;
    run.expect("Complete, error=-5017", &complete.clone().failed(-5017), &[-9]).await;
    run.expect("Complete, error=0", &complete, &[-9]).await;
    let trans_id = run.new_trans_id();
    run.expect("Complete, error=0, another click_trans_id", &complete.with_trans_id(trans_id), &[-9]).await;
    Ok(())
}
