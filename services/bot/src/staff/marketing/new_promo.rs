//! A new promo code, question by question.

use tolov_domain::{Tiyin, time::Timestamp};
use tolov_shop::{
    promo::{self, CODE_MAX_CHARS, Off, PromoCode, USES_MAX},
    records,
    staff::PromoChange,
};

use crate::{
    conversation::{
        callback::{CodeArg, StaffCallback},
        context::Ctx,
        dialogue::{PromoField, PromoStep, StaffStep, Step},
        error::HandlerResult,
        screen::{Button, Screen},
    },
    staff::{input, marketing::promo as codes},
    texts::{l, t},
};

pub(crate) async fn ask(ctx: Ctx) -> HandlerResult {
    let draft = PromoCode {
        code: String::new(),
        off: Off::Amount(Tiyin::ZERO),
        goods_min: Tiyin::ZERO,
        uses_max: USES_MAX,
        uses_per_shopper_max: 1,
        expires_at: None,
        active: true,
        uses: Vec::new(),
    };
    go_to(ctx, Box::new(draft), PromoField::Code).await
}

async fn go_to(ctx: Ctx, draft: Box<PromoCode>, asked: PromoField) -> HandlerResult {
    let screen = screen(&ctx, &draft, asked, None);
    ctx.wait_for(PromoStep { draft, asked });
    ctx.show(screen).await
}

fn screen(ctx: &Ctx, draft: &PromoCode, asked: PromoField, wrong: Option<String>) -> Screen {
    let language = ctx.language;
    let question = match asked {
        PromoField::Code => t!(language, "edit-promo-ask-code", count = CODE_MAX_CHARS),
        PromoField::Off => t!(language, "edit-promo-ask-off", code = draft.code),
        PromoField::GoodsMin => t!(language, "edit-promo-ask-goods", code = draft.code),
        PromoField::Uses => t!(language, "edit-promo-ask-uses", code = draft.code, count = USES_MAX),
        PromoField::UsesPerShopper => t!(language, "edit-promo-ask-shopper", code = draft.code),
        PromoField::Until => t!(language, "edit-promo-ask-until", code = draft.code),
        PromoField::Review => {
            format!("{}\n\n{}", codes::card(language, draft, ctx.now()), t!(language, "edit-promo-review"))
        }
    };
    let html = wrong.map_or(question.clone(), |wrong| format!("{wrong}\n\n{question}"));
    let unbounded =
        |label: String| vec![Button::callback(label, StaffCallback::PromoUnbounded { field: asked })];
    let row = match asked {
        PromoField::Code | PromoField::Off => Vec::new(),
        PromoField::GoodsMin => unbounded(l!(language, "edit-promo-choose-any-goods")),
        PromoField::Uses | PromoField::UsesPerShopper => {
            unbounded(l!(language, "edit-promo-choose-unbounded", count = USES_MAX))
        }
        PromoField::Until => unbounded(l!(language, "edit-promo-choose-for-ever")),
        PromoField::Review => CodeArg::of(&draft.code)
            .map(|code| {
                vec![Button::callback(l!(language, "edit-promo-make"), StaffCallback::AddPromo { code })]
            })
            .unwrap_or_default(),
    };
    Screen::new(html)
        .row(row)
        .row([Button::callback(l!(language, "edit-cancel"), StaffCallback::PromoCodes { page: 0 })])
}

pub(crate) async fn answer(ctx: Ctx, step: PromoStep) -> HandlerResult {
    let PromoStep { mut draft, asked } = step;
    let text = ctx.text().unwrap_or_default();
    if read(&mut draft, asked, text, ctx.now()).is_none() {
        let wrong = (asked != PromoField::Review).then(|| t!(ctx.language, "edit-not-understood"));
        return ctx.show(screen(&ctx, &draft, asked, wrong)).await;
    }
    if asked == PromoField::Code && promo::promo_code(ctx.documents(), &draft.code).await?.is_some() {
        let wrong = t!(ctx.language, "edit-promo-there", code = draft.code);
        return ctx.show(screen(&ctx, &draft, asked, Some(wrong))).await;
    }
    go_to(ctx, draft, asked.next()).await
}

