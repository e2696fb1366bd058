//! Promo codes: listed, shown, switched on and off.

use time::Duration;
use tolov_domain::{Language, Tiyin, ports::PortError, time::Timestamp};
use tolov_shop::{
    promo::{self, Off, PromoCode, USES_MAX},
    records,
    staff::{Action, PromoChange},
};

use crate::{
    conversation::{
        callback::{CodeArg, StaffCallback},
        context::Ctx,
        dialogue::Step,
        error::HandlerResult,
        pages::Page,
        screen::{Button, Screen},
    },
    staff::{panel, people::journal},
    texts::{date_time, l, money, t, whole_percent},
};

const CODES_MAX: usize = 1_000;

pub(crate) async fn list(ctx: Ctx, page: u32) -> HandlerResult {
    ctx.wait_for(Step::Idle);
    let codes: Vec<PromoCode> = records::all(ctx.documents(), CODES_MAX).await?;
    ctx.show(list_screen(ctx.language, &codes, page, ctx.now())).await
}

fn list_screen(language: Language, codes: &[PromoCode], page: u32, now: Timestamp) -> Screen {
    let html = if codes.is_empty() {
        t!(language, "edit-promos-empty")
    } else {
        t!(language, "edit-promos-title", count = codes.len())
    };
    let page = Page::of(codes, page);
    let row = |code: &PromoCode| {
        // A code that does not fit into a button cannot be opened here.
        let callback = CodeArg::of(&code.code).map(|code| StaffCallback::Promo { code })?;
        let is_on = code.active && code.expires_at.is_none_or(|at| at > now);
        let mark = if is_on { "✅" } else { "⏸" };
        let label = format!("{mark} {} · {} · {}", code.code, off_words(language, code.off), code.uses.len());
        Some(vec![Button::callback(label, callback)])
    };
    Screen::new(html)
        .rows(page.items.iter().filter_map(row))
        .row(page.buttons(|page| StaffCallback::PromoCodes { page }))
        .row([Button::callback(l!(language, "edit-promo-add"), StaffCallback::NewPromo)])
        .row(panel::back(language))
}

pub(crate) async fn open(ctx: Ctx, code: CodeArg) -> HandlerResult {
    ctx.wait_for(Step::Idle);
    let Some(found) = promo::promo_code(ctx.documents(), code.as_str()).await? else {
        ctx.toast(l!(ctx.language, "edit-catalogue-gone")).await?;
        return list(ctx, 0).await;
    };
    let language = ctx.language;
    let active = !found.active;
    let switch =
        if active { l!(language, "edit-promo-switch-on") } else { l!(language, "edit-promo-switch-off") };
    let screen = Screen::new(card(language, &found, ctx.now()))
        .row([Button::callback(switch, StaffCallback::SwitchPromo { code, active })])
        .row([Button::callback(l!(language, "edit-back"), StaffCallback::PromoCodes { page: 0 })]);
    ctx.show(screen).await
}

pub(crate) async fn switch(ctx: Ctx, (code, active): (CodeArg, bool)) -> HandlerResult {
    let switched = records::change(ctx.documents(), code.as_str(), |code: &mut PromoCode| {
        std::mem::replace(&mut code.active, active)
    });
    if let Some((promo, was)) = switched.await?
        && was != active
    {
        record(&ctx, &promo, if active { PromoChange::Activated } else { PromoChange::Deactivated }).await?;
    }
    open(ctx, code).await
}

pub(super) async fn record(ctx: &Ctx, promo: &PromoCode, change: PromoChange) -> Result<(), PortError> {
    journal::record(ctx, Action::Promo { code: promo.code.clone(), off: promo.off, change }).await
}

/// Everything about a code.
pub(super) fn card(language: Language, promo: &PromoCode, now: Timestamp) -> String {
    let goods_min = if promo.goods_min == Tiyin::ZERO {
        t!(language, "edit-promo-any-goods")
    } else {
        money(language, promo.goods_min)
    };
    let until = promo.expires_at.map_or_else(|| t!(language, "edit-promo-for-ever"), last_day);
    let state = if !promo.active {
        t!(language, "edit-promo-is-off")
    } else if promo.expires_at.is_some_and(|at| at <= now) {
        t!(language, "edit-promo-is-over")
    } else {
        t!(language, "edit-promo-is-on")
    };
    t!(
        language,
        "edit-promo-card",
        code = promo.code,
        off = off_words(language, promo.off),
        goods = goods_min,
        used = promo.uses.len(),
        uses = times(language, promo.uses_max),
        shopper = times(language, promo.uses_per_shopper_max),
        until = until,
        state = state
    )
}

fn times(language: Language, count: u32) -> String {
    if count >= USES_MAX { t!(language, "edit-promo-unbounded", count = USES_MAX) } else { count.to_string() }
}

pub(super) fn off_words(language: Language, off: Off) -> String {
    match off {
        Off::Percent(percent) => format!("−{}", whole_percent(language, percent)),
        Off::Amount(amount) => format!("−{}", money(language, amount)),
    }
}

/// A code is valid to the end of a day: the midnight after it is stored.
fn last_day(expires_at: Timestamp) -> String {
    let last = date_time(expires_at.saturating_sub(Duration::SECOND));
    last.split(' ').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_code_is_shown_with_its_limits() {
        let promo = PromoCode {
            code: "YOZ".to_owned(),
            off: Off::Percent(10),
            goods_min: Tiyin::from_soum(50_000).unwrap(),
            uses_max: 100,
            uses_per_shopper_max: 1,
            expires_at: Some(datetime!(2027-01-01 00:00 +5)),
            active: true,
            uses: Vec::new(),
        };
        let shown = card(Language::En, &promo, datetime!(2026-11-23 00:00 UTC));
        for part in ["YOZ", "−10%", "50\u{a0}000\u{a0}UZS", "0", "100", "31.12.2026"] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
        let list = list_screen(Language::En, &[promo], 0, datetime!(2028-01-01 00:00 UTC));
        assert_eq!(list.markup().inline_keyboard[0][0].text, "⏸ YOZ · −10% · 0");
    }
}
