//! Orders in the private chat: by stage, found by a number, and each with all that happened to it.

use tolov_domain::{
    Language, OrderId, Phone,
    order::{HistoryEntry, Order},
    ports::documents::{Collection, Query},
    time::Timestamp,
};
use tolov_shop::{
    fulfilment::{By, Deed, Fulfilment, Stage, fulfilment},
    records,
    staff::{self, Right, StaffAction},
};

use crate::{
    conversation::{
        callback::StaffCallback,
        context::Ctx,
        dialogue::{StaffStep, Step},
        error::{HandlerError, HandlerResult},
        link::Link,
        screen::{Button, Screen},
    },
    orders::order_lines::phone,
    staff::{
        orders::order_text::{deed_rows, history_line, map_row, order_html, stage_label},
        panel::{back, pager},
        people::{journal_texts, names::Names},
    },
    texts::{Html, date_time, l, money, t},
};

const PAGE: u32 = 8;
/// What happened to one order; more than that nobody reads on a phone.
const HISTORY_MAX: usize = 40;

/// The stages with how many orders are there: first what is to do.
const SHELVES: [Stage; 9] = [
    Stage::Paid,
    Stage::Preparing,
    Stage::Ready,
    Stage::OnTheWay,
    Stage::Waiting,
    Stage::Delivered,
    Stage::Cancelled,
    Stage::Expired,
    Stage::Refunded,
];

pub(crate) async fn overview(ctx: Ctx) -> HandlerResult {
    ctx.expect(Step::Idle).await?;
    let mut buttons = Vec::new();
    for stage in SHELVES {
        let count = ctx.documents().count(&in_stage(stage)).await?;
        let label =
            l!(ctx.language, "staff-orders-stage", stage = stage_label(ctx.language, stage), count = count);
        buttons.push(Button::callback(label, StaffCallback::OrdersIn { stage, page: 0 }));
    }
    let screen = Screen::new(t!(ctx.language, "staff-orders-title"))
        .rows(buttons.chunks(2).map(<[Button]>::to_vec))
        .row([Button::callback(l!(ctx.language, "staff-orders-find"), StaffCallback::FindOrder)])
        .row(back(ctx.language));
    ctx.show(screen).await
}

/// One stage: what is to do comes oldest first, the rest newest first.
pub(crate) async fn in_one_stage(ctx: Ctx, (stage, page): (Stage, u32)) -> HandlerResult {
    let query = in_stage(stage);
    let query = if stage.is_in_work() { query } else { query.newest_first() };
    let (found, count) = one_page(&ctx, query, page).await?;
    let title = t!(ctx.language, "staff-orders-in", stage = stage_label(ctx.language, stage), count = count);
    let rows = found.iter().map(|order| vec![row_of(ctx.language, order, false)]).collect();
    let turn = |page| StaffCallback::OrdersIn { stage, page }.into();
    show_list(&ctx, title, rows, pager(page, pages(count), turn)).await
}

pub(crate) async fn of_phone(ctx: Ctx, (digits, page): (i64, u32)) -> HandlerResult {
    let number = format!("+{digits}");
    let query = Query::is(Collection::Fulfilments, "phone", number.as_str(), PAGE).newest_first();
    let (found, count) = one_page(&ctx, query, page).await?;
    let title = t!(ctx.language, "staff-orders-of", phone = phone(&number), count = count);
    let rows = found.iter().map(|order| vec![row_of(ctx.language, order, true)]).collect();
    let turn = |page| StaffCallback::OrdersByPhone { phone: digits, page }.into();
    show_list(&ctx, title, rows, pager(page, pages(count), turn)).await
}

pub(crate) async fn ask_what_to_find(ctx: Ctx) -> HandlerResult {
    ctx.expect(Step::Staff(StaffStep::FindOrder)).await?;
    ctx.show(ask_screen(ctx.language, None)).await
}

fn ask_screen(language: Language, wrong: Option<String>) -> Screen {
    let question = t!(language, "staff-orders-ask");
    Screen::new(wrong.map_or(question.clone(), |wrong| format!("{wrong}\n\n{question}")))
        .row([Button::callback(l!(language, "staff-orders-back"), StaffCallback::Orders)])
}

