//! The form of the answers, over everything that was sent before.

use serde_json::Value;

use crate::{
    answer::Got,
    callback::Step,
    case::{Case, Halt, Level, Needs, Outcome, look},
    play::{Play, Seen},
};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "answers.json",
        level: Level::Must,
        needs: Needs::Nothing,
        title: "every answer is a JSON object",
        why: "CLICK cannot read anything else, and asks again until a person has to look",
        script: look!(json),
    },
    Case {
        id: "answers.error-is-integer",
        level: Level::Must,
        needs: Needs::Nothing,
        title: "`error` is an integer in every answer",
        why: "it is an int in CLICK's documents, and its tester compares it as one: \"0\" is not 0",
        script: look!(error_is_integer),
    },
    Case {
        id: "answers.error-note",
        level: Level::Must,
        needs: Needs::Nothing,
        title: "every answer has an error_note",
        why: "it is a required field of every answer",
        script: look!(error_note),
    },
    Case {
        id: "answers.echo",
        level: Level::Must,
        needs: Needs::Nothing,
        title: "accepted calls get their click_trans_id and merchant_trans_id back",
        why: "both are fields of the answer by CLICK's documents",
        script: look!(echo),
    },
    Case {
        id: "answers.ids-are-integers",
        level: Level::Must,
        needs: Needs::Nothing,
        title: "merchant_prepare_id is an integer below 2^53, merchant_confirm_id an integer or null",
        why: "CLICK's documents call them int, and its playground reads them as JavaScript numbers",
        script: look!(ids_are_integers),
    },
    Case {
        id: "answers.http-200",
        level: Level::Should,
        needs: Needs::Nothing,
        title: "every answer comes with HTTP 200",
        why: "all of CLICK's samples answer 200 with the code in JSON; what it does with others is not documented",
        script: look!(http_200),
    },
    Case {
        id: "answers.content-type",
        level: Level::Should,
        needs: Needs::Nothing,
        title: "every answer says that it is application/json",
        why: "a reader that looks at the type refuses JSON under another one",
        script: look!(content_type),
    },
];

/// Counts the answers that break a rule; `None` from the rule means that the answer is not concerned.
fn judge(play: &mut Play<'_>, expected: &str, rule: impl Fn(&Seen, &Got) -> Option<bool>) -> Outcome {
    let (mut looked_at, mut broken, mut example) = (0, 0, None);
    for seen in &play.stage.answers {
        let Some(got) = seen.answer.got() else { continue };
        let Some(kept) = rule(seen, got) else { continue };
        looked_at += 1;
        if !kept {
            broken += 1;
            example.get_or_insert_with(|| {
                let start: String = got.text.chars().take(160).collect();
                format!("HTTP {} {start}", got.http_status)
            });
        }
    }
    if looked_at == 0 {
        return Err(Halt::Skip("there was no such answer to look at: play other cases with it".to_owned()));
    }
    let got = match example {
        None => format!("all {looked_at}"),
        Some(example) => format!("not in {broken} of {looked_at}, for example {example}"),
    };
    play.check(format!("{looked_at} answers"), expected, got, broken == 0);
    Ok(())
}

fn json(play: &mut Play<'_>) -> Outcome {
    judge(play, "a JSON object", |_, got| Some(matches!(got.json, Some(Value::Object(_)))))
}

fn error_is_integer(play: &mut Play<'_>) -> Outcome {
    judge(play, "an integer", |_, got| Some(got.json.as_ref()?.get("error")?.is_i64()))
}

fn error_note(play: &mut Play<'_>) -> Outcome {
    judge(play, "text", |_, got| Some(got.json.as_ref()?.get("error_note").is_some_and(Value::is_string)))
}

fn echo(play: &mut Play<'_>) -> Outcome {
    judge(play, "the ids that were sent", |seen, _| {
        let same = |name: &str, sent: &str| seen.answer.field(name).is_some_and(|echo| echo == sent);
        // What is no number cannot be given back as one.
        let is_number = seen.trans_id.parse::<i64>().is_ok();
        (is_number && seen.answer.code() == Some(0))
            .then(|| same("click_trans_id", &seen.trans_id) && same("merchant_trans_id", &seen.order_id))
    })
}

fn ids_are_integers(play: &mut Play<'_>) -> Outcome {
    judge(play, "integers", |seen, got| {
        if seen.answer.code() != Some(0) {
            return None;
        }
        let json = got.json.as_ref()?;
        Some(match seen.step {
            Step::Prepare => {
                json.get("merchant_prepare_id").and_then(Value::as_i64).is_some_and(|id| id < 1 << 53)
            }
            Step::Complete => json.get("merchant_confirm_id").is_some_and(|id| id.is_i64() || id.is_null()),
        })
    })
}

fn http_200(play: &mut Play<'_>) -> Outcome {
    judge(play, "HTTP 200", |_, got| Some(got.http_status == 200))
}

fn content_type(play: &mut Play<'_>) -> Outcome {
    judge(play, "application/json", |_, got| {
        Some(got.content_type.as_deref().is_some_and(|kind| kind.starts_with("application/json")))
    })
}
