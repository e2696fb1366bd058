//! `error` below 0: CLICK or the payer cancelled.

use crate::case::{Case, CaseResult, CaseRun, Needs, script};

pub(in crate::cases) const CASES: &[Case] = &[
    Case::must("cancel.any-error", Needs::FreshOrders(3), script!(any_error))
        .title("Complete with error=-1, -5014 and -999999")
        .why(
            "CLICK has more errors than -5017: one that is taken for a success marks an unpaid order as paid",
        ),
    Case::must("cancel.in-prepare", Needs::SharedOrder, script!(in_prepare))
        .title("Prepare with error below 0")
        .why("-9 is the answer to any incoming error; nothing may be reserved for it"),
    Case::must("cancel.paid", Needs::FreshOrders(1), script!(paid))
        .title("a cancellation of a paid order: error=-1, then error=-5017")
        .why("CLICK's tools expect -4 and -9 here; neither means that the money was returned"),
    Case::should("cancel.paid-stays-paid", Needs::FreshOrders(1), script!(paid_stays_paid))
        .title("after a cancellation of a paid order: Complete and Prepare again")
        .why("`error` is not signed: one altered call must not reopen, or cancel, a paid order"),
    Case::should("cancel.unknown-attempt", Needs::FreshOrders(1), script!(unknown_attempt))
        .title("a cancellation with an invented merchant_prepare_id")
        .why("it must not cancel the attempt that is under way"),
];

async fn any_error(run: &mut CaseRun<'_>) -> CaseResult {
    for error in [-1, -5014, -999_999] {
        let order = run.fresh_order().await?;
        let (_, complete) = run.prepared(&order).await?;
        run.expect(format!("Complete, error={error}"), &complete.clone().failed(error), &[-9]).await;
        run.expect("then error=0", &complete, &[-9]).await;
    }
    Ok(())
}

async fn in_prepare(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.shared_order().await?;
    for error in [-1, -5017] {
        let prepare = run.prepare(&order).failed(error);
        run.expect(format!("Prepare, error={error}"), &prepare, &[-9]).await;
    }
    Ok(())
}

async fn paid(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let (_, complete) = run.paid(&order).await?;
    run.expect("Complete, error=-1", &complete.clone().failed(-1), &[-4]).await;
    run.expect("Complete, error=-5017", &complete.failed(-5017), &[-9]).await;
    Ok(())
}

async fn paid_stays_paid(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let (_, complete) = run.paid(&order).await?;
    run.expect("Complete, error=-5017", &complete.clone().failed(-5017), &[-9, -4]).await;
    run.expect("the Complete again", &complete, &[-4]).await;
    let prepare = run.prepare(&order);
    run.expect("Prepare of a new attempt", &prepare, &[-4]).await;
    Ok(())
}

async fn unknown_attempt(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let (_, complete) = run.prepared(&order).await?;
    let cancel = complete.clone().with("merchant_prepare_id", "999999997").failed(-5017);
    run.expect("Complete, error=-5017, merchant_prepare_id=999999997", &cancel, &[-6, -9]).await;
    run.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}
