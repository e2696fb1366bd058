//! An owner gives money back: the whole of an order or lines of it, through CLICK where that is possible, else by hand. The
//! ledger decides and keeps every state; what is shown is read from it at each tap.

use tolov_domain::{
    OrderId, OrderedProduct, ProductId, RefundId, Tiyin,
    refund::{
        Decision, Refund, RefundStatus,
        api::{OrderRefunds, RefundRequest},
    },
};
use tolov_shop::{
    order::{self, ShopOrder},
    staff::{self, Action, RefundChange},
};

use crate::{
    conversation::{
        callback::{RefundDecision, StaffCallback},
        context::Ctx,
        dialogue::{StaffStep, Step},
        error::{HandlerError, HandlerResult},
        screen::Button,
    },
    orders::refund_client::RefundReply,
    staff::{
        orders::{
            actions::{screen_language, show},
            refund_text::{
                choice_screen, conflict_text, decision_question, plan_screen, refund_screen, requester,
            },
        },
        people::names::Names,
    },
    texts::{l, t},
};

/// What the ledger keeps as the evidence where the owner names none.
pub(super) const NO_DOCUMENT: &str = "confirmed by an owner in the bot";
const DOCUMENT_MAX_CHARS: usize = 500;

/// What would go back, as it is shown before the owner confirms it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) is_part: bool,
    pub(super) sum: Tiyin,
    /// What goes back into stock, if the owner wants that.
    pub(super) goods: Vec<OrderedProduct>,
}

/// The refunds of an order, and what can be done. Also "No, go back".
pub(crate) async fn open(ctx: Ctx, id: OrderId) -> HandlerResult {
    stop_waiting(&ctx, id);
    let Some(order) = order::order(ctx.documents(), id).await? else { return ctx.stale().await };
    show_refunds(&ctx, &order).await
}

async fn show_refunds(ctx: &Ctx, order: &ShopOrder) -> HandlerResult {
    let language = screen_language(ctx);
    let Some(known) = ctx.deps.ledger.refunds(order.id).await? else {
        return ctx.alert(l!(ctx.language, "refund-order-unknown", order = order.id)).await;
    };
    let names = Names::read(ctx.documents(), known.refunds.iter().filter_map(requester)).await?;
    show(ctx, order, refund_screen(language, order, &known, &names)).await
}

/// Which lines go back.
pub(crate) async fn choose(ctx: Ctx, id: OrderId) -> HandlerResult {
    ctx.wait_for(StaffStep::RefundLines { order_id: id, returned: Vec::new() });
    show_choice(&ctx, id).await
}

/// So many pieces of a line go back.
pub(crate) async fn count(ctx: Ctx, (id, product_id, count): (OrderId, ProductId, u32)) -> HandlerResult {
    let mut returned = chosen(&ctx, id);
    returned.retain(|product| product.product_id != product_id);
    if count > 0 {
        returned.push(OrderedProduct { product_id, count });
    }
    ctx.wait_for(StaffStep::RefundLines { order_id: id, returned });
    show_choice(&ctx, id).await
}

async fn show_choice(ctx: &Ctx, id: OrderId) -> HandlerResult {
    let Some(order) = order::order(ctx.documents(), id).await? else { return ctx.stale().await };
    let screen = choice_screen(screen_language(ctx), &order, &chosen(ctx, id));
    show(ctx, &order, screen).await
}

/// The lines that the person has chosen, as far as the bot still waits for them.
fn chosen(ctx: &Ctx, id: OrderId) -> Vec<OrderedProduct> {
    if let Step::Staff(StaffStep::RefundLines { order_id, returned }) = ctx.step()
        && order_id == id
    {
        return returned;
    }
    Vec::new()
}

