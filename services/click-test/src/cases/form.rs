//! What a call must consist of.

use tolov_click::form::FIELDS;

use crate::{
    case::{Case, Level, Needs, Outcome, script},
    play::Play,
};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "form.missing-field",
        level: Level::Must,
        needs: Needs::Lent,
        title: "Prepare without a signed field, or without the signature",
        why: "-8 is CLICK's code for 'not all parameters passed'; a crash or a framework's 422 is no answer to CLICK",
        script: script!(missing_field),
    },
    Case {
        id: "form.missing-unsigned-field",
        level: Level::Should,
        needs: Needs::Lent,
        title: "Prepare without click_paydoc_id, error or error_note",
        why: "`error` says whether money was taken: a call without it must not be read as a success",
        script: script!(missing_unsigned_field),
    },
    Case {
        id: "form.missing-in-complete",
        level: Level::Should,
        needs: Needs::Fresh(1),
        title: "Complete without each of its fields, then the genuine one",
        why: "a Complete without `error` or without the attempt must not pay",
        script: script!(missing_in_complete),
    },
    Case {
        id: "form.empty-field",
        level: Level::Should,
        needs: Needs::Lent,
        title: "Prepare with an empty field",
        why: "an empty value that turns into 0 or null slips through checks written for missing ones",
        script: script!(empty_field),
    },
    Case {
        id: "form.field-twice",
        level: Level::Should,
        needs: Needs::Lent,
        title: "Prepare with a field given twice",
        why: "frameworks differ in which value wins: one may be checked and the other used",
        script: script!(field_twice),
    },
    Case {
        id: "form.malformed",
        level: Level::Should,
        needs: Needs::Lent,
        title: "well signed numbers and times that are none",
        why: "a value that cannot be read must be refused with -8, not crash the handler",
        script: script!(malformed),
    },
    Case {
        id: "form.unknown-action",
        level: Level::Must,
        needs: Needs::Lent,
        title: "an action that is neither 0 nor 1",
        why: "-3 is CLICK's code for it; taking everything that is not Prepare for a Complete pays by mistake",
        script: script!(unknown_action),
    },
    Case {
        id: "form.unknown-fields",
        level: Level::Should,
        needs: Needs::Fresh(1),
        title: "fields that CLICK has not documented",
        why: "CLICK may add fields at any time; a strict parser would stop all payments that day",
        script: script!(unknown_fields),
    },
    Case {
        id: "form.prepare-id-in-prepare",
        level: Level::Must,
        needs: Needs::Fresh(1),
        title: "Prepare with an empty merchant_prepare_id, as CLICK's desktop tester sends it",
        why: "it is not part of a Prepare's signature: signing it fails the tester",
        script: script!(prepare_id_in_prepare),
    },
];

async fn missing_field(play: &mut Play<'_>) -> Outcome {
    let order = play.lent().await?;
    for field in ["click_trans_id", "service_id", "merchant_trans_id", "amount", "sign_time", "sign_string"] {
        let callback = play.prepare(&order).without(field);
        // Without a signed field the signature is wrong too: either check may come first.
        play.expect(format!("Prepare without {field}"), &callback, &[-8, -1]).await;
    }
    let callback = play.prepare(&order).without("action");
    play.expect("a call without action", &callback, &[-8, -1, -3]).await;
    Ok(())
}

async fn missing_unsigned_field(play: &mut Play<'_>) -> Outcome {
    let order = play.lent().await?;
    for field in ["click_paydoc_id", "error", "error_note"] {
        let callback = play.prepare(&order).without(field);
        play.expect(format!("Prepare without {field}"), &callback, &[-8]).await;
    }
    Ok(())
}

async fn missing_in_complete(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let (_, complete) = play.prepared(&order).await?;
    for field in FIELDS {
        let is_signed = !["click_paydoc_id", "error", "error_note"].contains(&field);
        let expected: &[i64] = match field {
            "action" => &[-8, -1, -3],
            "merchant_prepare_id" => &[-8, -1, -6],
            _ if is_signed => &[-8, -1],
            _ => &[-8],
        };
        let callback = complete.clone().without(field);
        play.expect(format!("Complete without {field}"), &callback, expected).await;
    }
    play.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}

async fn empty_field(play: &mut Play<'_>) -> Outcome {
    let order = play.lent().await?;
    for field in FIELDS.into_iter().filter(|field| *field != "merchant_prepare_id") {
        let prepare = play.prepare(&order);
        let callback = if field == "sign_string" { prepare.signature("") } else { prepare.with(field, "") };
        let expected: &[i64] = match field {
            "action" => &[-8, -3],
            "sign_string" => &[-8, -1],
            // CLICK itself sends it empty where it has nothing to say.
            "error_note" => &[0, -8],
            _ => &[-8],
        };
        play.expect(format!("Prepare with an empty {field}"), &callback, expected).await;
    }
    Ok(())
}

async fn field_twice(play: &mut Play<'_>) -> Outcome {
    let order = play.lent().await?;
    for field in ["merchant_trans_id", "amount", "action", "error", "sign_string"] {
        let callback = play.prepare(&order).twice(field);
        play.expect(format!("Prepare with {field} twice, though equal"), &callback, &[-8]).await;
    }
    let callback = play.prepare(&order).followed_by("&amount=1");
    // Where the last value wins, the signature is wrong.
    play.expect("Prepare with another amount after the signed one", &callback, &[-8, -1]).await;
    Ok(())
}

async fn malformed(play: &mut Play<'_>) -> Outcome {
    let order = play.lent().await?;
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
        let callback = play.prepare(&order).with(field, value);
        play.expect(format!("Prepare with {field}={value}"), &callback, &[-8]).await;
    }
    Ok(())
}

async fn unknown_action(play: &mut Play<'_>) -> Outcome {
    let order = play.lent().await?;
    for action in ["2", "3", "-1", "10"] {
        let callback = play.prepare(&order).with("action", action);
        play.expect(format!("action={action}"), &callback, &[-3]).await;
    }
    Ok(())
}

async fn unknown_fields(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let tail = "&param2=a&card_type=uzcard&%D0%B8%D0%BC%D1%8F=%D0%B8";
    let prepare = play.prepare(&order).followed_by(tail);
    let prepare_id = play.accepted("Prepare with further fields", &prepare).await?;
    let complete = prepare.into_complete(&prepare_id);
    play.expect("Complete with further fields", &complete, &[0]).await;
    Ok(())
}

async fn prepare_id_in_prepare(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let prepare = play.prepare(&order);
    let with_empty = prepare.clone().with("merchant_prepare_id", "");
    let prepare_id = play.accepted("Prepare with an empty merchant_prepare_id", &with_empty).await?;
    play.expect("its Complete", &prepare.into_complete(&prepare_id), &[0]).await;
    Ok(())
}
