//! Who may speak: only whoever knows the secret key.

use crate::{
    callback::Callback,
    case::{Case, Level, Needs, Outcome, script},
    play::{Play, REFUSED},
};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "signature.prepare",
        level: Level::Must,
        needs: Needs::Lent,
        title: "Prepare with a wrong signature, or fields changed after signing",
        why: "whoever can speak to the merchant without the key can reserve goods and learn which orders exist",
        script: script!(prepare),
    },
    Case {
        id: "signature.complete",
        level: Level::Must,
        needs: Needs::Fresh(1),
        title: "Complete with a wrong signature, or fields changed after signing",
        why: "an unsigned Complete that is accepted gives goods away for nothing",
        script: script!(complete),
    },
    Case {
        id: "signature.unsigned-cancel",
        level: Level::Must,
        needs: Needs::Fresh(1),
        title: "a badly signed cancel, then the genuine Complete",
        why: "anybody could cancel payments; CLICK's own PHP and Django samples have this fault",
        script: script!(unsigned_cancel),
    },
    Case {
        id: "signature.junk-does-not-block",
        level: Level::Must,
        needs: Needs::Fresh(1),
        title: "badly signed calls with the numbers of a genuine payment before it",
        why: "a guard against repetition that looks before the signature lets anybody block genuine payments",
        script: script!(junk_does_not_block),
    },
    Case {
        id: "signature.comes-first",
        level: Level::Should,
        needs: Needs::Lent,
        title: "badly signed calls that are wrong in another way too",
        why: "answers to strangers tell which orders exist, and what is read for them can be abused",
        script: script!(comes_first),
    },
    Case {
        id: "signature.other-service",
        level: Level::Should,
        needs: Needs::Lent,
        title: "well signed, for a service that is not this one",
        why: "several services may share a key: a payment to one must not pay an order of another",
        script: script!(other_service),
    },
    Case {
        id: "signature.field-borders",
        level: Level::Should,
        needs: Needs::Fresh(1),
        title: "a good signature with the border between order and prepare id moved",
        why: "the signed text has no separators: one signature fits several pairs of order and attempt",
        script: script!(field_borders),
    },
];

/// Signatures that are none: the callback's own one is replaced.
fn wrongly_signed(callback: &Callback) -> Vec<(&'static str, Callback)> {
    let signed = |text: &str| callback.clone().signature(text);
    vec![
        ("another MD5", callback.clone().badly_signed()),
        ("a signature that is no MD5", signed("0")),
        ("a signature of 32 other letters", signed("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz")),
        ("a signature in an SQL phrase", signed("' OR '1'='1")),
    ]
}

async fn prepare(play: &mut Play<'_>) -> Outcome {
    let order = play.lent().await?;
    let prepare = play.prepare(&order);
    for (what, callback) in wrongly_signed(&prepare) {
        play.expect(format!("Prepare, {what}"), &callback, &[-1]).await;
    }
    let other_trans_id = play.new_trans_id();
    let changed = [
        ("click_trans_id", other_trans_id.to_string()),
        ("amount", format!("{}1", prepare.field("amount"))),
        ("merchant_trans_id", play.unknown_order().id),
        ("sign_time", "2026-01-01 00:00:00".to_owned()),
    ];
    for (field, value) in changed {
        let callback = prepare.clone().tampered(field, value);
        // That the signature comes first is a case of its own.
        let expected: &[i64] = if field == "merchant_trans_id" { &[-1, -5] } else { &[-1] };
        play.expect(format!("Prepare, {field} changed after signing"), &callback, expected).await;
    }
    Ok(())
}