/// Shows what would happen, and asks whether it shall.
pub(crate) async fn ask(ctx: Ctx, (id, is_part, restock): (OrderId, bool, bool)) -> HandlerResult {
    let Some(order) = order::order(ctx.documents(), id).await? else { return ctx.stale().await };
    let Some(known) = ctx.deps.ledger.refunds(id).await? else { return show_refunds(&ctx, &order).await };
    if known.open.is_some() {
        return show_refunds(&ctx, &order).await;
    }
    let Some(plan) = plan(&order, &known, is_part, &chosen(&ctx, id)) else {
        return ctx.toast(l!(ctx.language, "refund-nothing-chosen")).await;
    };
    show(&ctx, &order, plan_screen(screen_language(&ctx), &order, &known, &plan, restock)).await
}

/// `None`: nothing would go back.
fn plan(order: &ShopOrder, known: &OrderRefunds, is_part: bool, chosen: &[OrderedProduct]) -> Option<Plan> {
    let left = known.paid_tiyin.checked_sub(known.refunded_tiyin).ok()?;
    let (sum, goods) = if is_part {
        let goods: Vec<OrderedProduct> =
            order.lines.iter().filter_map(|line| kept(order, line, chosen)).collect();
        (price_of(order, &goods)?.min(left), goods)
    } else {
        let kept =
            order.lines.iter().map(|line| OrderedProduct { count: order.kept_of(line), ..line.product() });
        (left, kept.filter(|product| product.count > 0).collect())
    };
    (sum > Tiyin::ZERO).then_some(Plan { is_part, sum, goods })
}

/// As much of a line as was chosen and has not gone back.
fn kept(
    order: &ShopOrder,
    line: &tolov_domain::order::OrderLine,
    chosen: &[OrderedProduct],
) -> Option<OrderedProduct> {
    let wanted = chosen.iter().find(|product| product.product_id == line.product_id)?;
    let count = wanted.count.min(order.kept_of(line));
    (count > 0).then_some(OrderedProduct { count, ..*wanted })
}

/// What was paid for these goods: their price less their share of the discount, which is rounded up.
pub(super) fn price_of(order: &ShopOrder, goods: &[OrderedProduct]) -> Option<Tiyin> {
    let mut price = Tiyin::ZERO;
    for product in goods {
        let line = order.lines.iter().find(|line| line.product_id == product.product_id)?;
        price = price.checked_add(line.price?.checked_times(product.count).ok()?).ok()?;
    }
    let (all, discount) =
        order.terms.as_ref().map_or((0, 0), |terms| (terms.goods.get(), terms.discount.get()));
    if all == 0 {
        return Some(price);
    }
    let share = i128::from(discount) * i128::from(price.get());
    let share = (share + i128::from(all) - 1) / i128::from(all);
    Tiyin::try_new(price.get().checked_sub(i64::try_from(share).ok()?)?).ok()
}

/// The owner is sure. `seen`: how many refunds the order had when the question was shown.
pub(crate) async fn confirm(
    ctx: Ctx,
    (id, is_part, restock, sum, seen): (OrderId, bool, bool, i64, u32),
) -> HandlerResult {
    let Some(order) = order::order(ctx.documents(), id).await? else { return ctx.stale().await };
    let Some(known) = ctx.deps.ledger.refunds(id).await? else { return show_refunds(&ctx, &order).await };
    // One number for one decision, whoever confirms it and however often: the ledger takes it once.
    let request_id = format!("bot:{id}:{seen}");
    if let Some(refund) = known.refunds.get(usize::try_from(seen).unwrap_or(usize::MAX)) {
        return was_requested(&ctx, &order, refund).await;
    }
    let plan = plan(&order, &known, is_part, &chosen(&ctx, id)).filter(|plan| plan.sum.get() == sum);
    let Some(plan) = plan else {
        ctx.alert(l!(ctx.language, "refund-changed")).await?;
        return show_refunds(&ctx, &order).await;
    };
    let request = RefundRequest {
        request_id,
        amount_tiyin: Some(plan.sum),
        returned: if restock { plan.goods } else { Vec::new() },
        requested_by: ctx.id().to_string(),
        reason: String::new(),
        by_hand: None,
    };
    match ctx.deps.ledger.request_refund(id, &request).await? {
        RefundReply::Recorded(refund) => was_requested(&ctx, &order, &refund).await,
        RefundReply::Conflict(conflict) => {
            ctx.alert(conflict_text(ctx.language, &conflict)).await?;
            show_refunds(&ctx, &order).await
        }
    }
}

