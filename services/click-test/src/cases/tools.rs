//! CLICK's own test tools, step by step (docs/click.md, 1.9).

use tolov_domain::Tiyin;

use crate::{
    case::{Case, CaseResult, CaseRun, Needs, script},
    order::Order,
};

pub(super) const CASES: &[Case] = &[
    Case::must("tools.postman", Needs::FreshOrders(3), script!(postman))
        .title("the 15 requests of CLICK's Postman collection")
        .why("CLICK lets a merchant go live only when these requests get the expected codes"),
    Case::must("tools.desktop", Needs::FreshOrders(3), script!(desktop))
        .title("the 15 scenarios of CLICK's desktop tester")
        .why("CLICK registers a merchant by the report of this tool; it uses a new click_trans_id for every call"),
];

#[derive(Debug, Clone, Copy)]
enum Request {
    PrepareUnknownOrder,
    Prepare,
    PrepareBadlySigned,
    Complete,
    CompleteBadlySigned,
    CompleteOtherAmount,
    CompleteWithPrepareId(&'static str),
    CompleteWithError(i64),
}

/// The order (both tools take a new one at requests 9 and 12), the request, and the code that the tool expects.
type Step = (usize, Request, i64);

const POSTMAN: [Step; 15] = [
    (0, Request::PrepareBadlySigned, -1),
    (0, Request::PrepareUnknownOrder, -5),
    (0, Request::Prepare, 0),
    (0, Request::CompleteBadlySigned, -1),
    (0, Request::CompleteOtherAmount, -2),
    (0, Request::Complete, 0),
    (0, Request::Complete, -4),
    (0, Request::CompleteWithError(-5017), -9),
    (1, Request::Prepare, 0),
    (1, Request::CompleteWithPrepareId("999999999"), -6),
    (1, Request::Complete, 0),
    (2, Request::Prepare, 0),
    (2, Request::CompleteWithError(-5017), -9),
    (2, Request::CompleteWithError(-5017), -9),
    (2, Request::Complete, -9),
];

const DESKTOP: [Step; 15] = [
    (0, Request::PrepareBadlySigned, -1),
    (0, Request::Prepare, 0),
    (0, Request::CompleteBadlySigned, -1),
    (0, Request::CompleteOtherAmount, -2),
    (0, Request::Complete, 0),
    (0, Request::Complete, -4),
    (0, Request::CompleteWithError(-1), -4),
    (0, Request::PrepareUnknownOrder, -5),
    (1, Request::Prepare, 0),
    (1, Request::CompleteWithPrepareId("982213547109"), -6),
    (1, Request::Complete, 0),
    (2, Request::Prepare, 0),
    (2, Request::CompleteWithError(-5017), -9),
    (2, Request::CompleteWithError(-5017), -9),
    (2, Request::Complete, -9),
];

impl Request {
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

/// One so'm less, or nothing where the amount is below that.
fn other_amount(order: &Order) -> String {
    let less = Tiyin::from_soum(1).and_then(|one| order.amount.checked_sub(one));
    less.unwrap_or(Tiyin::ZERO).soum_text()
}

async fn postman(run: &mut CaseRun<'_>) -> CaseResult {
    suite(run, &POSTMAN, false).await
}

async fn desktop(run: &mut CaseRun<'_>) -> CaseResult {
    suite(run, &DESKTOP, true).await
}

/// `as_desktop`: every call has a new `click_trans_id`, and a Prepare an empty, unsigned `merchant_prepare_id`.
async fn suite(run: &mut CaseRun<'_>, steps: &[Step], as_desktop: bool) -> CaseResult {
    let orders = [run.fresh_order().await?, run.fresh_order().await?, run.fresh_order().await?];
    let mut prepare_id = "0".to_owned();
    let mut trans_ids = [run.new_trans_id(), run.new_trans_id(), run.new_trans_id()];
    for (number, (order, request, expected)) in steps.iter().enumerate() {
        if as_desktop {
            trans_ids[*order] = run.new_trans_id();
        }
        let is_unknown = matches!(request, Request::PrepareUnknownOrder);
        let chosen = if is_unknown { run.unknown_order() } else { orders[*order].clone() };
        let prepare = run.prepare(&chosen).with_trans_id(trans_ids[*order]);
        let complete = prepare.clone().into_complete(&prepare_id);
        let callback = match request {
            Request::Prepare => prepare,
            // The order's own number belongs to its first genuine Prepare.
            Request::PrepareUnknownOrder => prepare.with_trans_id(run.new_trans_id()),
            Request::PrepareBadlySigned => prepare.badly_signed(),
            Request::Complete => complete,
            Request::CompleteBadlySigned => complete.badly_signed(),
            Request::CompleteOtherAmount => complete.with_amount(other_amount(&orders[*order])),
            Request::CompleteWithPrepareId(id) => complete.with("merchant_prepare_id", id),
            Request::CompleteWithError(error) => complete.failed(*error),
        };
        let is_prepare =
            matches!(request, Request::Prepare | Request::PrepareBadlySigned | Request::PrepareUnknownOrder);
        let callback =
            if as_desktop && is_prepare { callback.with("merchant_prepare_id", "") } else { callback };
        let what = format!("request {}: {}", number + 1, request.name());
        let answer = run.expect(what, &callback, &[*expected]).await;
        if is_prepare && let Some(id) = answer.prepare_id() {
            prepare_id = id;
        }
    }
    Ok(())
}