/// What was typed: an order's number, a phone, or a payment's number. The next text is looked for too.
pub(crate) async fn find(ctx: Ctx) -> HandlerResult {
    let Some(text) = ctx.text().map(str::to_owned) else {
        let wrong = t!(ctx.language, "staff-orders-no-text");
        return ctx.show(ask_screen(ctx.language, Some(wrong))).await;
    };
    let mut found = Vec::new();
    if let Some(number) = number_in(&text) {
        if let Ok(id) = OrderId::try_new(number) {
            found.extend(fulfilment(ctx.documents(), id).await?);
        }
        let paid = Query::is(Collection::Fulfilments, "click_paydoc_id", number, PAGE).newest_first();
        let paid: Vec<Fulfilment> = records::find(ctx.documents(), &paid).await?;
        found.extend(paid.into_iter().filter(|order| order.id.get() != number));
    }
    if found.is_empty()
        && let Ok(phone) = Phone::parse(&text)
    {
        let of_phone = Query::is(Collection::Fulfilments, "phone", phone.as_str(), 1);
        if ctx.documents().count(&of_phone).await? > 0
            && let Ok(digits) = phone.as_str().trim_start_matches('+').parse()
        {
            return self::of_phone(ctx, (digits, 0)).await;
        }
    }
    match found.as_slice() {
        [] => {
            let shown: String = text.chars().take(40).collect();
            let screen = Screen::new(t!(ctx.language, "staff-orders-not-found", text = shown))
                .row([Button::callback(l!(ctx.language, "staff-orders-back"), StaffCallback::Orders)]);
            ctx.show(screen).await
        }
        [order] => show_card(&ctx, order).await,
        several => {
            let rows = several.iter().map(|order| vec![row_of(ctx.language, order, true)]).collect();
            show_list(&ctx, t!(ctx.language, "staff-orders-found"), rows, Vec::new()).await
        }
    }
}

/// The order of a post's link, where the person may see orders. To everybody else it is a link like any.
#[expect(clippy::needless_pass_by_value, reason = "the tree hands out values")]
pub(crate) fn linked(ctx: Ctx, payload: String) -> Option<OrderId> {
    match Link::parse(&payload) {
        Some(Link::Order(id)) if ctx.may(Right::SeeOrders) => Some(id),
        Some(Link::Order(_) | Link::Product(_) | Link::Referral(_)) | None => None,
    }
}

/// `/start order_1024`.
pub(crate) async fn open_by_link(ctx: Ctx, id: OrderId) -> HandlerResult {
    match fulfilment(ctx.documents(), id).await? {
        Some(order) => show_card(&ctx, &order).await,
        None => ctx.reply(t!(ctx.language, "staff-orders-gone", order = id)).await,
    }
}

/// Everything about an order, with what can be done to it.
pub(crate) async fn show_card(ctx: &Ctx, order: &Fulfilment) -> HandlerResult {
    let language = ctx.language;
    let actions = staff::actions_on(ctx.documents(), order.id).await?;
    // The projection may be behind, or know the order not yet.
    let known = ctx.shop().order(order.id).await?;
    let staff = actions.iter().map(|action| action.staff_id);
    let mentioned = order.timeline.iter().filter_map(|entry| match entry.by {
        By::Staff(id) => Some(id),
        By::Shopper | By::Click | By::Clock => None,
    });
    let names = Names::read(ctx.documents(), mentioned.chain(staff).chain([order.user_id])).await?;
    let history = full_history(language, order, &actions, known.as_ref(), &names);
    let screen = Screen::new(order_html(language, order, &names, &history))
        .row(map_row(language, &order.delivery))
        .rows(deed_rows(language, order))
        .row([Button::callback(l!(language, "staff-orders-back"), StaffCallback::Orders)]);
    ctx.show(screen).await
}