/// The ledger has the refund: by this tap, by one before it, or by somebody else's.
async fn was_requested(ctx: &Ctx, order: &ShopOrder, refund: &Refund) -> HandlerResult {
    if requester(refund) == Some(ctx.id()) {
        ctx.toast(l!(ctx.language, "refund-requested", order = order.id)).await?;
        journal(ctx, refund, RefundChange::Requested).await?;
    } else {
        ctx.alert(l!(ctx.language, "refund-by-somebody")).await?;
    }
    stop_waiting(ctx, order.id);
    show_refunds(ctx, order).await
}

/// Whatever else the person was doing goes on: the tap may have come from the channel.
fn stop_waiting(ctx: &Ctx, id: OrderId) {
    if let Step::Staff(StaffStep::RefundLines { order_id, .. } | StaffStep::RefundDocument { order_id, .. }) =
        ctx.step()
        && order_id == id
    {
        ctx.wait_for(Step::Idle);
    }
}

/// Enters into the journal what is not there yet.
async fn journal(ctx: &Ctx, refund: &Refund, change: RefundChange) -> Result<(), HandlerError> {
    let (order_id, refund_id, sum) = (refund.order_id, refund.refund_id, refund.amount_tiyin);
    let action = Action::Refund { order_id, refund_id, sum, change };
    let is_retry = change == RefundChange::SentAgain;
    let entries = staff::actions_on(ctx.documents(), order_id).await?;
    if is_retry || entries.iter().all(|entry| entry.action != action) {
        staff::record(ctx.documents(), ctx.id(), ctx.now(), action).await?;
    }
    Ok(())
}

/// A person has to decide about a refund: the question before it is done.
pub(crate) async fn ask_decision(
    ctx: Ctx,
    (id, refund_id, decision): (OrderId, RefundId, RefundDecision),
) -> HandlerResult {
    // The question that is asked now takes the place of the one before.
    stop_waiting(&ctx, id);
    let Some(order) = order::order(ctx.documents(), id).await? else { return ctx.stale().await };
    let known = ctx.deps.ledger.refunds(id).await?;
    let open = known.and_then(|known| known.open).filter(|refund| refund.refund_id == refund_id);
    let Some(refund) = open else {
        ctx.stale().await?;
        return show_refunds(&ctx, &order).await;
    };
    let mut question = decision_question(screen_language(&ctx), &refund, decision);
    if decision == RefundDecision::ByHand {
        question.html = format!("{}\n\n{}", question.html, ask_document(&ctx, &refund));
    }
    show(&ctx, &order, question).await
}

/// Waits for what proves that the money was given back by hand, and says where to write it. A tap in the channel takes
/// nothing away from what the person is writing in private: else an answer to a shopper would be the proof.
fn ask_document(ctx: &Ctx, refund: &Refund) -> String {
    let language = screen_language(ctx);
    let is_elsewhere = ctx.is_tap_elsewhere();
    if is_elsewhere && !matches!(ctx.step(), Step::Idle | Step::Search) {
        return t!(language, "refund-document-later");
    }
    ctx.wait_for(StaffStep::RefundDocument { order_id: refund.order_id, refund_id: refund.refund_id });
    if is_elsewhere {
        t!(language, "refund-ask-document-in-chat")
    } else {
        t!(language, "refund-ask-document")
    }
}

pub(crate) async fn decide(
    ctx: Ctx,
    (id, refund_id, decision): (OrderId, RefundId, RefundDecision),
) -> HandlerResult {
    let decision = match decision {
        RefundDecision::ByHand => Decision::ByHand { document: NO_DOCUMENT.to_owned() },
        RefundDecision::Retry => Decision::Retry,
        RefundDecision::Withdraw => Decision::Withdraw,
    };
    carry_out(&ctx, id, refund_id, decision).await
}