async fn complete(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let (_, complete) = play.prepared(&order).await?;
    for (what, callback) in wrongly_signed(&complete) {
        play.expect(format!("Complete, {what}"), &callback, &[-1]).await;
    }
    let prepare_signature = complete.clone().signed_over("merchant_prepare_id", "");
    play.expect("Complete, signed without merchant_prepare_id", &prepare_signature, &[-1]).await;
    let other_trans_id = play.new_trans_id();
    let changed = [
        ("click_trans_id", other_trans_id.to_string()),
        ("amount", format!("{}1", complete.field("amount"))),
        ("merchant_prepare_id", format!("{}1", complete.field("merchant_prepare_id"))),
        ("sign_time", "2026-01-01 00:00:00".to_owned()),
    ];
    for (field, value) in changed {
        let callback = complete.clone().tampered(field, value);
        let expected: &[i64] = if field == "merchant_prepare_id" { &[-1, -6] } else { &[-1] };
        play.expect(format!("Complete, {field} changed after signing"), &callback, expected).await;
    }
    play.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}

async fn unsigned_cancel(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let (_, complete) = play.prepared(&order).await?;
    for error in [-5017, -1] {
        let cancel = complete.clone().failed(error).badly_signed();
        play.expect(format!("Complete, error={error}, badly signed"), &cancel, &[-1]).await;
    }
    play.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}

async fn junk_does_not_block(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let prepare = play.prepare(&order);
    play.expect("Prepare, badly signed", &prepare.clone().badly_signed(), &[-1]).await;
    let prepare_id = play.accepted("the genuine Prepare of the same payment", &prepare).await?;
    let complete = prepare.into_complete(&prepare_id);
    for _ in 0..3 {
        play.expect("Complete, badly signed", &complete.clone().badly_signed(), &[-1]).await;
    }
    play.expect("the genuine Complete of the same payment", &complete, &[0]).await;
    Ok(())
}

async fn comes_first(play: &mut Play<'_>) -> Outcome {
    let order = play.lent().await?;
    let unknown = play.unknown_order();
    let prepare = play.prepare(&order).badly_signed();
    let cases = [
        ("Prepare of an unknown order", play.prepare(&unknown).badly_signed()),
        ("Prepare with another amount", prepare.clone().amount("1.11")),
        ("Prepare with error=-1", prepare.clone().failed(-1)),
        ("an unknown action", prepare.clone().with("action", "7")),
        ("Prepare of another service", prepare.clone().with("service_id", "1")),
        ("Complete of an unknown attempt", prepare.into_complete("999999999")),
    ];
    for (what, callback) in cases {
        play.expect(format!("{what}, badly signed"), &callback, &[-1]).await;
    }
    Ok(())
}

async fn other_service(play: &mut Play<'_>) -> Outcome {
    let order = play.lent().await?;
    let service_id = play.stage.options.service_id;
    for other in [service_id.saturating_add(1), 0] {
        let prepare = play.prepare(&order).with("service_id", other);
        // No code of CLICK's says it; a merchant that knows each service by its own key finds the signature wrong.
        play.expect(format!("Prepare with service_id={other}"), &prepare, &[-8, -1]).await;
    }
    Ok(())
}

async fn field_borders(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let (_, complete) = play.prepared(&order).await?;
    let prepare_id = complete.field("merchant_prepare_id").to_owned();
    let second = prepare_id.char_indices().nth(1).map(|(at, _)| at);
    if let Some((first, rest)) = second.map(|at| prepare_id.split_at(at)) {
        let moved = complete
            .clone()
            .with("merchant_trans_id", format!("{}{first}", order.id))
            .with("merchant_prepare_id", rest);
        play.expect("Complete, the prepare id's first digit moved to the order", &moved, REFUSED).await;
    }
    if let Some((at, last)) = order.id.char_indices().next_back().filter(|(at, _)| *at > 0) {
        let moved = complete
            .clone()
            .with("merchant_trans_id", &order.id[..at])
            .with("merchant_prepare_id", format!("{last}{prepare_id}"));
        play.expect("Complete, the order's last digit moved to the prepare id", &moved, REFUSED).await;
    }
    play.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}