/// Reads a value into the draft; `None` where it cannot be read.
fn read(draft: &mut PromoCode, asked: PromoField, text: &str, now: Timestamp) -> Option<()> {
    match asked {
        PromoField::Code => CodeArg::of(text)?.as_str().clone_into(&mut draft.code),
        PromoField::Off if text.trim_end().ends_with('%') => draft.off = Off::Percent(input::percent(text)?),
        PromoField::Off => draft.off = Off::Amount(input::price(text)?),
        PromoField::GoodsMin => draft.goods_min = input::amount(text)?,
        PromoField::Uses => draft.uses_max = input::count(text, USES_MAX).filter(|count| *count > 0)?,
        PromoField::UsesPerShopper => {
            draft.uses_per_shopper_max = input::count(text, USES_MAX).filter(|count| *count > 0)?;
        }
        PromoField::Until => draft.expires_at = Some(input::end_of_day(text).filter(|at| *at > now)?),
        PromoField::Review => return None,
    }
    Some(())
}

/// The field that is asked for is left without a limit.
pub(crate) async fn unbounded(ctx: Ctx, field: PromoField) -> HandlerResult {
    let Step::Staff(StaffStep::Promo(PromoStep { mut draft, asked })) = ctx.step() else {
        return ctx.stale().await;
    };
    if asked != field {
        return ctx.stale().await;
    }
    match field {
        PromoField::GoodsMin => draft.goods_min = Tiyin::ZERO,
        PromoField::Uses => draft.uses_max = USES_MAX,
        PromoField::UsesPerShopper => draft.uses_per_shopper_max = USES_MAX,
        PromoField::Until => draft.expires_at = None,
        PromoField::Code | PromoField::Off | PromoField::Review => return ctx.stale().await,
    }
    go_to(ctx, draft, field.next()).await
}

/// The draft is confirmed.
pub(crate) async fn add(ctx: Ctx, code: CodeArg) -> HandlerResult {
    let step = ctx.step();
    if let Step::Staff(StaffStep::Promo(PromoStep { draft, asked: PromoField::Review })) = step
        && draft.code == code.as_str()
    {
        if records::insert(ctx.documents(), &*draft).await?.is_applied() {
            codes::record(&ctx, &draft, PromoChange::Added).await?;
            ctx.toast(l!(ctx.language, "edit-added")).await?;
        } else {
            ctx.toast(l!(ctx.language, "edit-promo-there", code = draft.code)).await?;
        }
    }
    // Also after a second tap.
    codes::open(ctx, code).await
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_code_is_created_from_valid_input_and_other_input_is_refused() {
        let now = datetime!(2026-11-23 00:00 UTC);
        let mut draft = PromoCode {
            code: String::new(),
            off: Off::Percent(1),
            goods_min: Tiyin::ZERO,
            uses_max: 1,
            uses_per_shopper_max: 1,
            expires_at: None,
            active: true,
            uses: Vec::new(),
        };
        let mut take = |field, text| read(&mut draft, field, text, now).is_some();
        assert!(take(PromoField::Code, " yoz-2026 "));
        assert!(take(PromoField::Off, "15%"));
        assert!(take(PromoField::GoodsMin, "0"));
        assert!(take(PromoField::Uses, "100"));
        assert!(take(PromoField::UsesPerShopper, "2"));
        assert!(take(PromoField::Until, "31.12.2026"));
        for (field, text) in [
            (PromoField::Code, "ikki so'z"),
            (PromoField::Code, "ЛЕТО"),
            (PromoField::Off, "100%"),
            (PromoField::Off, "0"),
            (PromoField::GoodsMin, "ko'p"),
            (PromoField::Uses, "0"),
            (PromoField::Uses, "5001"),
            (PromoField::UsesPerShopper, "-1"),
            (PromoField::Until, "22.11.2026"),
            (PromoField::Review, "ha"),
        ] {
            assert!(!take(field, text), "{field:?} {text}");
        }
        assert_eq!((draft.code.as_str(), draft.off, draft.uses_max), ("YOZ-2026", Off::Percent(15), 100));
        assert!(
            PromoField::ALL.into_iter().all(|field| field == PromoField::Review || field.next() != field)
        );
    }
}
