//! The same at the same time.

use crate::{
    answer::Answer,
    callback::Callback,
    case::{Case, Level, Needs, Outcome, script},
    play::{Play, count, tally},
};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "race.prepares",
        level: Level::Should,
        needs: Needs::Fresh(1),
        title: "many equal Prepares at once",
        why: "one attempt has one merchant_prepare_id, however often it is asked for",
        script: script!(prepares),
    },
    Case {
        id: "race.completes",
        level: Level::Must,
        needs: Needs::Fresh(2),
        title: "many equal Completes at once: one is accepted",
        why: "check-then-write without a lock fulfils the order two or three times",
        script: script!(completes),
    },
    Case {
        id: "race.two-attempts",
        level: Level::Must,
        needs: Needs::Fresh(2),
        title: "two attempts of one order completed at once: one is accepted",
        why: "a payer with two open pages is charged twice for one order",
        script: script!(two_attempts),
    },
    Case {
        id: "race.complete-and-cancel",
        level: Level::Must,
        needs: Needs::Fresh(3),
        title: "a Complete and a cancel at once: one wins, for good",
        why: "where both win, goods are given for a payment that is cancelled",
        script: script!(complete_and_cancel),
    },
    Case {
        id: "race.trans-id-of-two-orders",
        level: Level::Should,
        needs: Needs::Fresh(2),
        title: "one click_trans_id completes two orders at once: one is accepted",
        why: "one payment must not pay two orders",
        script: script!(trans_id_of_two_orders),
    },
];

async fn prepares(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let prepare = play.prepare(&order);
    let many = vec![prepare.clone(); play.stage.options.parallel];
    let answers = play.at_once(&many).await;
    let mut ids: Vec<String> = answers.iter().filter_map(Answer::prepare_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let accepted = count(&answers, 0);
    play.check(
        format!("{} equal Prepares at once", many.len()),
        "0 for all, one merchant_prepare_id",
        format!("{}; {} different ids", tally(&answers), ids.len()),
        accepted == many.len() && ids.len() == 1,
    );
    if let Some(id) = ids.first() {
        play.expect("its Complete", &prepare.into_complete(id), &[0]).await;
    }
    Ok(())
}

/// Sends all at once; exactly one may be accepted, the others must hear that it is paid.
async fn one_wins(play: &mut Play<'_>, what: String, callbacks: &[Callback], others: &[i64]) {
    let answers = play.at_once(callbacks).await;
    let lost: usize = others.iter().map(|code| count(&answers, *code)).sum();
    let won = count(&answers, 0);
    let names: Vec<String> = others.iter().map(ToString::to_string).collect();
    play.check(
        what,
        format!("0 ×1, {} ×{}", names.join(" or "), callbacks.len().saturating_sub(1)),
        tally(&answers),
        won == 1 && won + lost == callbacks.len(),
    );
}

async fn completes(play: &mut Play<'_>) -> Outcome {
    let parallel = play.stage.options.parallel;
    for numbered_anew in [false, true] {
        let order = play.fresh().await?;
        let (_, complete) = play.prepared(&order).await?;
        let mut many = Vec::new();
        for _ in 0..parallel {
            let trans_id = play.new_trans_id();
            many.push(if numbered_anew { complete.clone().trans(trans_id) } else { complete.clone() });
        }
        let numbers = if numbered_anew { ", each with a click_trans_id of its own" } else { "" };
        one_wins(play, format!("{parallel} Completes of one attempt at once{numbers}"), &many, &[-4]).await;
        play.expect("the Complete once more", &complete, &[-4]).await;
    }
    Ok(())
}

async fn two_attempts(play: &mut Play<'_>) -> Outcome {
    for _ in 0..2 {
        let order = play.fresh().await?;
        let (_, first) = play.prepared(&order).await?;
        let second_prepare = play.prepare(&order);
        let answer = play.expect("Prepare of a second attempt", &second_prepare, &[0, -4, -9, -8]).await;
        let Some(prepare_id) = answer.prepare_id().filter(|_| answer.code() == Some(0)) else {
            // The merchant keeps the order for the first attempt: there is no race to lose.
            play.expect("Complete of the first", &first, &[0]).await;
            continue;
        };
        let both = [first, second_prepare.into_complete(&prepare_id)];
        one_wins(play, "Completes of both attempts at once".to_owned(), &both, &[-4]).await;
    }
    Ok(())
}

async fn complete_and_cancel(play: &mut Play<'_>) -> Outcome {
    for round in 0..3 {
        let order = play.fresh().await?;
        let (_, complete) = play.prepared(&order).await?;
        let cancel = complete.clone().failed(-5017);
        let mut both = [complete.clone(), cancel];
        if round % 2 == 1 {
            both.reverse();
        }
        let mut answers = play.at_once(&both).await;
        if round % 2 == 1 {
            answers.reverse();
        }
        let [completed, cancelled] = answers.as_slice() else { continue };
        let got = format!("Complete {}, cancel {}", completed.summary(), cancelled.summary());
        let settled = match (completed.code(), cancelled.code()) {
            // On a paid attempt both tools of CLICK are satisfied by -9; -4 says the same.
            (Some(0), Some(-9 | -4)) => Some(-4),
            (Some(-9), Some(-9)) => Some(-9),
            _ => None,
        };
        play.check("a Complete and a cancel at once", "one of the two wins", got, settled.is_some());
        if let Some(later) = settled {
            play.expect("the Complete again agrees with it", &complete, &[later]).await;
        }
    }
    Ok(())
}

async fn trans_id_of_two_orders(play: &mut Play<'_>) -> Outcome {
    let trans_id = play.new_trans_id();
    let mut completes = Vec::new();
    for _ in 0..2 {
        let order = play.fresh().await?;
        let (_, complete) = play.prepared(&order).await?;
        completes.push(complete.trans(trans_id));
    }
    one_wins(play, "one click_trans_id for two orders at once".to_owned(), &completes, &[-4, -6, -8]).await;
    Ok(())
}
