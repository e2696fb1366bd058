//! Refunds in words: where each stands, what CLICK allows, and the buttons of what an owner can do.

use tolov_domain::{
    Language, OrderedProduct, Tiyin, UserId,
    refund::{
        AllowedReason, ManualReason, Refund, RefundState, UndecidedState,
        api::{Conflict, OrderRefunds},
    },
};
use tolov_shop::order::ShopOrder;

use crate::{
    conversation::{
        callback::{RefundDecision, StaffCallback},
        screen::{Button, Screen},
    },
    staff::{
        orders::refund::{NO_DOCUMENT, Plan, price_of},
        people::names::Names,
    },
    texts::{Html, amount, date_time, l, money, t},
};

/// So many lines can be chosen from: Telegram takes 100 buttons.
const LINES_MAX: usize = 90;
/// The latest refunds; an order rarely has more than two.
const SHOWN_MAX: usize = 10;

/// Who asked for a refund, where that was a person in the bot.
pub(super) fn requester(refund: &Refund) -> Option<UserId> {
    UserId::parse(&refund.requested_by).ok()
}

pub(super) fn refund_screen(
    language: Language,
    order: &ShopOrder,
    known: &OrderRefunds,
    names: &Names,
) -> Screen {
    let id = order.id;
    let mut lines = vec![
        t!(language, "refund-title", order = id),
        t!(language, "refund-paid", sum = money(language, known.paid_tiyin)),
    ];
    if known.refunded_tiyin > Tiyin::ZERO {
        lines.push(t!(language, "refund-given-back", sum = money(language, known.refunded_tiyin)));
    }
    let skipped = known.refunds.len().saturating_sub(SHOWN_MAX);
    for refund in known.refunds.iter().skip(skipped) {
        lines.push(String::new());
        lines.extend(refund_lines(language, refund, names));
    }
    let mut rows = Vec::new();
    if let Some(open) = &known.open {
        rows.extend(decision_rows(language, open));
        rows.push(vec![Button::callback(l!(language, "refund-update"), StaffCallback::Refund { id })]);
    } else {
        lines.push(String::new());
        lines.push(allowed_text(language, known));
        if !matches!(known.allowed.reason, AllowedReason::NotPaid | AllowedReason::NothingLeft) {
            let restock = restocks(order);
            let whole = StaffCallback::RefundAsk { id, part: false, restock };
            rows.push(vec![Button::callback(l!(language, "refund-whole"), whole)]);
            rows.push(vec![Button::callback(l!(language, "refund-part"), StaffCallback::RefundLines { id })]);
        }
    }
    let back = Button::callback(l!(language, "refund-back"), StaffCallback::Order { id });
    Screen::new(lines.join("\n")).rows(rows).row([back])
}

fn refund_lines(language: Language, refund: &Refund, names: &Names) -> Vec<String> {
    let who = requester(refund).map_or_else(|| refund.requested_by.clone(), |id| names.plain(id));
    let sum = money(language, refund.amount_tiyin);
    let time = date_time(refund.requested_at);
    vec![t!(language, "refund-line", sum = sum, who = who, time = time), state_text(language, refund)]
}

/// Where a refund stands.
fn state_text(language: Language, refund: &Refund) -> String {
    match &refund.state {
        RefundState::Requested | RefundState::Checked { .. } => t!(language, "refund-state-requested"),
        RefundState::Sending { .. } => t!(language, "refund-state-sending"),
        RefundState::Unknown { .. } if refund.next_step_at.is_some() => {
            t!(language, "refund-state-asking")
        }
        RefundState::Unknown { .. } => t!(language, "refund-state-unknown"),
        RefundState::Refused { click_code, click_note, .. } => {
            t!(language, "refund-state-refused", code = click_code.to_string(), note = click_note)
        }
        RefundState::Manual { why, .. } => {
            t!(language, "refund-state-manual", why = Html(why_by_hand(language, *why)))
        }
        RefundState::Done { .. } => {
            t!(language, "refund-state-done", time = date_time(refund.changed_at))
        }
        RefundState::DoneByHand { document, .. } => {
            let time = date_time(refund.changed_at);
            let document = if document == NO_DOCUMENT {
                l!(language, "refund-without-number")
            } else {
                document.clone()
            };
            t!(language, "refund-state-done-by-hand", time = time, document = document)
        }
        RefundState::Withdrawn { .. } => t!(language, "refund-state-withdrawn"),
    }
}

