//! What a tool left in a value: `docker run --env-file` keeps quotes, several tools keep a comment at the end of the line,
//! and an editor's byte order mark can stand before the first value.

use tolov_kit::env::Env;

use super::VARIABLES;

/// For people to read: it may have a `#` in it.
const FREE_TEXT: &str = "PICKUP_ADDRESS";

/// Makes [`Env::finish`] fail for every variable whose value has something in it that was not meant.
pub(crate) fn refuse(env: &Env) {
    for name in VARIABLES {
        if let Some(problem) = env.text(name).and_then(|value| leftover(name, &value)) {
            env.problem(name, problem);
        }
    }
}

fn leftover(name: &str, value: &str) -> Option<&'static str> {
    let is_quoted = |quote| value.len() > 1 && value.starts_with(quote) && value.ends_with(quote);
    if value.contains('\u{feff}') {
        Some("has a byte order mark (U+FEFF) in it: save the file as UTF-8 without one")
    } else if is_quoted('"') || is_quoted('\'') {
        Some(
            "has quotes around it, which are part of the value: remove them (docker run --env-file keeps quotes)",
        )
    } else if name != FREE_TEXT && value.contains(" #") {
        Some("has a comment behind it, which is part of the value: put the comment on a line of its own")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(name: &str, value: &str) -> String {
        let env = Env::new([(name.to_owned(), value.to_owned())]);
        refuse(&env);
        env.finish().err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn quotes_comments_and_byte_order_marks_are_refused_by_the_variables_name() {
        for (value, told) in [
            ("\"abc123\"", "has quotes"),
            ("'abc123'", "has quotes"),
            ("abc123 # kabinet", "has a comment"),
            ("\u{feff}abc123", "byte order mark"),
        ] {
            let problems = problems("CLICK_SECRET_KEY", value);
            assert!(problems.contains("CLICK_SECRET_KEY has") && problems.contains(told), "{problems}");
            assert!(!problems.contains("abc123"), "{problems}");
        }
    }

    #[test]
    fn what_people_may_write_stays() {
        for (name, value) in [
            ("PICKUP_ADDRESS", "Navoiy 5 # 12"),
            ("PICKUP_ADDRESS", "\"Chorsu\" bozori"),
            ("CLICK_SECRET_KEY", "abc#123"),
            ("BOT_TOKEN", "\""),
        ] {
            assert_eq!(problems(name, value), "");
        }
        assert!(problems("PICKUP_ADDRESS", "\"Chilonzor 5\"").contains("has quotes"));
    }
}
