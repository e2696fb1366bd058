//! CLICK's own test tools, step by step (docs/click.md, 1.9).

use tolov_domain::Tiyin;

use crate::{
    case::{Case, Level, Needs, Outcome, script},
    orders::Order,
    play::Play,
};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "tools.postman",
        level: Level::Must,
        needs: Needs::Fresh(3),
        title: "the 15 requests of CLICK's Postman collection",
        why: "CLICK lets a merchant go live only when its own scenarios get the codes they expect",
        script: script!(postman),
    },
    Case {
        id: "tools.desktop",
        level: Level::Must,
        needs: Needs::Fresh(3),
        title: "the 15 scenarios of CLICK's desktop tester",
        why: "the report of this tool is what CLICK registers a merchant by; it numbers every call anew",
        script: script!(desktop),
    },
];

/// What one step sends.
#[derive(Debug, Clone, Copy)]
enum Ask {
    PrepareUnknownOrder,
    Prepare,
    PrepareBadlySigned,
    Complete,
    CompleteBadlySigned,
    CompleteOtherAmount,
    CompleteWithPrepareId(&'static str),
    CompleteWithError(i64),
}

/// Which order (both tools begin anew at groups 9 and 12), what is asked, and the code that the tool wants to see.
type Step = (usize, Ask, i64);

const POSTMAN: [Step; 15] = [
    (0, Ask::PrepareBadlySigned, -1),
    (0, Ask::PrepareUnknownOrder, -5),
    (0, Ask::Prepare, 0),
    (0, Ask::CompleteBadlySigned, -1),
    (0, Ask::CompleteOtherAmount, -2),
    (0, Ask::Complete, 0),
    (0, Ask::Complete, -4),
    (0, Ask::CompleteWithError(-5017), -9),
    (1, Ask::Prepare, 0),
    (1, Ask::CompleteWithPrepareId("999999999"), -6),
    (1, Ask::Complete, 0),
    (2, Ask::Prepare, 0),
    (2, Ask::CompleteWithError(-5017), -9),
    (2, Ask::CompleteWithError(-5017), -9),
    (2, Ask::Complete, -9),
];

const DESKTOP: [Step; 15] = [
    (0, Ask::PrepareBadlySigned, -1),
    (0, Ask::Prepare, 0),
    (0, Ask::CompleteBadlySigned, -1),
    (0, Ask::CompleteOtherAmount, -2),
    (0, Ask::Complete, 0),
    (0, Ask::Complete, -4),
    (0, Ask::CompleteWithError(-1), -4),
    (0, Ask::PrepareUnknownOrder, -5),
    (1, Ask::Prepare, 0),
    (1, Ask::CompleteWithPrepareId("982213547109"), -6),
    (1, Ask::Complete, 0),
    (2, Ask::Prepare, 0),
    (2, Ask::CompleteWithError(-5017), -9),
    (2, Ask::CompleteWithError(-5017), -9),
    (2, Ask::Complete, -9),
];

impl Ask {
    fn name(self) -> String {
        match self {
            Self::PrepareUnknownOrder => "Prepare of an unknown order".to_owned(),
            Self::Prepare => "Prepare".to_owned(),
            Self::PrepareBadlySigned => "Prepare, badly signed".to_owned(),
            Self::Complete => "Complete".to_owned(),
            Self::CompleteBadlySigned => "Complete, badly signed".to_owned(),
            Self::CompleteOtherAmount => "Complete, one so'm less".to_owned(),
            Self::CompleteWithPrepareId(id) => format!("Complete, merchant_prepare_id={id}"),
            Self::CompleteWithError(error) => format!("Complete, error={error}"),
        }
    }
}

/// One so'm less, or half where there is not that much.
fn other_amount(order: &Order) -> String {
    let less = Tiyin::from_soum(1).and_then(|one| order.amount.checked_sub(one));
    less.unwrap_or(Tiyin::ZERO).soum_text()
}

async fn postman(play: &mut Play<'_>) -> Outcome {
    suite(play, &POSTMAN, false).await
}

async fn desktop(play: &mut Play<'_>) -> Outcome {
    suite(play, &DESKTOP, true).await
}

/// `as_desktop`: a Complete has another `click_trans_id` than its Prepare, and a Prepare an empty, unsigned
/// `merchant_prepare_id`.
async fn suite(play: &mut Play<'_>, steps: &[Step], as_desktop: bool) -> Outcome {
    let orders = [play.fresh().await?, play.fresh().await?, play.fresh().await?];
    let mut prepare_id = "0".to_owned();
    let mut trans_ids = [play.new_trans_id(), play.new_trans_id(), play.new_trans_id()];
    for (number, (order, ask, expected)) in steps.iter().enumerate() {
        if as_desktop {
            trans_ids[*order] = play.new_trans_id();
        }
        let is_unknown = matches!(ask, Ask::PrepareUnknownOrder);
        let chosen = if is_unknown { play.unknown_order() } else { orders[*order].clone() };
        let prepare = play.prepare(&chosen).trans(trans_ids[*order]);
        let complete = prepare.clone().into_complete(&prepare_id);
        let callback = match ask {
            Ask::Prepare => prepare,
            // A number of its own: the order's first attempt is the next step's.
            Ask::PrepareUnknownOrder => prepare.trans(play.new_trans_id()),
            Ask::PrepareBadlySigned => prepare.badly_signed(),
            Ask::Complete => complete,
            Ask::CompleteBadlySigned => complete.badly_signed(),
            Ask::CompleteOtherAmount => complete.amount(other_amount(&orders[*order])),
            Ask::CompleteWithPrepareId(id) => complete.with("merchant_prepare_id", id),
            Ask::CompleteWithError(error) => complete.failed(*error),
        };
        let is_prepare = matches!(ask, Ask::Prepare | Ask::PrepareBadlySigned | Ask::PrepareUnknownOrder);
        let callback =
            if as_desktop && is_prepare { callback.with("merchant_prepare_id", "") } else { callback };
        let what = format!("request {}: {}", number + 1, ask.name());
        let answer = play.expect(what, &callback, &[*expected]).await;
        if is_prepare && let Some(id) = answer.prepare_id() {
            prepare_id = id;
        }
    }
    Ok(())
}