/// What proves that the money was given back by hand.
pub(crate) async fn take_document(ctx: Ctx, (id, refund_id): (OrderId, RefundId)) -> HandlerResult {
    let document: String = ctx.text().unwrap_or_default().trim().chars().take(DOCUMENT_MAX_CHARS).collect();
    if document.is_empty() {
        return ctx.reply(t!(ctx.language, "refund-ask-document")).await;
    }
    carry_out(&ctx, id, refund_id, Decision::ByHand { document }).await
}

async fn carry_out(ctx: &Ctx, id: OrderId, refund_id: RefundId, decision: Decision) -> HandlerResult {
    let Some(order) = order::order(ctx.documents(), id).await? else { return ctx.stale().await };
    let change = match decision {
        Decision::ByHand { .. } => RefundChange::ByHand,
        Decision::Retry => RefundChange::SentAgain,
        Decision::Withdraw => RefundChange::Withdrawn,
    };
    match ctx.deps.ledger.decide_refund(refund_id, decision, ctx.id().to_string()).await? {
        RefundReply::Recorded(refund) => {
            ctx.toast(l!(ctx.language, "refund-decided", order = id)).await?;
            journal(ctx, &refund, change).await?;
        }
        RefundReply::Conflict(conflict) => ctx.alert(conflict_text(ctx.language, &conflict)).await?,
    }
    stop_waiting(ctx, id);
    show_refunds(ctx, &order).await
}

/// Whether the money of an order can be recorded as given back by hand: not while a reversal is under way. Where it cannot,
/// the person is told.
pub(super) async fn may_record_by_hand(ctx: &Ctx, order: &ShopOrder) -> Result<bool, HandlerError> {
    let known = ctx.deps.ledger.refunds(order.id).await?;
    let Some(open) = known.and_then(|known| known.open) else { return Ok(true) };
    let is_before_sending = matches!(open.status(), RefundStatus::Requested | RefundStatus::Checked);
    if is_before_sending || open.undecided().is_some() {
        return Ok(true);
    }
    ctx.alert(l!(ctx.language, "refund-is-open")).await?;
    Ok(false)
}

/// The ledger records what is left of an order's money as given back by hand, the open refund too.
pub(super) async fn record_by_hand(ctx: &Ctx, order: &ShopOrder) -> Result<(), HandlerError> {
    /// The open refund, the rest, and one more look.
    const ROUNDS: u32 = 3;
    let (ledger, by) = (&ctx.deps.ledger, ctx.id().to_string());
    for _ in 0..ROUNDS {
        // An order of another ledger: the shop's own record is all that there is.
        let Some(known) = ledger.refunds(order.id).await? else { return Ok(()) };
        if known.open.is_none() && known.paid_tiyin == known.refunded_tiyin {
            return Ok(());
        }
        let request = RefundRequest {
            request_id: format!("bot:{}:{}", order.id, known.refunds.len()),
            amount_tiyin: None,
            returned: Vec::new(),
            requested_by: by.clone(),
            reason: String::new(),
            by_hand: Some(NO_DOCUMENT.to_owned()),
        };
        // The reconciler sends nothing once this is recorded, and this is not taken once it sends.
        let decided = match known.open {
            Some(open) => {
                let decision = Decision::ByHand { document: NO_DOCUMENT.to_owned() };
                ledger.decide_refund(open.refund_id, decision, by.clone()).await?
            }
            None => ledger.request_refund(order.id, &request).await?,
        };
        if let RefundReply::Conflict(conflict) = decided {
            ctx.alert(conflict_text(ctx.language, &conflict)).await?;
            return Ok(());
        }
    }
    Ok(())
}

/// Under the news that a refund waits for a person.
pub(crate) fn decide_row(language: tolov_domain::Language, id: OrderId) -> [Button; 1] {
    [Button::callback(l!(language, "refund-open"), StaffCallback::Refund { id })]
}
