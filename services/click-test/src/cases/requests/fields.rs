//! The fields of a call.

use tolov_click::form::FIELDS;

use crate::case::{Case, CaseResult, CaseRun, Needs, script};

pub(in crate::cases) const CASES: &[Case] = &[
    Case::must("form.missing-field", Needs::SharedOrder, script!(missing_field))
        .title("Prepare without a signed field, or without the signature")
        .why("-8 is CLICK's code for 'not all parameters passed'; a crash or a framework's 422 is no answer to CLICK"),
    Case::should("form.missing-unsigned-field", Needs::SharedOrder, script!(missing_unsigned_field))
        .title("Prepare without click_paydoc_id, error or error_note")
        .why("`error` says whether money was taken: a call without it must not be read as a success"),
    Case::should("form.missing-in-complete", Needs::FreshOrders(1), script!(missing_in_complete))
        .title("Complete without each of its fields, then the genuine one")
        .why("a Complete without `error` or without the attempt must not pay"),
    Case::should("form.empty-field", Needs::SharedOrder, script!(empty_field))
        .title("Prepare with an empty field")
        .why("an empty value that becomes 0 or null passes checks written for missing ones"),
    Case::should("form.field-twice", Needs::SharedOrder, script!(field_twice))
        .title("Prepare with a field given twice")
        .why("frameworks differ in which value wins: one may be checked and the other used"),
    Case::should("form.malformed", Needs::SharedOrder, script!(malformed))
        .title("well signed numbers and times that are malformed")
        .why("a value that cannot be parsed must be refused with -8, not crash the handler"),
    Case::must("form.unknown-action", Needs::SharedOrder, script!(unknown_action))
        .title("an action that is neither 0 nor 1")
        .why("-3 is CLICK's code for it; treating everything that is not a Prepare as a Complete pays by mistake"),
    Case::should("form.unknown-fields", Needs::FreshOrders(1), script!(unknown_fields))
        .title("fields that CLICK has not documented")
        .why("CLICK may add fields at any time; a strict parser would stop all payments that day"),
    Case::must("form.prepare-id-in-prepare", Needs::FreshOrders(1), script!(prepare_id_in_prepare))
        .title("Prepare with an empty merchant_prepare_id, as CLICK's desktop tester sends it")
        .why("it is not part of a Prepare's signature: signing it fails the tester"),
];

async fn missing_field(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.shared_order().await?;
    for field in ["click_trans_id", "service_id", "merchant_trans_id", "amount", "sign_time", "sign_string"] {
        let callback = run.prepare(&order).without(field);
        // Without a signed field the signature is wrong too: either check may come first.
        run.expect(format!("Prepare without {field}"), &callback, &[-8, -1]).await;
    }
    let callback = run.prepare(&order).without("action");
    run.expect("a call without action", &callback, &[-8, -1, -3]).await;
    Ok(())
}

async fn missing_unsigned_field(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.shared_order().await?;
    for field in ["click_paydoc_id", "error", "error_note"] {
        let callback = run.prepare(&order).without(field);
        run.expect(format!("Prepare without {field}"), &callback, &[-8]).await;
    }
    Ok(())
}

async fn missing_in_complete(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let (_, complete) = run.prepared(&order).await?;
    for field in FIELDS {
        let is_signed = !["click_paydoc_id", "error", "error_note"].contains(&field);
        let expected: &[i64] = match field {
            "action" => &[-8, -1, -3],
            "merchant_prepare_id" => &[-8, -1, -6],
            _ if is_signed => &[-8, -1],
            _ => &[-8],
        };
        let callback = complete.clone().without(field);
        run.expect(format!("Complete without {field}"), &callback, expected).await;
    }
    run.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}

async fn empty_field(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.shared_order().await?;
    for field in FIELDS.into_iter().filter(|field| *field != "merchant_prepare_id") {
        let prepare = run.prepare(&order);
        let callback = if field == "sign_string" { prepare.signature("") } else { prepare.with(field, "") };
        let expected: &[i64] = match field {
            "action" => &[-8, -3],
            "sign_string" => &[-8, -1],
            // CLICK itself sends it empty where it has nothing to say.
            "error_note" => &[0, -8],
            _ => &[-8],
        };
        run.expect(format!("Prepare with an empty {field}"), &callback, expected).await;
    }
    Ok(())
}

async fn field_twice(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.shared_order().await?;
    for field in ["merchant_trans_id", "amount", "action", "error", "sign_string"] {
        let callback = run.prepare(&order).twice(field);
        run.expect(format!("Prepare with {field} twice, though equal"), &callback, &[-8]).await;
    }
    let callback = run.prepare(&order).followed_by("&amount=1");
    // Where the last value wins, the signature is wrong.
    run.expect("Prepare with another amount after the signed one", &callback, &[-8, -1]).await;
    Ok(())
}

async fn malformed(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.shared_order().await?;
    for (field, value) in [
        ("click_trans_id", "seven"),
        ("click_trans_id", "-1"),
        ("click_trans_id", "99999999999999999999"),
        ("click_trans_id", "1.5"),
        ("click_paydoc_id", "paper"),
        ("error", "none"),
        ("sign_time", "today"),
        ("sign_time", "2026-13-45 99:99:99x"),
    ] {
        let callback = run.prepare(&order).with(field, value);
        run.expect(format!("Prepare with {field}={value}"), &callback, &[-8]).await;
    }
    Ok(())
}

async fn unknown_action(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.shared_order().await?;
    for action in ["2", "3", "-1", "10"] {
        let callback = run.prepare(&order).with("action", action);
        run.expect(format!("action={action}"), &callback, &[-3]).await;
    }
    Ok(())
}

async fn unknown_fields(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let tail = "&param2=a&card_type=uzcard&%D0%B8%D0%BC%D1%8F=%D0%B8";
    let prepare = run.prepare(&order).followed_by(tail);
    let prepare_id = run.accepted("Prepare with further fields", &prepare).await?;
    let complete = prepare.into_complete(&prepare_id);
    run.expect("Complete with further fields", &complete, &[0]).await;
    Ok(())
}

async fn prepare_id_in_prepare(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let prepare = run.prepare(&order);
    let with_empty = prepare.clone().with("merchant_prepare_id", "");
    let prepare_id = run.accepted("Prepare with an empty merchant_prepare_id", &with_empty).await?;
    run.expect("its Complete", &prepare.into_complete(&prepare_id), &[0]).await;
    Ok(())
}
