//! Encodings of the same form, and unusual text.

use crate::{
    case::{Case, CaseResult, CaseRun, Needs, script},
    order::Order,
    protocol::Encoding,
};

pub(in crate::cases) const CASES: &[Case] = &[
    Case::must("encoding.spaces", Needs::FreshOrders(1), script!(spaces))
        .title("the space of sign_time as + and as %20")
        .why("both encode the same form; hashing before decoding breaks one of them"),
    Case::should("encoding.percent", Needs::FreshOrders(1), script!(percent))
        .title("every byte percent-encoded, in lower-case digits")
        .why("it is the same form in another encoding, which proxies may produce"),
    Case::must("encoding.odd-orders", Needs::Nothing, script!(odd_orders))
        .title("well signed orders that cannot exist: Cyrillic, emoji, SQL, HTML, very long")
        .why("an unknown order is -5 whatever its text; a crash or an SQL error here can be abused"),
    Case::should("encoding.order-has-one-spelling", Needs::SharedOrder, script!(one_spelling))
        .title("the order's id with spaces, leading zeros or decimals")
        .why("an id that is parsed loosely gives one order many names, which checks by text do not notice"),
    Case::should("encoding.not-utf8", Needs::SharedOrder, script!(not_utf8))
        .title("bytes that are not UTF-8")
        .why("decoders that replace invalid bytes verify another text than they store; a crash gives no answer"),
];

async fn spaces(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let prepare = run.prepare(&order);
    let prepare_id = run.accepted("Prepare, spaces as +", &prepare).await?;
    let complete = prepare.into_complete(&prepare_id).encoded(Encoding::PercentSpaces);
    run.expect("Complete, spaces as %20", &complete, &[0]).await;
    Ok(())
}

async fn percent(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.fresh_order().await?;
    let prepare = run.prepare(&order).encoded(Encoding::PercentAll);
    let prepare_id = run.accepted("Prepare, all percent-encoded", &prepare).await?;
    run.expect("Complete, all percent-encoded", &prepare.into_complete(&prepare_id), &[0]).await;
    Ok(())
}

async fn odd_orders(run: &mut CaseRun<'_>) -> CaseResult {
    let long = "9".repeat(300);
    for (what, id) in [
        ("Cyrillic", "Заказ-7"),
        ("Uzbek with ʻ", "buyurtma-oʻn"),
        ("an emoji", "🛒"),
        ("an SQL phrase", "1' OR '1'='1"),
        ("an SQL comment", "1;--"),
        ("HTML", "<script>alert(1)</script>"),
        ("a path", "../../etc/passwd"),
        ("a NUL", "1\0"),
        ("a line break", "1\r\nX: y"),
        ("a number beyond 64 bits", "99999999999999999999999"),
        ("300 digits", &long),
    ] {
        let order = Order { id: id.to_owned(), ..run.unknown_order() };
        let callback = run.prepare(&order);
        run.expect(format!("Prepare of an order that is {what}"), &callback, &[-5]).await;
    }
    Ok(())
}

async fn one_spelling(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.shared_order().await?;
    for (what, id) in [
        ("a space before", format!(" {}", order.id)),
        ("a space after", format!("{} ", order.id)),
        ("a zero before", format!("0{}", order.id)),
        ("a plus before", format!("+{}", order.id)),
        (".0 after", format!("{}.0", order.id)),
        ("letters after", format!("{}abc", order.id)),
    ] {
        let callback = run.prepare(&order).with("merchant_trans_id", id);
        run.expect(format!("Prepare of the order with {what}"), &callback, &[-5]).await;
    }
    Ok(())
}

async fn not_utf8(run: &mut CaseRun<'_>) -> CaseResult {
    let order = run.shared_order().await?;
    for tail in ["&param2=%FF", "&param2=%C3%28"] {
        let callback = run.prepare(&order).followed_by(tail);
        run.expect(format!("Prepare with {}", &tail[1..]), &callback, &[0, -8]).await;
    }
    Ok(())
}
