//! Only who knows the secret key may call.

use crate::{
    case::{Case, CaseResult, CaseRun, Needs, REFUSED, script},
    protocol::Callback,
};

pub(in crate::cases) const CASES: &[Case] = &[
    Case::must("signature.prepare", Needs::SharedOrder, script!(prepare))
        .title("Prepare with a wrong signature, or fields changed after signing")
        .why("whoever can call without the key can reserve goods and learn which orders exist"),
    Case::must("signature.complete", Needs::FreshOrders(1), script!(complete))
        .title("Complete with a wrong signature, or fields changed after signing")
        .why("an unsigned Complete that is accepted gives goods away for nothing"),
    Case::must("signature.unsigned-cancel", Needs::FreshOrders(1), script!(unsigned_cancel))
        .title("a badly signed cancellation, then the genuine Complete")
        .why("anybody could cancel payments; CLICK's own PHP and Django samples have this fault"),
    Case::must("signature.junk-does-not-block", Needs::FreshOrders(1), script!(junk_does_not_block))
        .title("badly signed calls with the ids of a genuine payment, before it")
        .why("a duplicate check before the signature check lets anybody block genuine payments"),
    Case::should("signature.comes-first", Needs::SharedOrder, script!(comes_first))
        .title("badly signed calls that are wrong in another way too")
        .why("answers to anybody tell which orders exist, and what is parsed for them can be abused"),
    Case::should("signature.other-service", Needs::SharedOrder, script!(other_service))
        .title("well signed, for a service that is not this one")
        .why("several services may share a key: a payment to one must not pay an order of another"),
    Case::should("signature.field-borders", Needs::FreshOrders(1), script!(field_borders))
        .title("a good signature with the border between order and prepare id moved")
        .why("the signed text has no separators: one signature fits several pairs of order and attempt"),
];

/// The callback with signatures that are not its own.
fn wrongly_signed(callback: &Callback) -> Vec<(&'static str, Callback)> {
    let signed = |text: &str| callback.clone().signature(text);
    vec![
        ("another MD5", callback.clone().badly_signed()),
        ("a signature that is no MD5", signed("0")),
        ("a signature of 32 other letters", signed("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz")),
        ("a signature in an SQL phrase", signed("' OR '1'='1")),
    ]
}

async fn prepare(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.shared_order().await?;
    let prepare = run.prepare(&order);
    for (what, callback) in wrongly_signed(&prepare) {
        run.expect(format!("Prepare, {what}"), &callback, &[-1]).await;
    }
    let other_trans_id = run.new_trans_id();
    let changed = [
        ("click_trans_id", other_trans_id.to_string()),
        ("amount", format!("{}1", prepare.field("amount"))),
        ("merchant_trans_id", run.unknown_order().id),
        ("sign_time", "2026-01-01 00:00:00".to_owned()),
    ];
    for (field, value) in changed {
        let callback = prepare.clone().tampered(field, value);
        // Whether the signature is checked first is tested by signature.comes-first.
        let expected: &[i64] = if field == "merchant_trans_id" { &[-1, -5] } else { &[-1] };
        run.expect(format!("Prepare, {field} changed after signing"), &callback, expected).await;
    }
    Ok(())
}

async fn complete(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let (_, complete) = run.prepared(&order).await?;
    for (what, callback) in wrongly_signed(&complete) {
        run.expect(format!("Complete, {what}"), &callback, &[-1]).await;
    }
    let prepare_signature = complete.clone().signed_over("merchant_prepare_id", "");
    run.expect("Complete, signed without merchant_prepare_id", &prepare_signature, &[-1]).await;
    let other_trans_id = run.new_trans_id();
    let changed = [
        ("click_trans_id", other_trans_id.to_string()),
        ("amount", format!("{}1", complete.field("amount"))),
        ("merchant_prepare_id", format!("{}1", complete.field("merchant_prepare_id"))),
        ("sign_time", "2026-01-01 00:00:00".to_owned()),
    ];
    for (field, value) in changed {
        let callback = complete.clone().tampered(field, value);
        let expected: &[i64] = if field == "merchant_prepare_id" { &[-1, -6] } else { &[-1] };
        run.expect(format!("Complete, {field} changed after signing"), &callback, expected).await;
    }
    run.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}

async fn unsigned_cancel(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let (_, complete) = run.prepared(&order).await?;
    for error in [-5017, -1] {
        let cancel = complete.clone().failed(error).badly_signed();
        run.expect(format!("Complete, error={error}, badly signed"), &cancel, &[-1]).await;
    }
    run.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}

async fn junk_does_not_block(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let prepare = run.prepare(&order);
    run.expect("Prepare, badly signed", &prepare.clone().badly_signed(), &[-1]).await;
    let prepare_id = run.accepted("the genuine Prepare of the same payment", &prepare).await?;
    let complete = prepare.into_complete(&prepare_id);
    for _ in 0..3 {
        run.expect("Complete, badly signed", &complete.clone().badly_signed(), &[-1]).await;
    }
    run.expect("the genuine Complete of the same payment", &complete, &[0]).await;
    Ok(())
}

async fn comes_first(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.shared_order().await?;
    let unknown = run.unknown_order();
    let prepare = run.prepare(&order).badly_signed();
    let cases = [
        ("Prepare of an unknown order", run.prepare(&unknown).badly_signed()),
        ("Prepare with another amount", prepare.clone().with_amount("1.11")),
        ("Prepare with error=-1", prepare.clone().failed(-1)),
        ("an unknown action", prepare.clone().with("action", "7")),
        ("Prepare of another service", prepare.clone().with("service_id", "1")),
        ("Complete of an unknown attempt", prepare.into_complete("999999999")),
    ];
    for (what, callback) in cases {
        run.expect(format!("{what}, badly signed"), &callback, &[-1]).await;
    }
    Ok(())
}

async fn other_service(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.shared_order().await?;
    let service_id = run.tester.options.service_id;
    for other in [service_id.saturating_add(1), 0] {
        let prepare = run.prepare(&order).with("service_id", other);
        // CLICK has no code for it; a merchant with a key for each service finds the signature wrong.
        run.expect(format!("Prepare with service_id={other}"), &prepare, &[-8, -1]).await;
    }
    Ok(())
}

async fn field_borders(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let (_, complete) = run.prepared(&order).await?;
    let prepare_id = complete.field("merchant_prepare_id").to_owned();
    let second = prepare_id.char_indices().nth(1).map(|(at, _)| at);
    if let Some((first, rest)) = second.map(|at| prepare_id.split_at(at)) {
        let moved = complete
            .clone()
            .with("merchant_trans_id", format!("{}{first}", order.id))
            .with("merchant_prepare_id", rest);
        run.expect("Complete, the prepare id's first digit moved to the order", &moved, REFUSED).await;
    }
    if let Some((at, last)) = order.id.char_indices().next_back().filter(|(at, _)| *at > 0) {
        let moved = complete
            .clone()
            .with("merchant_trans_id", &order.id[..at])
            .with("merchant_prepare_id", format!("{last}{prepare_id}"));
        run.expect("Complete, the order's last digit moved to the prepare id", &moved, REFUSED).await;
    }
    run.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}
