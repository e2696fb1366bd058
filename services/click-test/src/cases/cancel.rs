//! `error` below 0: CLICK or the payer gave up.

use crate::{
    case::{Case, Level, Needs, Outcome, script},
    play::Play,
};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "cancel.any-error",
        level: Level::Must,
        needs: Needs::Fresh(3),
        title: "Complete with error=-1, -5014 and -999999",
        why: "CLICK has more failures than -5017: one that is taken for a success marks an unpaid order paid",
        script: script!(any_error),
    },
    Case {
        id: "cancel.in-prepare",
        level: Level::Must,
        needs: Needs::Lent,
        title: "Prepare with error below 0",
        why: "-9 is the answer to any incoming error; nothing may be reserved for it",
        script: script!(in_prepare),
    },
    Case {
        id: "cancel.paid",
        level: Level::Must,
        needs: Needs::Fresh(1),
        title: "a cancel of what is paid: error=-1, then error=-5017",
        why: "CLICK's tools expect -4 and -9 here; neither says that the money went back",
        script: script!(paid),
    },
    Case {
        id: "cancel.paid-stays-paid",
        level: Level::Should,
        needs: Needs::Fresh(1),
        title: "after a cancel of what is paid: Complete and Prepare again",
        why: "`error` is not signed: one altered call must not reopen, or cancel, a paid order",
        script: script!(paid_stays_paid),
    },
    Case {
        id: "cancel.unknown-attempt",
        level: Level::Should,
        needs: Needs::Fresh(1),
        title: "a cancel with a made-up merchant_prepare_id",
        why: "it must not cancel the attempt that is under way",
        script: script!(unknown_attempt),
    },
];

async fn any_error(play: &mut Play<'_>) -> Outcome {
    for error in [-1, -5014, -999_999] {
        let order = play.fresh().await?;
        let (_, complete) = play.prepared(&order).await?;
        play.expect(format!("Complete, error={error}"), &complete.clone().failed(error), &[-9]).await;
        play.expect("then error=0", &complete, &[-9]).await;
    }
    Ok(())
}

async fn in_prepare(play: &mut Play<'_>) -> Outcome {
    let order = play.lent().await?;
    for error in [-1, -5017] {
        let prepare = play.prepare(&order).failed(error);
        play.expect(format!("Prepare, error={error}"), &prepare, &[-9]).await;
    }
    Ok(())
}

async fn paid(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let (_, complete) = play.paid(&order).await?;
    play.expect("Complete, error=-1", &complete.clone().failed(-1), &[-4]).await;
    play.expect("Complete, error=-5017", &complete.failed(-5017), &[-9]).await;
    Ok(())
}

async fn paid_stays_paid(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let (_, complete) = play.paid(&order).await?;
    play.expect("Complete, error=-5017", &complete.clone().failed(-5017), &[-9, -4]).await;
    play.expect("the Complete again", &complete, &[-4]).await;
    let prepare = play.prepare(&order);
    play.expect("Prepare of a new attempt", &prepare, &[-4]).await;
    Ok(())
}

async fn unknown_attempt(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let (_, complete) = play.prepared(&order).await?;
    let cancel = complete.clone().with("merchant_prepare_id", "999999997").failed(-5017);
    play.expect("Complete, error=-5017, merchant_prepare_id=999999997", &cancel, &[-6, -9]).await;
    play.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}
