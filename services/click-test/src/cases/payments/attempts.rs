//! Which attempt of which order a Complete belongs to.

use crate::case::{Case, CaseResult, CaseRun, Needs, REFUSED, script};

pub(in crate::cases) const CASES: &[Case] = &[
    Case::must("attempts.unknown-order", Needs::Nothing, script!(unknown_order))
        .title("Prepare and Complete of an order that does not exist")
        .why("CLICK tells the payer by this code that there is no such order"),
    Case::must("attempts.no-prepare", Needs::SharedOrder, script!(no_prepare))
        .title("Complete of an order that was never prepared")
        .why("without a check of merchant_prepare_id goods are given for a payment that was never prepared"),
    Case::must("attempts.unknown-prepare-id", Needs::FreshOrders(1), script!(unknown_prepare_id))
        .title("Complete with a made-up merchant_prepare_id, then the genuine one")
        .why("merchant_prepare_id ties the payment to what was prepared; -6 is CLICK's code for a wrong one"),
    Case::should("attempts.odd-prepare-id", Needs::FreshOrders(1), script!(odd_prepare_id))
        .title("the right merchant_prepare_id in other spellings, and text")
        .why("ids that are parsed loosely, or passed to a database as they are, can be abused"),
    Case::must("attempts.other-orders-prepare-id", Needs::FreshOrders(2), script!(other_orders_prepare_id))
        .title("Complete of one order with the merchant_prepare_id of another")
        .why("the attempt must belong to the order, or a cheap order's attempt pays an expensive one"),
    Case::must("attempts.other-trans-id", Needs::FreshOrders(1), script!(other_trans_id))
        .title("Complete with another click_trans_id than its Prepare")
        .why("CLICK's desktop tester uses a new click_trans_id for every call: find the payment by merchant_prepare_id"),
    Case::must("attempts.two", Needs::FreshOrders(1), script!(two))
        .title("two attempts of one order, both completed")
        .why("a payer with two open pages pays twice; only one attempt may be confirmed"),
    Case::must("attempts.trans-id-of-another-order", Needs::FreshOrders(2), script!(trans_id_of_another_order))
        .title("one click_trans_id for two orders")
        .why("CLICK requires the merchant not to execute one click_trans_id twice"),
    Case::should("attempts.again-after-cancel", Needs::FreshOrders(1), script!(again_after_cancel))
        .title("a new attempt after a cancelled one")
        .why("a payer whose card was refused tries another: the order must stay payable"),
];

async fn unknown_order(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.unknown_order();
    let prepare = run.prepare(&order);
    run.expect("Prepare of an unknown order", &prepare, &[-5]).await;
    let complete = prepare.into_complete("999999999");
    // The attempt is unknown too.
    run.expect("Complete of an unknown order", &complete, &[-5, -6]).await;
    Ok(())
}

async fn no_prepare(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.shared_order().await?;
    for prepare_id in ["999999998", "1", &order.id] {
        let complete = run.prepare(&order).into_complete(prepare_id);
        run.expect(format!("Complete, merchant_prepare_id={prepare_id}, never prepared"), &complete, &[-6])
            .await;
    }
    Ok(())
}

async fn unknown_prepare_id(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let (_, complete) = run.prepared(&order).await?;
    for prepare_id in ["999999999", "982213547109"] {
        let callback = complete.clone().with("merchant_prepare_id", prepare_id);
        run.expect(format!("Complete, merchant_prepare_id={prepare_id}"), &callback, &[-6]).await;
    }
    run.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}

async fn odd_prepare_id(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let (_, complete) = run.prepared(&order).await?;
    let prepare_id = complete.field("merchant_prepare_id").to_owned();
    for odd in [
        format!("0{prepare_id}"),
        format!(" {prepare_id}"),
        format!("+{prepare_id}"),
        format!("{prepare_id}.0"),
        format!("{prepare_id}abc"),
        "0".to_owned(),
        "-1".to_owned(),
        "null".to_owned(),
        "99999999999999999999999".to_owned(),
        format!("{prepare_id}' OR '1'='1"),
    ] {
        let callback = complete.clone().with("merchant_prepare_id", &odd);
        // -1: the merchant computes the signature with the parsed number, which is safe.
        run.expect(format!("Complete, merchant_prepare_id={odd:?}"), &callback, &[-6, -8, -1]).await;
    }
    run.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}

async fn other_orders_prepare_id(run: &mut CaseRun<'_>) -> CaseResult {
    let first = run.fresh_order().await?;
    let second = run.fresh_order().await?;
    let (_, first_complete) = run.prepared(&first).await?;
    let (_, second_complete) = run.prepared(&second).await?;
    let (first_id, second_id) =
        (first_complete.field("merchant_prepare_id"), second_complete.field("merchant_prepare_id"));
    run.check(
        "the two attempts",
        "two merchant_prepare_ids",
        format!("{first_id} and {second_id}"),
        first_id != second_id,
    );
    let crossed = first_complete.clone().with("merchant_prepare_id", second_id);
    run.expect("Complete of the first order with the second's attempt", &crossed, &[-6]).await;
    run.expect("the first order's own Complete", &first_complete, &[0]).await;
    run.expect("the second order's own Complete", &second_complete, &[0]).await;
    Ok(())
}

async fn other_trans_id(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let (_, complete) = run.prepared(&order).await?;
    let trans_id = run.new_trans_id();
    run.expect("Complete with another click_trans_id", &complete.with_trans_id(trans_id), &[0]).await;
    Ok(())
}

async fn two(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let (_, first) = run.prepared(&order).await?;
    let second_prepare = run.prepare(&order);
    // A merchant may reserve the order for the first attempt.
    let expected: Vec<i64> = [0].iter().chain(REFUSED).copied().collect();
    let answer = run.expect("Prepare of a second attempt", &second_prepare, &expected).await;
    run.accepted_complete("Complete of the first", &first).await?;
    if let Some(prepare_id) = answer.prepare_id().filter(|_| answer.code() == Some(0)) {
        let second = second_prepare.into_complete(&prepare_id);
        run.expect("Complete of the second", &second, &[-4]).await;
        run.expect("Complete of the second, again", &second, &[-4]).await;
    }
    Ok(())
}

async fn trans_id_of_another_order(run: &mut CaseRun<'_>) -> CaseResult {
    let first = run.fresh_order().await?;
    let second = run.fresh_order().await?;
    let (prepare, _) = run.paid(&first).await?;
    let reused =
        run.prepare(&second).with_trans_id(prepare.field("click_trans_id").parse().unwrap_or_default());
    let expected: Vec<i64> = [0].iter().chain(REFUSED).copied().collect();
    let answer =
        run.expect("Prepare of another order with the paid click_trans_id", &reused, &expected).await;
    if let Some(prepare_id) = answer.prepare_id().filter(|_| answer.code() == Some(0)) {
        run.expect("its Complete", &reused.into_complete(&prepare_id), REFUSED).await;
    }
    Ok(())
}

async fn again_after_cancel(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let (_, complete) = run.prepared(&order).await?;
    run.expect("Complete, error=-5017", &complete.failed(-5017), &[-9]).await;
    let prepare = run.prepare(&order);
    let prepare_id = run.accepted("Prepare of a new attempt", &prepare).await?;
    run.expect("its Complete", &prepare.into_complete(&prepare_id), &[0]).await;
    Ok(())
}