pub(crate) fn why_by_hand(language: Language, why: ManualReason) -> String {
    match why {
        ManualReason::OutsideMonth => t!(language, "refund-why-outside-month"),
        ManualReason::PartialByHand => t!(language, "refund-why-part"),
        ManualReason::MerchantApiOff => t!(language, "refund-why-off"),
        ManualReason::PaidInTelegram => t!(language, "refund-why-telegram"),
        ManualReason::PaymentNotFound => t!(language, "refund-why-not-found"),
        ManualReason::LooksReversed => t!(language, "refund-why-looks-reversed"),
        ManualReason::LedgerRestored => t!(language, "refund-why-ledger-restored"),
    }
}

/// What CLICK allows now.
fn allowed_text(language: Language, known: &OrderRefunds) -> String {
    match known.allowed.reason {
        AllowedReason::Ok => {
            let until = known.allowed.until.map(date_time).unwrap_or_default();
            t!(language, "refund-allowed", until = until)
        }
        AllowedReason::NotPaid => t!(language, "refund-not-paid"),
        AllowedReason::NothingLeft => t!(language, "refund-nothing-left"),
        AllowedReason::RefundOpen => t!(language, "refund-is-open"),
        AllowedReason::OutsideMonth => why_by_hand(language, ManualReason::OutsideMonth),
        AllowedReason::PartialByHand => why_by_hand(language, ManualReason::PartialByHand),
        AllowedReason::MerchantApiOff => why_by_hand(language, ManualReason::MerchantApiOff),
        AllowedReason::PaidInTelegram => why_by_hand(language, ManualReason::PaidInTelegram),
    }
}

/// Why a request or a decision was not taken.
pub(super) fn conflict_text(language: Language, conflict: &Conflict) -> String {
    match conflict.reason.as_str() {
        "not_paid" => l!(language, "refund-not-paid"),
        "nothing_left" => l!(language, "refund-nothing-left"),
        "refund_open" | "other_request" => l!(language, "refund-by-somebody"),
        _ => l!(language, "refund-state-changed"),
    }
}

/// What a person can decide about an open refund.
fn decision_rows(language: Language, refund: &Refund) -> Vec<Vec<Button>> {
    let (id, refund_id) = (refund.order_id, refund.refund_id);
    let button = |label: String, decision| {
        vec![Button::callback(label, StaffCallback::RefundDecide { id, refund_id, decision })]
    };
    let is_before_sending = matches!(refund.state, RefundState::Requested | RefundState::Checked { .. });
    let waits = refund.undecided().is_some();
    let mut rows = Vec::new();
    if waits {
        rows.push(button(l!(language, "refund-by-hand"), RefundDecision::ByHand));
        let may_be_sent = !matches!(
            refund.state,
            RefundState::Manual {
                why: ManualReason::PartialByHand
                    | ManualReason::MerchantApiOff
                    | ManualReason::PaidInTelegram,
                ..
            }
        );
        if may_be_sent {
            rows.push(button(l!(language, "refund-send-again"), RefundDecision::Retry));
        }
    }
    if waits || is_before_sending {
        rows.push(button(l!(language, "refund-withdraw"), RefundDecision::Withdraw));
    }
    rows
}

/// The question before a decision.
pub(super) fn decision_question(language: Language, refund: &Refund, decision: RefundDecision) -> Screen {
    let (id, refund_id, sum) = (refund.order_id, refund.refund_id, money(language, refund.amount_tiyin));
    let (question, yes) = match decision {
        RefundDecision::ByHand => {
            (t!(language, "refund-ask-by-hand", order = id, sum = sum), l!(language, "refund-no-document"))
        }
        RefundDecision::Retry => {
            (t!(language, "refund-ask-retry", order = id, sum = sum), l!(language, "refund-sure-retry"))
        }
        RefundDecision::Withdraw => {
            (t!(language, "refund-ask-withdraw", order = id, sum = sum), l!(language, "refund-sure-withdraw"))
        }
    };
    let yes = Button::callback(yes, StaffCallback::RefundDecided { id, refund_id, decision });
    let no = Button::callback(l!(language, "action-not-sure"), StaffCallback::Refund { id });
    Screen::new(question).row([yes]).row([no])
}

