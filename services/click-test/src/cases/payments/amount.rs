//! Amounts: so'm as decimal text, compared exactly.

use tolov_domain::Tiyin;

use crate::{
    case::{Case, CaseResult, CaseRun, Needs, script},
    order::Order,
    protocol::Callback,
};

pub(in crate::cases) const CASES: &[Case] = &[
    Case::must("amount.differs-in-prepare", Needs::SharedOrder, script!(differs_in_prepare))
        .title("Prepare with less, more, nothing, and tiyin taken for so'm")
        .why("the pay link is not signed: a payer can edit its amount, and only this check notices"),
    Case::must("amount.differs-in-complete", Needs::FreshOrders(1), script!(differs_in_complete))
        .title("Complete with less and with more than was prepared")
        .why("an order must be paid in full: one of CLICK's samples accepts any underpayment"),
    Case::should("amount.one-tiyin", Needs::FreshOrders(1), script!(one_tiyin))
        .title("one tiyin less and one more")
        .why("a tolerance of 0.01 comes from floats; money is compared exactly"),
    Case::must("amount.not-money", Needs::FreshOrders(1), script!(not_money))
        .title("well signed text that is no amount: nan, inf, negative, overflowing")
        .why("no comparison with nan is true, |a - b| > 0.01 neither: any price could be paid with it"),
    Case::should("amount.loose-spelling", Needs::SharedOrder, script!(loose_spelling))
        .title("the right amount with a sign, spaces, an exponent, three decimals")
        .why("CLICK never writes these; a parser that accepts them may misread an amount"),
    Case::must("amount.as-written", Needs::FreshOrders(2), script!(as_written))
        .title("the amount without decimals, and with two")
        .why("CLICK signs the text of the pay link: formatting it anew before hashing has broken live shops"),
    Case::should("amount.signed-as-written", Needs::SharedOrder, script!(signed_as_written))
        .title("a signature over another spelling of the amount than the one sent")
        .why("the signature covers the text that is sent; accepting several spellings weakens it"),
];

/// `33139.73`, or `38400` where there are no tiyin.
fn shortest(amount: Tiyin) -> String {
    let text = amount.soum_text();
    text.strip_suffix(".00").map(str::to_owned).unwrap_or(text)
}

fn shifted(order: &Order, tiyin: i64) -> String {
    let shifted = order.amount.get().saturating_add(tiyin).max(0);
    Tiyin::try_new(shifted).unwrap_or(Tiyin::ZERO).soum_text()
}

/// Amounts that differ from the order's by at least one so'm.
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

async fn differs_in_prepare(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.shared_order().await?;
    for (what, amount) in others(&order) {
        let callback = run.prepare(&order).with_amount(&amount);
        run.expect(format!("Prepare of {what} ({amount})"), &callback, &[-2]).await;
    }
    Ok(())
}

async fn differs_in_complete(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let (_, complete) = run.prepared(&order).await?;
    for (what, amount) in others(&order) {
        let callback = complete.clone().with_amount(&amount);
        run.expect(format!("Complete of {what} ({amount})"), &callback, &[-2]).await;
    }
    run.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}

async fn one_tiyin(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let near = [shifted(&order, -1), shifted(&order, 1)];
    for amount in &near {
        let callback = run.prepare(&order).with_amount(amount);
        run.expect(format!("Prepare of {amount} for {}", order.amount_text), &callback, &[-2]).await;
    }
    let (_, complete) = run.prepared(&order).await?;
    for amount in &near {
        let callback = complete.clone().with_amount(amount);
        run.expect(format!("Complete of {amount} for {}", order.amount_text), &callback, &[-2]).await;
    }
    run.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}

const NOT_MONEY: [&str; 9] =
    ["nan", "NaN", "inf", "-inf", "Infinity", "-1", "1e400", "99999999999999999999999999", "free"];

async fn not_money(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    for amount in NOT_MONEY {
        let callback = run.prepare(&order).with_amount(amount);
        run.expect(format!("Prepare of {amount}"), &callback, &[-2, -8]).await;
    }
    let (_, complete) = run.prepared(&order).await?;
    for amount in NOT_MONEY {
        let callback = complete.clone().with_amount(amount);
        run.expect(format!("Complete of {amount}"), &callback, &[-2, -8]).await;
    }
    run.expect("the genuine Complete", &complete, &[0]).await;
    Ok(())
}

async fn loose_spelling(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.shared_order().await?;
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
        let callback = run.prepare(&order).with_amount(&amount);
        run.expect(format!("Prepare of {amount:?}"), &callback, &[-2, -8]).await;
    }
    Ok(())
}

async fn as_written(run: &mut CaseRun<'_>) -> CaseResult {
    for with_decimals in [false, true] {
        let order = run.fresh_order().await?;
        let text = if with_decimals { order.amount.soum_text() } else { shortest(order.amount) };
        let prepare: Callback = run.prepare(&order).with_amount(&text);
        let prepare_id = run.accepted(&format!("Prepare of {text}"), &prepare).await?;
        run.expect(format!("Complete of {text}"), &prepare.into_complete(&prepare_id), &[0]).await;
    }
    Ok(())
}

async fn signed_as_written(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.shared_order().await?;
    let long = order.amount.soum_text();
    let short = shortest(order.amount);
    let other = if short == long { format!("{long}0") } else { short };
    let callback = run.prepare(&order).with_amount(&long).signed_over("amount", &other);
    run.expect(format!("Prepare of {long}, signed over {other}"), &callback, &[-1]).await;
    let callback = run.prepare(&order).with_amount(&other).signed_over("amount", &long);
    run.expect(format!("Prepare of {other}, signed over {long}"), &callback, &[-1]).await;
    Ok(())
}
