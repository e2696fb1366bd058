//! Orders in the private chat: by stage, found by a number, and each with its history.

use tolov_domain::{ClickPaydocId, Language, OrderId, Phone, ports::documents::Query};
use tolov_shop::{
    order::{ShopOrder, Stage, order, orders_paid_by, query_in, query_with_phone},
    records,
    staff::Right,
};

use crate::{
    conversation::{
        callback::StaffCallback,
        context::Ctx,
        dialogue::{StaffStep, Step},
        error::{HandlerError, HandlerResult},
        link::Link,
        pages::{self, PAGES_MAX, PER_PAGE, page_buttons, uncounted_page_buttons},
        screen::{Button, Screen},
    },
    orders::texts::{stage_for_staff, stage_of_order_for_staff},
    staff::{
        orders::order_text::{action_rows, history_line, map_row, order_html, refund_button, warnings},
        panel::back,
        people::names::Names,
    },
    texts::{date_time, l, money, t},
};

/// The entries of a history that a card shows, the latest ones.
const HISTORY_MAX: usize = 40;

/// The stages in the order in which they are listed: first those to be worked on.
const STAGES: [Stage; 9] = [
    Stage::Paid,
    Stage::Preparing,
    Stage::Ready,
    Stage::OnTheWay,
    Stage::AwaitingPayment,
    Stage::Delivered,
    Stage::Cancelled,
    Stage::Expired,
    Stage::Refunded,
];

pub(crate) async fn overview(ctx: Ctx) -> HandlerResult {
    ctx.wait_for(Step::Idle);
    let mut buttons = Vec::new();
    for stage in STAGES {
        let shown = stage_for_staff(ctx.language, stage);
        let label = if is_counted(stage) {
            let count = ctx.documents().count(&query_in(stage, 1)).await?;
            l!(ctx.language, "staff-orders-stage", stage = shown, count = count)
        } else {
            shown
        };
        buttons.push(Button::callback(label, StaffCallback::OrdersIn { stage, page: 0 }));
    }
    let screen = Screen::new(t!(ctx.language, "staff-orders-title"))
        .rows(buttons.chunks(2).map(<[Button]>::to_vec))
        .row([Button::callback(l!(ctx.language, "staff-orders-find"), StaffCallback::FindOrder)])
        .row(back(ctx.language));
    ctx.show(screen).await
}

/// The orders of the past are many, and nobody waits for them.
fn is_counted(stage: Stage) -> bool {
    stage.is_in_work() || stage == Stage::AwaitingPayment
}

/// The orders of one stage: those to be worked on oldest first, the others newest first.
pub(crate) async fn in_one_stage(ctx: Ctx, (stage, page): (Stage, u32)) -> HandlerResult {
    let language = ctx.language;
    let turn = |page| StaffCallback::OrdersIn { stage, page };
    let shown = stage_for_staff(language, stage);
    let query = query_in(stage, PER_PAGE);
    if is_counted(stage) {
        let query = if stage.is_in_work() { query } else { query.newest_first() };
        let (found, count) = one_page(&ctx, query, page).await?;
        let title = t!(language, "staff-orders-in", stage = shown, count = count);
        let rows = found.iter().map(|order| vec![row_of(language, order, false)]).collect();
        return show_list(&ctx, title, rows, page_buttons(page, pages::count(count), turn)).await;
    }
    // One more than is shown tells whether there is another page.
    let page = page.min(PAGES_MAX - 1);
    let query = query_in(stage, PER_PAGE + 1).newest_first().skip(page.saturating_mul(PER_PAGE));
    let mut found: Vec<ShopOrder> = records::find(ctx.documents(), &query).await?;
    let per_page = usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
    let has_next = found.len() > per_page;
    found.truncate(per_page);
    let title = t!(language, "staff-orders-in-past", stage = shown);
    let rows = found.iter().map(|order| vec![row_of(language, order, false)]).collect();
    show_list(&ctx, title, rows, uncounted_page_buttons(page, has_next, turn)).await
}

pub(crate) async fn of_phone(ctx: Ctx, (phone, page): (Phone, u32)) -> HandlerResult {
    let (found, count) = one_page(&ctx, query_with_phone(&phone, PER_PAGE), page).await?;
    let title = t!(ctx.language, "staff-orders-of", phone = phone.spaced(), count = count);
    let rows = found.iter().map(|order| vec![row_of(ctx.language, order, true)]).collect();
    let turn = |page| StaffCallback::OrdersByPhone { phone: phone.clone(), page };
    show_list(&ctx, title, rows, page_buttons(page, pages::count(count), turn)).await
}

pub(crate) async fn ask_what_to_find(ctx: Ctx) -> HandlerResult {
    ctx.wait_for(StaffStep::FindOrder);
    ctx.show(ask_screen(ctx.language, None)).await
}

fn ask_screen(language: Language, wrong: Option<String>) -> Screen {
    let question = t!(language, "staff-orders-ask");
    Screen::new(wrong.map_or(question.clone(), |wrong| format!("{wrong}\n\n{question}")))
        .row([Button::callback(l!(language, "staff-orders-back"), StaffCallback::Orders)])
}

