//! Spellings of the same form, and text from everywhere.

use crate::{
    callback::Encoding,
    case::{Case, Level, Needs, Outcome, script},
    orders::Order,
    play::Play,
};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "encoding.spaces",
        level: Level::Must,
        needs: Needs::Fresh(1),
        title: "the space of sign_time as + and as %20",
        why: "both are the same form; hashing the text before decoding it breaks one of them",
        script: script!(spaces),
    },
    Case {
        id: "encoding.percent",
        level: Level::Should,
        needs: Needs::Fresh(1),
        title: "every byte percent-encoded, in lower-case digits",
        why: "it is the same form in another spelling; proxies on the way may write it so",
        script: script!(percent),
    },
    Case {
        id: "encoding.odd-orders",
        level: Level::Must,
        needs: Needs::Nothing,
        title: "well signed orders that cannot exist: Cyrillic, emoji, SQL, HTML, very long",
        why: "an unknown order is -5 whatever its text; a crash or an SQL error here is a way in",
        script: script!(odd_orders),
    },
    Case {
        id: "encoding.order-has-one-spelling",
        level: Level::Should,
        needs: Needs::Lent,
        title: "the order's id with spaces, leading zeros or decimals",
        why: "an id that is read loosely lets one order be named in many ways, past every guard by its text",
        script: script!(one_spelling),
    },
    Case {
        id: "encoding.not-utf8",
        level: Level::Should,
        needs: Needs::Lent,
        title: "bytes that are not UTF-8",
        why: "decoders that replace bad bytes sign another text than they store; crashes answer nothing",
        script: script!(not_utf8),
    },
];

async fn spaces(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let prepare = play.prepare(&order);
    let prepare_id = play.accepted("Prepare, spaces as +", &prepare).await?;
    let complete = prepare.into_complete(&prepare_id).encoded(Encoding::PercentSpaces);
    play.expect("Complete, spaces as %20", &complete, &[0]).await;
    Ok(())
}

async fn percent(play: &mut Play<'_>) -> Outcome {
    let order = play.fresh().await?;
    let prepare = play.prepare(&order).encoded(Encoding::PercentAll);
    let prepare_id = play.accepted("Prepare, all percent-encoded", &prepare).await?;
    play.expect("Complete, all percent-encoded", &prepare.into_complete(&prepare_id), &[0]).await;
    Ok(())
}

async fn odd_orders(play: &mut Play<'_>) -> Outcome {
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
        let order = Order { id: id.to_owned(), ..play.unknown_order() };
        let callback = play.prepare(&order);
        play.expect(format!("Prepare of an order that is {what}"), &callback, &[-5]).await;
    }
    Ok(())
}

async fn one_spelling(play: &mut Play<'_>) -> Outcome {
    let order = play.lent().await?;
    for (what, id) in [
        ("a space before", format!(" {}", order.id)),
        ("a space after", format!("{} ", order.id)),
        ("a zero before", format!("0{}", order.id)),
        ("a plus before", format!("+{}", order.id)),
        (".0 after", format!("{}.0", order.id)),
        ("letters after", format!("{}abc", order.id)),
    ] {
        let callback = play.prepare(&order).with("merchant_trans_id", id);
        play.expect(format!("Prepare of the order with {what}"), &callback, &[-5]).await;
    }
    Ok(())
}

async fn not_utf8(play: &mut Play<'_>) -> Outcome {
    let order = play.lent().await?;
    for tail in ["&param2=%FF", "&param2=%C3%28"] {
        let callback = play.prepare(&order).followed_by(tail);
        play.expect(format!("Prepare with {}", &tail[1..]), &callback, &[0, -8]).await;
    }
    Ok(())
}
