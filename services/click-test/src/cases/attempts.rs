//! Which attempt of which order a Complete is for.

use crate::{
    case::{Case, Level, Needs, Outcome, script},
    play::{Play, REFUSED},
};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "attempts.unknown-order",
        level: Level::Must,
        needs: Needs::Nothing,
        title: "Prepare and Complete of an order that does not exist",
        why: "-5 is the code by which CLICK tells the payer that there is no such order",
        script: script!(unknown_order),
    },
    Case {
        id: "attempts.no-prepare",
        level: Level::Must,
        needs: Needs::Lent,
        title: "Complete of an order that was never prepared",
        why: "a merchant that does not check merchant_prepare_id gives goods for a payment it was never asked about",
        script: script!(no_prepare),
    },
    Case {
        id: "attempts.unknown-prepare-id",
        level: Level::Must,
        needs: Needs::Fresh(1),
        title: "Complete with a made-up merchant_prepare_id, then the genuine one",
        why: "merchant_prepare_id is what ties the payment to what was agreed; -6 is CLICK's code for a wrong one",
        script: script!(unknown_prepare_id),
    },
    Case {
        id: "attempts.odd-prepare-id",
        level: Level::Should,
        needs: Needs::Fresh(1),
        title: "the right merchant_prepare_id in other spellings, and text",
        why: "ids that are read loosely, or handed to a database as they come, are ways in",
        script: script!(odd_prepare_id),
    },
    Case {
        id: "attempts.other-orders-prepare-id",
        level: Level::Must,
        needs: Needs::Fresh(2),
        title: "Complete of one order with the merchant_prepare_id of another",
        why: "the attempt must belong to the order, or a cheap order's attempt pays a dear one",
        script: script!(other_orders_prepare_id),
    },
    Case {
        id: "attempts.other-trans-id",
        level: Level::Must,
        needs: Needs::Fresh(1),
        title: "Complete with another click_trans_id than its Prepare",
        why: "CLICK's desktop tester numbers every call anew: find the payment by merchant_prepare_id",
        script: script!(other_trans_id),
    },
    Case {
        id: "attempts.two",
        level: Level::Must,
        needs: Needs::Fresh(1),
        title: "two attempts of one order, both completed",
        why: "a payer with two open pages pays twice; only one attempt may be confirmed",
        script: script!(two),
    },
    Case {
        id: "attempts.trans-id-of-another-order",
        level: Level::Must,
        needs: Needs::Fresh(2),
        title: "one click_trans_id for two orders",
        why: "CLICK: the merchant must protect itself from carrying out one click_trans_id twice",
        script: script!(trans_id_of_another_order),
    },
    Case {
        id: "attempts.again-after-cancel",
        level: Level::Should,
        needs: Needs::Fresh(1),
        title: "a new attempt after a cancelled one",
        why: "a payer whose card was refused tries another: the order must stay payable",
        script: script!(again_after_cancel),
    },
];

async fn unknown_order(play: &mut Play<'_>) -> Outcome {
    let order = play.unknown_order();
    let prepare = play.prepare(&order);
    play.expect("Prepare of an unknown order", &prepare, &[-5]).await;
    let complete = prepare.into_complete("999999999");
    // The attempt is unknown too: either may be said.
    play.expect("Complete of an unknown order", &complete, &[-5, -6]).await;
    Ok(())
}

async fn no_prepare(play: &mut Play<'_>) -> Outcome {
    let order = play.lent().await?;
    for prepare_id in ["999999998", "1", &order.id] {
        let complete = play.prepare(&order).into_complete(prepare_id);
        play.expect(format!("Complete, merchant_prepare_id={prepare_id}, never prepared"), &complete, &[-6])
            .await;
    }
    Ok(())
}

async fn unknown_prepare_id(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let (_, complete) = play.prepared(&order).await?;
    for prepare_id in ["999999999", "982213547109"] {
        let callback = complete.clone().with("merchant_prepare_id", prepare_id);
        play.expect(format!("Complete, merchant_prepare_id={prepare_id}"), &callback, &[-6]).await;
    }
    play.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}

async fn odd_prepare_id(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let (_, complete) = play.prepared(&order).await?;
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
        // -1: the merchant signs the number that it has read. It is safe, though not what is wrong.
        play.expect(format!("Complete, merchant_prepare_id={odd:?}"), &callback, &[-6, -8, -1]).await;
    }
    play.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}

async fn other_orders_prepare_id(play: &mut Play<'_>) -> Outcome {
    let first = play.fresh().await?;
    let second = play.fresh().await?;
    let (_, first_complete) = play.prepared(&first).await?;
    let (_, second_complete) = play.prepared(&second).await?;
    let (first_id, second_id) =
        (first_complete.field("merchant_prepare_id"), second_complete.field("merchant_prepare_id"));
    play.check(
        "the two attempts",
        "two merchant_prepare_ids",
        format!("{first_id} and {second_id}"),
        first_id != second_id,
    );
    let crossed = first_complete.clone().with("merchant_prepare_id", second_id);
    play.expect("Complete of the first order with the second's attempt", &crossed, &[-6]).await;
    play.expect("the first order's own Complete", &first_complete, &[0]).await;
    play.expect("the second order's own Complete", &second_complete, &[0]).await;
    Ok(())
}

async fn other_trans_id(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let (_, complete) = play.prepared(&order).await?;
    let trans_id = play.new_trans_id();
    play.expect("Complete with a click_trans_id of its own", &complete.trans(trans_id), &[0]).await;
    Ok(())
}

async fn two(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let (_, first) = play.prepared(&order).await?;
    let second_prepare = play.prepare(&order);
    // A merchant may keep the order for the first attempt only.
    let expected: Vec<i64> = [0].iter().chain(REFUSED).copied().collect();
    let answer = play.expect("Prepare of a second attempt", &second_prepare, &expected).await;
    play.accepted_complete("Complete of the first", &first).await?;
    if let Some(prepare_id) = answer.prepare_id().filter(|_| answer.code() == Some(0)) {
        let second = second_prepare.into_complete(&prepare_id);
        play.expect("Complete of the second", &second, &[-4]).await;
        play.expect("Complete of the second, again", &second, &[-4]).await;
    }
    Ok(())
}

async fn trans_id_of_another_order(play: &mut Play<'_>) -> Outcome {
    let first = play.fresh().await?;
    let second = play.fresh().await?;
    let (prepare, _) = play.paid(&first).await?;
    let reused = play.prepare(&second).trans(prepare.field("click_trans_id").parse().unwrap_or_default());
    let expected: Vec<i64> = [0].iter().chain(REFUSED).copied().collect();
    let answer =
        play.expect("Prepare of another order with the paid click_trans_id", &reused, &expected).await;
    if let Some(prepare_id) = answer.prepare_id().filter(|_| answer.code() == Some(0)) {
        play.expect("its Complete", &reused.into_complete(&prepare_id), REFUSED).await;
    }
    Ok(())
}

async fn again_after_cancel(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let (_, complete) = play.prepared(&order).await?;
    play.expect("Complete, error=-5017", &complete.failed(-5017), &[-9]).await;
    let prepare = play.prepare(&order);
    let prepare_id = play.accepted("Prepare of a new attempt", &prepare).await?;
    play.expect("its Complete", &prepare.into_complete(&prepare_id), &[0]).await;
    Ok(())
}
