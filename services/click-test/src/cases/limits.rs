//! Large numbers and bodies.

use crate::case::{Case, CaseResult, CaseRun, Needs, REFUSED, script};

pub(super) const CASES: &[Case] = &[
    Case::must("limits.bigint", Needs::FreshOrders(1), script!(bigint))
        .title("click_trans_id and click_paydoc_id above 32 bits")
        .why("both are bigint, and CLICK's live numbers are above 2^31: with a 32-bit column all payments fail"),
    Case::should("limits.largest-ids", Needs::FreshOrders(1), script!(largest_ids))
        .title("ids near the end of 64 bits are echoed exactly")
        .why("a number that passes through a float comes back changed, and CLICK cannot match the answer"),
    Case::should("limits.large-body", Needs::SharedOrder, script!(large_body))
        .title("a body of 1 MiB is refused, and the next call is answered")
        .why("a callback is below 1 KiB: a server without a limit can be overloaded by anybody"),
];

async fn bigint(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    // The run's click_trans_ids are above 2^32 anyway; this click_paydoc_id was seen in production.
    let prepare = run.prepare(&order).with("click_paydoc_id", 3_647_911_201_i64);
    let prepare_id = run.accepted("Prepare with a click_trans_id above 2^32", &prepare).await?;
    run.expect("its Complete", &prepare.into_complete(&prepare_id), &[0]).await;
    Ok(())
}

async fn largest_ids(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    // Differs in every run, as the run's own numbers do.
    let trans_id = i64::MAX.saturating_sub(run.new_trans_id());
    let prepare = run.prepare(&order).with_trans_id(trans_id).with("click_paydoc_id", i64::MAX);
    let answer = run.expect(format!("Prepare, click_trans_id={trans_id}"), &prepare, &[0]).await;
    let echo = answer.field("click_trans_id").unwrap_or_else(|| "none".to_owned());
    let same = echo == trans_id.to_string();
    run.check("the click_trans_id of the answer", trans_id.to_string(), echo, same);
    if let Some(prepare_id) = answer.prepare_id() {
        run.expect("its Complete", &prepare.into_complete(&prepare_id), &[0]).await;
    }
    Ok(())
}

async fn large_body(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.shared_order().await?;
    let large = run.prepare(&order).followed_by(format!("&param2={}", "x".repeat(1024 * 1024)));
    let (answer, _) = run.tester.merchant.send(&large).await;
    // HTTP 413, a closed connection and -8 are all refusals.
    run.check("Prepare with 1 MiB more", "anything but 0", answer.summary(), answer.code() != Some(0));
    let next = run.prepare(&order).badly_signed();
    run.expect("the next call, badly signed", &next, REFUSED).await;
    Ok(())
}
