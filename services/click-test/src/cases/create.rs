//! The create call: who may create orders, and what its caller may claim.

use tolov_domain::Tiyin;
use url::Url;

use crate::{
    case::{Abort, Case, CaseResult, CaseRun, Needs, script},
    options::CreateCall,
};

pub(super) const CASES: &[Case] = &[
    Case::should("create.open-to-the-world", Needs::CreateCall, script!(open_to_the_world))
        .title("the create call without its headers is refused")
        .why("anybody could create orders with any total"),
    Case::should("create.paid-by-own-word", Needs::CreateCall, script!(paid_by_own_word))
        .title("the create call with \"status\": \"paid\" makes an unpaid order")
        .why("'paid' must come from CLICK alone, never from whoever creates the order"),
    Case::must("create.pay-link", Needs::CreateCall, script!(pay_link))
        .title("the pay link of a new order has CLICK's parameters, each once")
        .why("a value that is not percent-encoded adds parameters; the payer pays whatever amount and order the link has"),
];

async fn open_to_the_world(run: &mut CaseRun<'_>) -> CaseResult {
    let call = CreateCall { headers: Vec::new(), ..run.create_call()? };
    let (got, refused) = match run.create_with(&call, |body| body).await {
        Ok(order) => (format!("order {} was created", order.id), false),
        Err(problem) => (problem, true),
    };
    run.check("the create call without --create-header", "a refusal", got, refused);
    Ok(())
}

async fn paid_by_own_word(run: &mut CaseRun<'_>) -> CaseResult {
    let call = run.create_call()?;
    let claims = "{\"status\": \"paid\", \"state\": \"paid\", \"is_paid\": true, \"paid\": true, ";
    if !call.body.trim_start().starts_with('{') {
        return Err(Abort::Skip("needs a --create-body that is a JSON object".to_owned()));
    }
    let claim = |body: String| body.trim_start().replacen('{', claims, 1);
    match run.create_with(&call, claim).await {
        Err(problem) => {
            run.check("the create call that claims to be paid", "a refusal or an order", problem, true);
        }
        Ok(order) => {
            let prepare = run.prepare(&order);
            run.expect("Prepare of the order that was claimed to be paid", &prepare, &[0]).await;
        }
    }
    Ok(())
}

async fn pay_link(run: &mut CaseRun<'_>) -> CaseResult {
    let call = run.create_call()?;
    let Some(field) = &call.link_field else {
        return Err(Abort::Skip("needs --create-link-field".to_owned()));
    };
    let order = run.fresh_order().await?;
    let Some(link) = &order.link else {
        return Err(Abort::Skip(format!(
            "the answer of the create call has no text at {field:?}: a link that the merchant makes elsewhere cannot \
             be checked"
        )));
    };
    let Ok(link) = Url::parse(link) else {
        run.check("the pay link", "an address", link, false);
        return Ok(());
    };
    let service_id = run.tester.options.service_id.to_string();
    let values = |name: &str| -> Vec<String> {
        link.query_pairs().filter(|(known, _)| known == name).map(|(_, value)| value.into_owned()).collect()
    };
    let amount = values("amount");
    let is_amount = |text: &String| Tiyin::parse_soum(text) == Ok(order.amount);
    run.check(
        "amount",
        order.amount.soum_text(),
        amount.join(" and "),
        matches!(amount.as_slice(), [one] if is_amount(one)),
    );
    for (name, expected) in [("service_id", &service_id), ("transaction_param", &order.id)] {
        let got = values(name);
        let right = matches!(got.as_slice(), [one] if one == expected);
        run.check(name, expected.clone(), got.join(" and "), right);
    }
    let merchant_id = values("merchant_id");
    run.check("merchant_id", "one value", merchant_id.join(" and "), merchant_id.len() == 1);
    Ok(())
}
