//! Money: so'm as decimal text, compared exactly.

use tolov_domain::Tiyin;

use crate::{
    callback::Callback,
    case::{Case, Level, Needs, Outcome, script},
    orders::Order,
    play::Play,
};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "amount.differs-in-prepare",
        level: Level::Must,
        needs: Needs::Lent,
        title: "Prepare with less, more, nothing, and tiyin taken for so'm",
        why: "the pay link is not signed: a payer may edit its amount, and only this check protects",
        script: script!(differs_in_prepare),
    },
    Case {
        id: "amount.differs-in-complete",
        level: Level::Must,
        needs: Needs::Fresh(1),
        title: "Complete with less and with more than was prepared",
        why: "an order must be paid in full: one of CLICK's samples lets any underpayment pass",
        script: script!(differs_in_complete),
    },
    Case {
        id: "amount.one-tiyin",
        level: Level::Should,
        needs: Needs::Fresh(1),
        title: "one tiyin less and one more",
        why: "a tolerance of 0.01 comes from floats; money is compared exactly",
        script: script!(one_tiyin),
    },
    Case {
        id: "amount.not-money",
        level: Level::Must,
        needs: Needs::Fresh(1),
        title: "well signed text that is no amount: nan, inf, negative, overflowing",
        why: "nan compares unequal to nothing and passes |a - b| > 0.01: any price could be paid with it",
        script: script!(not_money),
    },
    Case {
        id: "amount.loose-spelling",
        level: Level::Should,
        needs: Needs::Lent,
        title: "the right amount with a sign, spaces, an exponent, three decimals",
        why: "CLICK never writes these; a reader that takes them takes more than it understands",
        script: script!(loose_spelling),
    },
    Case {
        id: "amount.as-written",
        level: Level::Must,
        needs: Needs::Fresh(2),
        title: "the amount without decimals, and with two",
        why: "CLICK signs the text of the pay link: re-formatting it before hashing broke live shops both ways",
        script: script!(as_written),
    },
    Case {
        id: "amount.signed-as-written",
        level: Level::Should,
        needs: Needs::Lent,
        title: "a signature over another spelling of the amount than the one sent",
        why: "the signature covers the text that is sent; trying several spellings weakens it",
        script: script!(signed_as_written),
    },
];

/// The amount as `33139.73`, or as `38400` where there are no tiyin.
fn shortest(amount: Tiyin) -> String {
    let text = amount.soum_text();
    text.strip_suffix(".00").map(str::to_owned).unwrap_or(text)
}

fn shifted(order: &Order, tiyin: i64) -> String {
    let shifted = order.amount.get().saturating_add(tiyin).max(0);
    Tiyin::try_new(shifted).unwrap_or(Tiyin::ZERO).soum_text()
}

/// Amounts that are not the order's, by at least one so'm.
fn others(order: &Order) -> Vec<(&'static str, String)> {
    vec![
        ("one so'm less", shifted(order, -100)),
        ("one so'm more", shifted(order, 100)),
        ("half", shifted(order, -order.amount.get() / 2)),
        ("nothing", "0".to_owned()),
        ("a hundred times as much", shifted(order, order.amount.get().saturating_mul(99))),
        ("a hundredth", shifted(order, -order.amount.get() / 100 * 99)),
    ]
}

async fn differs_in_prepare(play: &mut Play<'_>) -> Outcome {
    let order = play.lent().await?;
    for (what, amount) in others(&order) {
        let callback = play.prepare(&order).amount(&amount);
        play.expect(format!("Prepare of {what} ({amount})"), &callback, &[-2]).await;
    }
    Ok(())
}

async fn differs_in_complete(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let (_, complete) = play.prepared(&order).await?;
    for (what, amount) in others(&order) {
        let callback = complete.clone().amount(&amount);
        play.expect(format!("Complete of {what} ({amount})"), &callback, &[-2]).await;
    }
    play.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}

async fn one_tiyin(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let near = [shifted(&order, -1), shifted(&order, 1)];
    for amount in &near {
        let callback = play.prepare(&order).amount(amount);
        play.expect(format!("Prepare of {amount} for {}", order.amount_text), &callback, &[-2]).await;
    }
    let (_, complete) = play.prepared(&order).await?;
    for amount in &near {
        let callback = complete.clone().amount(amount);
        play.expect(format!("Complete of {amount} for {}", order.amount_text), &callback, &[-2]).await;
    }
    play.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}

const NOT_MONEY: [&str; 9] =
    ["nan", "NaN", "inf", "-inf", "Infinity", "-1", "1e400", "99999999999999999999999999", "free"];

async fn not_money(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    for amount in NOT_MONEY {
        let callback = play.prepare(&order).amount(amount);
        play.expect(format!("Prepare of {amount}"), &callback, &[-2, -8]).await;
    }
    let (_, complete) = play.prepared(&order).await?;
    for amount in NOT_MONEY {
        let callback = complete.clone().amount(amount);
        play.expect(format!("Complete of {amount}"), &callback, &[-2, -8]).await;
    }
    play.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}

async fn loose_spelling(play: &mut Play<'_>) -> Outcome {
    let order = play.lent().await?;
    let text = order.amount.soum_text();
    for amount in [
        format!("+{text}"),
        format!(" {text}"),
        format!("{text} "),
        format!("{text}0"),
        format!("{text}e0"),
        text.replace('.', ","),
        format!("{text}abc"),
    ] {
        let callback = play.prepare(&order).amount(&amount);
        play.expect(format!("Prepare of {amount:?}"), &callback, &[-2, -8]).await;
    }
    Ok(())
}

async fn as_written(play: &mut Play<'_>) -> Outcome {
    for with_decimals in [false, true] {
        let order = play.fresh().await?;
        let text = if with_decimals { order.amount.soum_text() } else { shortest(order.amount) };
        let prepare: Callback = play.prepare(&order).amount(&text);
        let prepare_id = play.accepted(&format!("Prepare of {text}"), &prepare).await?;
        play.expect(format!("Complete of {text}"), &prepare.into_complete(&prepare_id), &[0]).await;
    }
    Ok(())
}

async fn signed_as_written(play: &mut Play<'_>) -> Outcome {
    let order = play.lent().await?;
    let long = order.amount.soum_text();
    let short = shortest(order.amount);
    let other = if short == long { format!("{long}0") } else { short };
    let callback = play.prepare(&order).amount(&long).signed_over("amount", &other);
    play.expect(format!("Prepare of {long}, signed over {other}"), &callback, &[-1]).await;
    let callback = play.prepare(&order).amount(&other).signed_over("amount", &long);
    play.expect(format!("Prepare of {other}, signed over {long}"), &callback, &[-1]).await;
    Ok(())
}
