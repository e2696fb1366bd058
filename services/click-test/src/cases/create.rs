//! The create call itself: who may make orders, and what a client's own word counts for.

use url::Url;

use crate::{
    case::{Case, Level, Needs, Outcome, script},
    play::Play,
};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "create.open-to-the-world",
        level: Level::Should,
        needs: Needs::CreateCall,
        title: "the create call without its headers is refused",
        why: "anybody could create orders, with a total of their own choice",
        script: script!(open_to_the_world),
    },
    Case {
        id: "create.paid-by-own-word",
        level: Level::Should,
        needs: Needs::CreateCall,
        title: "the create call with \"status\": \"paid\" makes an unpaid order",
        why: "'paid' must come from CLICK alone, never from whoever creates the order",
        script: script!(paid_by_own_word),
    },
    Case {
        id: "create.pay-link",
        level: Level::Must,
        needs: Needs::CreateCall,
        title: "the pay link of a new order has CLICK's parameters, each once",
        why: "a value that is not percent-encoded adds parameters; a wrong amount or order is paid by the payer",
        script: script!(pay_link),
    },
];

async fn open_to_the_world(play: &mut Play<'_>) -> Outcome {
    let call = play.create_call()?;
    let got = play.create_otherwise(&call, &[], |body| body).await;
    let (got, refused) = match got {
        Ok(order) => (format!("order {} was made", order.id), false),
        Err(problem) => (problem, true),
    };
    play.check("the create call without --create-header", "a refusal", got, refused);
    Ok(())
}

async fn paid_by_own_word(play: &mut Play<'_>) -> Outcome {
    let call = play.create_call()?;
    let claims = "{\"status\": \"paid\", \"state\": \"paid\", \"is_paid\": true, \"paid\": true, ";
    if !call.body.trim_start().starts_with('{') {
        return Err(crate::case::Halt::Skip("needs a --create-body that is a JSON object".to_owned()));
    }
    let claim = |body: String| body.trim_start().replacen('{', claims, 1);
    match play.create_otherwise(&call, &call.headers.clone(), claim).await {
        Err(problem) => {
            play.check("the create call that says it is paid", "a refusal or an order", problem, true);
        }
        Ok(order) => {
            let prepare = play.prepare(&order);
            play.expect("Prepare of the order that said it is paid", &prepare, &[0]).await;
        }
    }
    Ok(())
}

async fn pay_link(play: &mut Play<'_>) -> Outcome {
    let call = play.create_call()?;
    if call.link_field.is_none() {
        return Err(crate::case::Halt::Skip("needs --create-link-field".to_owned()));
    }
    let order = play.fresh().await?;
    let link = order.link.clone().and_then(|link| Url::parse(&link).ok());
    let Some(link) = link else {
        let got = order.link.unwrap_or_else(|| "none".to_owned());
        play.check("the pay link", "an address", got, false);
        return Ok(());
    };
    let service_id = play.stage.options.service_id.to_string();
    let values = |name: &str| -> Vec<String> {
        link.query_pairs().filter(|(known, _)| known == name).map(|(_, value)| value.into_owned()).collect()
    };
    let amount = values("amount");
    let same_amount = |text: &String| tolov_domain::Tiyin::parse_soum(text) == Ok(order.amount);
    play.check(
        "amount",
        order.amount.soum_text(),
        amount.join(" and "),
        matches!(amount.as_slice(), [one] if same_amount(one)),
    );
    for (name, expected) in [("service_id", &service_id), ("transaction_param", &order.id)] {
        let got = values(name);
        let right = matches!(got.as_slice(), [one] if one == expected);
        play.check(name, expected.clone(), got.join(" and "), right);
    }
    let merchant_id = values("merchant_id");
    play.check("merchant_id", "given once", merchant_id.join(" and "), merchant_id.len() == 1);
    Ok(())
}
