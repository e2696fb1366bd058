//! Numbers and bodies at their limits.

use crate::{
    case::{Case, Level, Needs, Outcome, script},
    play::{Play, REFUSED},
};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "limits.bigint",
        level: Level::Must,
        needs: Needs::Fresh(1),
        title: "click_trans_id and click_paydoc_id above 32 bits",
        why: "both are bigint, and CLICK's live numbers have passed 2^31: a 32-bit column stops all payments",
        script: script!(bigint),
    },
    Case {
        id: "limits.largest-ids",
        level: Level::Should,
        needs: Needs::Fresh(1),
        title: "ids near the end of 64 bits, echoed exactly",
        why: "a number that passes through a float comes back changed, and CLICK cannot match the answer",
        script: script!(largest_ids),
    },
    Case {
        id: "limits.large-body",
        level: Level::Should,
        needs: Needs::Lent,
        title: "a body of 1 MiB is refused, and the next call is answered",
        why: "a callback is below 1 KiB: a server that takes anything can be filled by anybody",
        script: script!(large_body),
    },
];

async fn bigint(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    // New numbers are above 2^32 by themselves; this one is what a production user saw.
    let prepare = play.prepare(&order).with("click_paydoc_id", 3_647_911_201_i64);
    let prepare_id = play.accepted("Prepare with a click_trans_id above 2^32", &prepare).await?;
    play.expect("its Complete", &prepare.into_complete(&prepare_id), &[0]).await;
    Ok(())
}

async fn largest_ids(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    // As far below the limit as the run's own numbers are above 0: no two runs use the same one.
    let trans_id = i64::MAX.saturating_sub(play.new_trans_id());
    let prepare = play.prepare(&order).trans(trans_id).with("click_paydoc_id", i64::MAX);
    let answer = play.expect(format!("Prepare, click_trans_id={trans_id}"), &prepare, &[0]).await;
    let echo = answer.field("click_trans_id").unwrap_or_else(|| "none".to_owned());
    let same = echo == trans_id.to_string();
    play.check("the click_trans_id of the answer", trans_id.to_string(), echo, same);
    if let Some(prepare_id) = answer.prepare_id() {
        play.expect("its Complete", &prepare.into_complete(&prepare_id), &[0]).await;
    }
    Ok(())
}

async fn large_body(play: &mut Play<'_>) -> Outcome {
    let order = play.lent().await?;
    let large = play.prepare(&order).followed_by(format!("&param2={}", "x".repeat(1024 * 1024)));
    let (answer, _) = play.stage.merchant.send(&large).await;
    // HTTP 413, a closed connection or -8: all say no. Only an acceptance is wrong.
    play.check("Prepare with 1 MiB more", "anything but 0", answer.summary(), answer.code() != Some(0));
    let next = play.prepare(&order).badly_signed();
    play.expect("the next call, badly signed", &next, REFUSED).await;
    Ok(())
}
