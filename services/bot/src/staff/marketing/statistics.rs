//! Statistics: a chart with a caption, and tables as files.

use std::{sync::Arc, time::Duration as StdDuration};

use time::Duration;
use tolov_domain::{Language, ports::PortError};
use tolov_kit::{
    availability::Availability,
    lifecycle::{Stop, pause},
};
use tolov_shop::{
    chart,
    statistics::{Period, Statistics, orders_csv, refresh, sales_csv, statistics},
};

use crate::{
    conversation::{
        callback::StaffCallback,
        context::Ctx,
        dialogue::Step,
        error::HandlerResult,
        screen::{Button, Screen},
    },
    deps::HandlerDeps,
    staff::panel::back,
    texts::{amount, l, money, percent, t},
};

const COUNTED_EVERY: StdDuration = StdDuration::from_mins(1);
/// As many of the best products as a caption has room for.
const BEST_SHOWN: usize = 5;
const TITLE_MAX_CHARS: usize = 60;

/// Counts in the background, so that whoever opens the figures waits for little. Runs until `stop`.
pub(crate) async fn keep_counted(deps: Arc<HandlerDeps>, stop: Stop) {
    let store = Availability::new("the shop store (figures)");
    while pause(&stop, COUNTED_EVERY).await {
        let counted = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            counted = count_all(&deps) => counted,
        };
        store.mark(counted);
    }
}

async fn count_all(deps: &HandlerDeps) -> Result<(), PortError> {
    while !refresh(deps.documents(), deps.now()).await? {}
    Ok(())
}

pub(crate) async fn open(ctx: Ctx, period: Period) -> HandlerResult {
    ctx.wait_for(Step::Idle);
    let figures = statistics(ctx.documents(), period, ctx.now()).await?;
    let screen = screen(ctx.language, &figures);
    let png = match chart::sales_chart(&figures) {
        Ok(png) => png,
        Err(error) => {
            tracing::error!(%error, "the statistics are shown without a chart");
            return ctx.show(screen).await;
        }
    };
    let before = ctx.tapped_here();
    ctx.deps.rate_limiter.reserve_priority();
    let shown = ctx.deps.telegram.show_picture(ctx.chat(), before, png, &screen).await?;
    ctx.shown(shown).await;
    if let Some(before) = before.filter(|before| before.message_id != shown.message_id) {
        ctx.deps.telegram.remove(ctx.chat(), before.message_id).await;
    }
    Ok(())
}

/// Two files: the sales as in the chart, and the orders behind them.
pub(crate) async fn export(ctx: Ctx, period: Period) -> HandlerResult {
    let (language, now) = (ctx.language, ctx.now());
    let figures = statistics(ctx.documents(), period, now).await?;
    let orders = orders_csv(ctx.documents(), (period.from(now), now)).await?;
    let word = period.as_str();
    let telegram = &ctx.deps.telegram;
    ctx.deps.rate_limiter.reserve_priority();
    let caption = l!(language, "statistics-file-sales");
    telegram.send_document(ctx.chat(), &format!("sales-{word}.csv"), sales_csv(&figures), caption).await?;
    let caption = if orders.is_cut {
        l!(language, "statistics-file-cut", count = orders.orders)
    } else {
        l!(language, "statistics-file-orders", count = orders.orders)
    };
    ctx.deps.rate_limiter.reserve_priority();
    telegram.send_document(ctx.chat(), &format!("orders-{word}.csv"), orders.file, caption).await?;
    ctx.answer(None, false).await;
    Ok(())
}

fn screen(language: Language, figures: &Statistics) -> Screen {
    let title = match figures.period {
        Period::Days => t!(language, "statistics-title-days"),
        Period::Weeks => t!(language, "statistics-title-weeks"),
        Period::Months => t!(language, "statistics-title-months"),
    };
    let mut text = vec![title, String::new()];
    text.extend(numbers(language, figures));
    let best = best(language, figures);
    if !best.is_empty() {
        text.push(String::new());
        text.push(t!(language, "statistics-best"));
        text.extend(best);
    }
    if figures.is_cut {
        text.push(String::new());
        text.push(t!(language, "statistics-cut"));
    }
    let period = figures.period;
    Screen::new(text.join("\n"))
        .row(Period::ALL.map(|other| tab(language, other, other == period)))
        .row([Button::callback(
            l!(language, "statistics-export"),
            StaffCallback::ExportStatistics { period },
        )])
        .row(back(language))
}

fn numbers(language: Language, figures: &Statistics) -> Vec<String> {
    let mut numbers = Vec::new();
    if figures.sold_orders == 0 {
        numbers.push(t!(language, "statistics-none"));
    } else {
        numbers.push(t!(language, "statistics-sales", sum = money(language, figures.sales)));
        let (count, buyers) = (figures.sold_orders, figures.buyers);
        numbers.push(t!(language, "statistics-orders", count = count, buyers = buyers));
    }
    if let Some(average) = figures.average_order() {
        numbers.push(t!(language, "statistics-average", sum = money(language, average)));
    }
    if let Some(permille) = figures.conversion_permille() {
        numbers.push(t!(
            language,
            "statistics-conversion",
            placed = figures.placed,
            paid = figures.placed_and_paid,
            percent = percent(language, permille)
        ));
    }
    if let Some(span) = figures.paid_after {
        numbers.push(t!(language, "statistics-paid-after", span = span_text(language, span)));
    }
    numbers
}

fn best(language: Language, figures: &Statistics) -> Vec<String> {
    let shown = figures.best_by_money.iter().take(BEST_SHOWN).enumerate();
    shown
        .map(|(place, seller)| {
            let title: String = seller.title.chars().take(TITLE_MAX_CHARS).collect();
            let sum = money(language, seller.money);
            let Some(portion) = seller.portion else {
                let count = seller.pieces;
                return t!(
                    language,
                    "statistics-best-row",
                    place = place + 1,
                    title = title,
                    count = count,
                    sum = sum
                );
            };
            let portions = u32::try_from(seller.pieces).unwrap_or(u32::MAX);
            let amount = amount(language, portion, portions);
            t!(
                language,
                "statistics-best-amount",
                place = place + 1,
                title = title,
                amount = amount,
                sum = sum
            )
        })
        .collect()
}

fn tab(language: Language, period: Period, is_chosen: bool) -> Button {
    let label = match period {
        Period::Days => l!(language, "statistics-days"),
        Period::Weeks => l!(language, "statistics-weeks"),
        Period::Months => l!(language, "statistics-months"),
    };
    let label = if is_chosen { l!(language, "statistics-chosen", period = label) } else { label };
    Button::callback(label, StaffCallback::Statistics { period })
}

fn span_text(language: Language, span: Duration) -> String {
    let minutes = span.whole_minutes().max(0);
    if minutes < 60 {
        return t!(language, "statistics-minutes", count = minutes);
    }
    t!(language, "statistics-hours", count = minutes / 60, minutes = minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_formatted() {
        assert_eq!(span_text(Language::Ru, Duration::seconds(150)), "2\u{a0}минуты");
        assert_eq!(span_text(Language::En, Duration::minutes(125)), "2\u{a0}h 5\u{a0}min");
    }
}
