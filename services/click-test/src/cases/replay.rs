//! The same call again: CLICK repeats what it got no answer to, and a stranger what he overheard.

use crate::{
    case::{Case, Level, Needs, Outcome, script},
    play::{Play, REFUSED},
};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "replay.prepare",
        level: Level::Should,
        needs: Needs::Fresh(1),
        title: "the same Prepare three times, then its Complete",
        why: "CLICK repeats a Prepare whose answer was lost; the same attempt has one merchant_prepare_id",
        script: script!(prepare),
    },
    Case {
        id: "replay.complete",
        level: Level::Must,
        needs: Needs::Fresh(1),
        title: "the same Complete again and again",
        why: "CLICK repeats a Complete whose answer was lost: goods must be given once, and -4 settles it",
        script: script!(complete),
    },
    Case {
        id: "replay.prepare-after-paid",
        level: Level::Must,
        needs: Needs::Fresh(1),
        title: "the Prepare again after its payment is confirmed",
        why: "it comes when CLICK got no answer to a Complete; 'Already paid' settles the payment",
        script: script!(prepare_after_paid),
    },
    Case {
        id: "replay.new-attempt-after-paid",
        level: Level::Must,
        needs: Needs::Fresh(1),
        title: "a new payment of an order that is paid",
        why: "whoever opens the pay link again must not be charged again",
        script: script!(new_attempt_after_paid),
    },
    Case {
        id: "replay.cancelled",
        level: Level::Must,
        needs: Needs::Fresh(1),
        title: "Complete with error=0 of an attempt that was cancelled",
        why: "a cancelled payment that can be confirmed gives goods for money that went back",
        script: script!(cancelled),
    },
];

async fn prepare(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let prepare = play.prepare(&order);
    let first = play.accepted("Prepare", &prepare).await?;
    for _ in 0..2 {
        let again = play.accepted("the same Prepare", &prepare).await?;
        let same = again == first;
        play.check("its merchant_prepare_id", format!("{first} again"), again, same);
    }
    play.expect("its Complete", &prepare.into_complete(&first), &[0]).await;
    Ok(())
}

async fn complete(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let (_, complete) = play.paid(&order).await?;
    for _ in 0..2 {
        play.expect("the same Complete", &complete, &[-4]).await;
    }
    let trans_id = play.new_trans_id();
    play.expect("the Complete with another click_trans_id", &complete.trans(trans_id), &[-4]).await;
    Ok(())
}

async fn prepare_after_paid(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let (prepare, _) = play.paid(&order).await?;
    play.expect("the same Prepare after the Complete", &prepare, &[-4]).await;
    Ok(())
}

async fn new_attempt_after_paid(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    play.paid(&order).await?;
    let second = play.prepare(&order);
    let answer = play.expect("Prepare of a new attempt on a paid order", &second, &[-4, -5, -9]).await;
    if let Some(prepare_id) = answer.prepare_id().filter(|_| answer.code() == Some(0)) {
        play.expect("its Complete", &second.into_complete(&prepare_id), REFUSED).await;
    }
    Ok(())
}

async fn cancelled(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let (_, complete) = play.prepared(&order).await?;
    play.expect("Complete, error=-5017", &complete.clone().failed(-5017), &[-9]).await;
    play.expect("Complete, error=0", &complete, &[-9]).await;
    let trans_id = play.new_trans_id();
    play.expect("Complete, error=0, another click_trans_id", &complete.trans(trans_id), &[-9]).await;
    Ok(())
}