/// The order's own timeline, what else staff did to it, and what else its payment did, oldest first.
fn full_history(
    language: Language,
    order: &Fulfilment,
    actions: &[StaffAction],
    known: Option<&Order>,
    names: &Names,
) -> Vec<String> {
    let mut lines: Vec<(Timestamp, String)> = Vec::new();
    for entry in &order.timeline {
        lines.push((entry.at, history_line(language, entry, names, &date_time(entry.at))));
    }
    for action in actions.iter().filter(|action| !action.what.starts_with("order.")) {
        let line = t!(
            language,
            "staff-history-note",
            time = date_time(action.at),
            what = journal_texts::deed_name(language, &action.what),
            detail = journal_texts::detail(language, action, names),
            who = Html(names.link(action.staff_id))
        );
        lines.push((action.at, line));
    }
    for event in known.iter().flat_map(|order| &order.history).filter(|event| !is_told(order, event)) {
        let what = journal_texts::event_name(language, &event.what);
        let line = t!(language, "staff-history", time = date_time(event.at), what = what);
        lines.push((event.at, line));
    }
    lines.sort_by_key(|(at, _)| *at);
    let newest = lines.split_off(lines.len().saturating_sub(HISTORY_MAX));
    let title = t!(language, "staff-history-title");
    [title].into_iter().chain(newest.into_iter().map(|(_, line)| line)).collect()
}

/// Whether the timeline says it already.
fn is_told(order: &Fulfilment, event: &HistoryEntry) -> bool {
    let deed = match event.what.as_str() {
        "payment.completed" => Deed::Paid,
        "order.expired" => Deed::Expired,
        _ => return false,
    };
    let is_it = |told: Deed| told == deed || (deed == Deed::Expired && told == Deed::Cancelled);
    order.timeline.iter().any(|entry| is_it(entry.deed))
}

/// `№1 024`, `#1024`, `1024`.
fn number_in(text: &str) -> Option<i64> {
    let digits: String = text
        .trim()
        .trim_start_matches(['№', '#'])
        .chars()
        .filter(|character| !matches!(character, ' ' | '\u{a0}'))
        .collect();
    digits.parse().ok().filter(|number| *number > 0)
}

fn in_stage(stage: Stage) -> Query {
    Query::is(Collection::Fulfilments, "stage", stage.as_str(), PAGE)
}

async fn one_page(ctx: &Ctx, query: Query, page: u32) -> Result<(Vec<Fulfilment>, u64), HandlerError> {
    let count = ctx.documents().count(&query).await?;
    let found = records::find(ctx.documents(), &query.skip(page.saturating_mul(PAGE))).await?;
    Ok((found, count))
}

fn row_of(language: Language, order: &Fulfilment, with_stage: bool) -> Button {
    let sum = money(language, order.total);
    let label = if with_stage {
        let stage = stage_label(language, order.stage);
        l!(language, "staff-orders-row-stage", order = order.id, stage = stage, sum = sum)
    } else {
        let time = date_time(order.paid_at.unwrap_or(order.placed_at));
        l!(language, "staff-orders-row", order = order.id, sum = sum, time = time)
    };
    Button::callback(label, StaffCallback::Order { id: order.id })
}

fn pages(count: u64) -> u32 {
    u32::try_from(count.div_ceil(u64::from(PAGE))).unwrap_or(u32::MAX)
}

async fn show_list(ctx: &Ctx, title: String, rows: Vec<Vec<Button>>, pager: Vec<Button>) -> HandlerResult {
    let html =
        if rows.is_empty() { format!("{title}\n\n{}", t!(ctx.language, "staff-orders-none")) } else { title };
    let back = Button::callback(l!(ctx.language, "staff-orders-back"), StaffCallback::Orders);
    ctx.show(Screen::new(html).rows(rows).row(pager).row([back])).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_orders_number_is_read_as_people_write_it() {
        for text in ["1024", "№1024", " # 1024", "1 024"] {
            assert_eq!(number_in(text), Some(1024), "{text}");
        }
        for text in ["", "0", "-5", "salom", "№"] {
            assert_eq!(number_in(text), None, "{text}");
        }
    }
}
