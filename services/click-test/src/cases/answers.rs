//! The form of all answers of the run.

use serde_json::Value;

use crate::{
    case::{Abort, Case, CaseResult, CaseRun, Needs, RecordedAnswer, sync_script},
    protocol::{HttpAnswer, Step},
};

pub(super) const CASES: &[Case] = &[
    Case::must("answers.json", Needs::Nothing, sync_script!(json))
        .title("every answer is a JSON object")
        .why("CLICK cannot read anything else; it repeats the call until its support has to step in"),
    Case::must("answers.error-is-integer", Needs::Nothing, sync_script!(error_is_integer))
        .title("`error` is an integer in every answer")
        .why("it is an int in CLICK's documents, and its tester compares it as one: \"0\" is not 0"),
    Case::must("answers.error-note", Needs::Nothing, sync_script!(error_note))
        .title("every answer has an error_note")
        .why("it is a required field of every answer"),
    Case::must("answers.echo", Needs::Nothing, sync_script!(echo))
        .title("accepted calls are answered with their click_trans_id and merchant_trans_id")
        .why("both are fields of the answer by CLICK's documents"),
    Case::must("answers.ids-are-integers", Needs::Nothing, sync_script!(ids_are_integers))
        .title("merchant_prepare_id is an integer below 2^53, merchant_confirm_id an integer or null")
        .why("CLICK's documents call them int, and its playground reads them as JavaScript numbers"),
    Case::should("answers.http-200", Needs::Nothing, sync_script!(http_200))
        .title("every answer comes with HTTP 200")
        .why("all of CLICK's samples answer 200 with the code in JSON; what it does with others is not documented"),
    Case::should("answers.content-type", Needs::Nothing, sync_script!(content_type))
        .title("every answer has Content-Type application/json")
        .why("a client that checks the type refuses JSON with another one"),
];

/// Counts the answers that break a rule; a rule returns `None` for an answer that it does not apply to.
fn check_all(
    run: &mut CaseRun<'_>,
    expected: &str,
    rule: impl Fn(&RecordedAnswer, &HttpAnswer) -> Option<bool>,
) -> CaseResult {
    let (mut checked, mut broken, mut example) = (0, 0, None);
    for recorded in &run.tester.answers {
        let Some(got) = recorded.answer.http() else { continue };
        let Some(kept) = rule(recorded, got) else { continue };
        checked += 1;
        if !kept {
            broken += 1;
            example.get_or_insert_with(|| {
                let start: String = got.text.chars().take(160).collect();
                format!("HTTP {} {start}", got.http_status)
            });
        }
    }
    if checked == 0 {
        return Err(Abort::Skip("there is no answer that it applies to: run other cases with it".to_owned()));
    }
    let got = match example {
        None => format!("all {checked}"),
        Some(example) => format!("not in {broken} of {checked}, for example {example}"),
    };
    run.check(format!("{checked} answers"), expected, got, broken == 0);
    Ok(())
}

fn json(run: &mut CaseRun<'_>) -> CaseResult {
    check_all(run, "a JSON object", |_, got| Some(matches!(got.json, Some(Value::Object(_)))))
}

fn error_is_integer(run: &mut CaseRun<'_>) -> CaseResult {
    check_all(run, "an integer", |_, got| Some(got.json.as_ref()?.get("error")?.is_i64()))
}

fn error_note(run: &mut CaseRun<'_>) -> CaseResult {
    check_all(run, "text", |_, got| Some(got.json.as_ref()?.get("error_note").is_some_and(Value::is_string)))
}

fn echo(run: &mut CaseRun<'_>) -> CaseResult {
    check_all(run, "the ids that were sent", |recorded, _| {
        let same = |name: &str, sent: &str| recorded.answer.field(name).is_some_and(|echo| echo == sent);
        let is_number = recorded.trans_id.parse::<i64>().is_ok();
        (is_number && recorded.answer.code() == Some(0)).then(|| {
            same("click_trans_id", &recorded.trans_id) && same("merchant_trans_id", &recorded.order_id)
        })
    })
}

fn ids_are_integers(run: &mut CaseRun<'_>) -> CaseResult {
    check_all(run, "integers", |recorded, got| {
        if recorded.answer.code() != Some(0) {
            return None;
        }
        let json = got.json.as_ref()?;
        Some(match recorded.step {
            Step::Prepare => {
                json.get("merchant_prepare_id").and_then(Value::as_i64).is_some_and(|id| id < 1 << 53)
            }
            Step::Complete => json.get("merchant_confirm_id").is_some_and(|id| id.is_i64() || id.is_null()),
        })
    })
}

fn http_200(run: &mut CaseRun<'_>) -> CaseResult {
    check_all(run, "HTTP 200", |_, got| Some(got.http_status == 200))
}

fn content_type(run: &mut CaseRun<'_>) -> CaseResult {
    check_all(run, "application/json", |_, got| {
        Some(got.content_type.as_deref().is_some_and(|kind| kind.starts_with("application/json")))
    })
}