/// The number of an order, a phone or a payment was typed. The next text is looked up too.
pub(crate) async fn find(ctx: Ctx) -> HandlerResult {
    let Some(text) = ctx.text().map(str::to_owned) else {
        let wrong = t!(ctx.language, "staff-orders-no-text");
        return ctx.show(ask_screen(ctx.language, Some(wrong))).await;
    };
    let found = find_by_number(&ctx, &text).await?;
    if found.is_empty()
        && let Ok(phone) = Phone::parse(&text)
        && ctx.documents().count(&query_with_phone(&phone, 1)).await? > 0
    {
        return of_phone(ctx, (phone, 0)).await;
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

/// The order with this number, and those that a payment with this number has paid.
async fn find_by_number(ctx: &Ctx, text: &str) -> Result<Vec<ShopOrder>, HandlerError> {
    let Some(number) = number_in(text) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    if let Ok(id) = OrderId::try_new(number) {
        found.extend(order(ctx.documents(), id).await?);
    }
    if let Ok(paydoc_id) = ClickPaydocId::try_new(number) {
        let paid = orders_paid_by(ctx.documents(), paydoc_id, PER_PAGE).await?;
        found.extend(paid.into_iter().filter(|order| order.id.get() != number));
    }
    Ok(found)
}

/// The order of a link, where the person may see all orders. For everybody else see `shopper::account::start`.
#[expect(clippy::needless_pass_by_value, reason = "dptree passes values")]
pub(crate) fn linked(ctx: Ctx, payload: String) -> Option<OrderId> {
    match Link::parse(&payload) {
        Some(Link::Order(id)) if ctx.may(Right::SeeOrders) => Some(id),
        Some(Link::Order(_) | Link::Product(_) | Link::Referral(_)) | None => None,
    }
}

/// `/start order_1024`.
pub(crate) async fn open_by_link(ctx: Ctx, id: OrderId) -> HandlerResult {
    match order(ctx.documents(), id).await? {
        Some(order) => show_card(&ctx, &order).await,
        None => ctx.reply(t!(ctx.language, "staff-orders-gone", order = id)).await,
    }
}

/// Everything about an order, with what can be done to it.
pub(super) async fn show_card(ctx: &Ctx, order: &ShopOrder) -> HandlerResult {
    let language = ctx.language;
    let names = Names::of_order(ctx.documents(), order).await?;
    let warnings = warnings(language, order, true);
    let history = full_history(language, order, &names);
    let mut rows = action_rows(language, order);
    // On the post everybody would see it, so it is there only where the money has to go back.
    let refund = refund_button(language, order);
    if ctx.may(Right::Refund) && order.is_paid() && !rows.iter().flatten().any(|button| *button == refund) {
        rows.push(vec![refund]);
    }
    let screen = Screen::new(order_html(language, order, &names, &warnings, &history))
        .row(map_row(language, order))
        .rows(rows)
        .row([Button::callback(l!(language, "staff-orders-back"), StaffCallback::Orders)]);
    ctx.show(screen).await
}

/// What happened to the order, oldest first.
fn full_history(language: Language, order: &ShopOrder, names: &Names) -> Vec<String> {
    let latest = order.history.len().saturating_sub(HISTORY_MAX);
    let lines = order.history.iter().skip(latest);
    let lines = lines.map(|entry| history_line(language, order, entry, names, &date_time(entry.at)));
    [t!(language, "staff-history-title")].into_iter().chain(lines).collect()
}

/// `№1 024`, `#1024`, `1024`.
pub(super) fn number_in(text: &str) -> Option<i64> {
    let digits: String = text
        .trim()
        .trim_start_matches(['№', '#'])
        .chars()
        .filter(|character| !matches!(character, ' ' | '\u{a0}'))
        .collect();
    digits.parse().ok().filter(|number| *number > 0)
}

async fn one_page(ctx: &Ctx, query: Query, page: u32) -> Result<(Vec<ShopOrder>, u64), HandlerError> {
    let count = ctx.documents().count(&query).await?;
    let found = records::find(ctx.documents(), &query.skip(page.saturating_mul(PER_PAGE))).await?;
    Ok((found, count))
}

fn row_of(language: Language, order: &ShopOrder, with_stage: bool) -> Button {
    let sum = money(language, order.total);
    let label = if with_stage {
        let stage = stage_of_order_for_staff(language, order);
        l!(language, "staff-orders-row-stage", order = order.id, stage = stage, sum = sum)
    } else {
        let time = date_time(order.payment().map_or(order.placed_at, |payment| payment.paid_at));
        l!(language, "staff-orders-row", order = order.id, sum = sum, time = time)
    };
    Button::callback(label, StaffCallback::Order { id: order.id })
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
    fn an_order_number_is_read_in_the_usual_forms() {
        for text in ["1024", "№1024", " # 1024", "1 024"] {
            assert_eq!(number_in(text), Some(1024), "{text}");
        }
        for text in ["", "0", "-5", "salom", "№"] {
            assert_eq!(number_in(text), None, "{text}");
        }
    }
}