/// The lines of an order, with how many of each go back.
pub(super) fn choice_screen(language: Language, order: &ShopOrder, chosen: &[OrderedProduct]) -> Screen {
    let id = order.id;
    let lines = order.lines.iter().filter(|line| line.price.is_some() && order.kept_of(line) > 0);
    let mut rows: Vec<Vec<Button>> = Vec::new();
    for line in lines.take(LINES_MAX) {
        let is_it = |product: &&OrderedProduct| product.product_id == line.product_id;
        let (all, count) =
            (order.kept_of(line), chosen.iter().find(is_it).map_or(0, |product| product.count));
        let next = if count >= all { 0 } else { count.saturating_add(1) };
        let mark = if count > 0 { "☑️" } else { "◻️" };
        let counts = match line.portion {
            Some(portion) => {
                format!("{} / {}", amount(language, portion, count), amount(language, portion, all))
            }
            None => format!("{count}/{all}"),
        };
        let label = format!("{mark} {counts} · {}", line.title);
        let callback = StaffCallback::RefundCount { id, product_id: line.product_id, count: next };
        rows.push(vec![Button::callback(label, callback)]);
    }
    let mut html = t!(language, "refund-choose", order = id);
    let sum = price_of(order, chosen).filter(|sum| *sum > Tiyin::ZERO);
    if let Some(sum) = sum {
        html = format!("{html}\n\n{}", t!(language, "refund-chosen", sum = money(language, sum)));
        let ask = StaffCallback::RefundAsk { id, part: true, restock: restocks(order) };
        rows.push(vec![Button::callback(l!(language, "refund-continue"), ask)]);
    }
    let back = Button::callback(l!(language, "refund-back"), StaffCallback::Refund { id });
    Screen::new(html).rows(rows).row([back])
}

/// Whether the goods of a refund are likely to be sold again: the shopper does not have them.
fn restocks(order: &ShopOrder) -> bool {
    order.stage() != tolov_shop::order::Stage::Delivered
}

/// What would happen, with the question whether it shall.
pub(super) fn plan_screen(
    language: Language,
    order: &ShopOrder,
    known: &OrderRefunds,
    plan: &Plan,
    restock: bool,
) -> Screen {
    let (id, part) = (order.id, plan.is_part);
    let sum = money(language, plan.sum);
    let is_whole_payment = plan.sum == known.paid_tiyin;
    let how = match known.allowed.reason {
        AllowedReason::Ok if is_whole_payment => t!(language, "refund-through-click"),
        AllowedReason::Ok => why_by_hand(language, ManualReason::PartialByHand),
        AllowedReason::NotPaid
        | AllowedReason::NothingLeft
        | AllowedReason::RefundOpen
        | AllowedReason::OutsideMonth
        | AllowedReason::PartialByHand
        | AllowedReason::MerchantApiOff
        | AllowedReason::PaidInTelegram => allowed_text(language, known),
    };
    let mut html = vec![t!(language, "refund-ask", order = id, sum = sum), String::new(), how];
    let seen = u32::try_from(known.refunds.len()).unwrap_or(u32::MAX);
    let confirmed = StaffCallback::RefundConfirmed { id, part, restock, sum: plan.sum.get(), seen };
    let yes = Button::callback(l!(language, "refund-sure", sum = sum), confirmed);
    let mut rows = vec![vec![yes]];
    // The goods of a cancelled order are in stock again.
    if !order.stage().is_over() && !plan.goods.is_empty() {
        let (text, label) = if restock {
            (t!(language, "refund-goods-return"), l!(language, "refund-keep-goods"))
        } else {
            (t!(language, "refund-goods-stay"), l!(language, "refund-return-goods"))
        };
        html.push(text);
        rows.push(vec![Button::callback(label, StaffCallback::RefundAsk { id, part, restock: !restock })]);
    }
    let no = Button::callback(l!(language, "action-not-sure"), StaffCallback::Refund { id });
    Screen::new(html.join("\n")).rows(rows).row([no])
}

/// What staff have to do about a refund that waits for a person.
pub(crate) fn undecided_text(
    language: Language,
    state: UndecidedState,
    why: Option<ManualReason>,
    click: (Option<i64>, Option<&str>),
) -> String {
    match (state, why) {
        (UndecidedState::Refused, _) => {
            let (code, note) = (click.0.map(|code| code.to_string()), click.1.unwrap_or("–"));
            t!(language, "refund-state-refused", code = code.unwrap_or_default(), note = note)
        }
        (UndecidedState::Manual, Some(why)) => {
            t!(language, "refund-state-manual", why = Html(why_by_hand(language, why)))
        }
        (UndecidedState::Manual, None) | (UndecidedState::Unknown, _) => t!(language, "refund-state-unknown"),
    }
}
