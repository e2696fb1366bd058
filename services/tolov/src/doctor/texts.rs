//! The texts of commands that speak to operators, from locales/ in Uzbek, Russian and English. A loader apart from the bot's: these are texts of the
//! command line, in a crate that the bot does not know.

use std::{borrow::Cow, collections::HashMap, fmt::Display};

use fluent_templates::{LanguageIdentifier, fluent_bundle::FluentValue, langid};
use tolov_domain::Language;

fluent_templates::static_loader! {
    static LOCALES = {
        locales: "./locales",
        fallback_language: "en",
        // Terminals show isolation marks as boxes, and no text here runs right to left.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// The values of a text's placeables.
pub(crate) type Args = HashMap<Cow<'static, str>, FluentValue<'static>>;

/// A text in a language.
pub(crate) fn say(language: Language, key: &str, args: &Args) -> String {
    let found = LOCALES.lookup_single_language(&tag(language), key, Some(args));
    // A test makes sure that every text exists in every language.
    found.unwrap_or_else(|_| key.to_owned())
}

/// The same, with values that are printed as they are.
pub(crate) fn text(language: Language, key: &str, args: &[(&'static str, &dyn Display)]) -> String {
    let value = |value: &dyn Display| FluentValue::String(value.to_string().into());
    let args = args.iter().map(|(name, text)| (Cow::Borrowed(*name), value(*text))).collect();
    say(language, key, &args)
}

/// A state by its code, as the database and the API call it, or who did something, perhaps with a number. What has no word stays
/// as it is.
pub(crate) fn word(language: Language, code: &str) -> String {
    let (code, number) = code.split_once(' ').map_or((code, None), |(code, number)| (code, Some(number)));
    let key = format!("word-{}", code.replace('_', "-"));
    let word = LOCALES.lookup_single_language(&tag(language), &key, None::<&Args>);
    let word = word.unwrap_or_else(|_| code.to_owned());
    match number {
        Some(number) => format!("{word} {number}"),
        None => word,
    }
}

/// What a variable is for and where its value comes from.
pub(crate) fn about(language: Language, variable: &str) -> String {
    say(language, &about_key(variable), &Args::new())
}

fn about_key(variable: &str) -> String {
    format!("about-{}", variable.to_ascii_lowercase().replace('_', "-"))
}

/// The language of the terminal: the first of LC_ALL, LC_MESSAGES and LANG that names one of ours.
pub(crate) fn language_of_terminal() -> Language {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find_map(|locale| Language::from_tag(&locale))
        .unwrap_or(Language::En)
}

fn tag(language: Language) -> LanguageIdentifier {
    match language {
        Language::Uz => langid!("uz"),
        Language::Ru => langid!("ru"),
        Language::En => langid!("en"),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use tolov_domain::{refund::RefundStatus, telegram_payment::PaymentOutcome};
    use tolov_shop::order::Stage;
    use tolov_webhook::ledger::OrderStatus;

    use super::*;
    use crate::{doctor::report::remedy_key, environment::VARIABLES};

    fn texts(language: Language) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales").join(language.as_str());
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        files.map(|file| std::fs::read_to_string(file).unwrap()).collect::<Vec<_>>().join("\n")
    }

    /// Each key with the placeables of its text.
    fn keys(language: Language) -> BTreeSet<(String, BTreeSet<String>)> {
        let placeables = |text: &str| {
            let names = text.split("{ $").skip(1).filter_map(|rest| rest.split([' ', '}', '-']).next());
            names.map(str::to_owned).collect()
        };
        let entries = texts(language);
        let lines =
            entries.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
        lines.map(|(key, text)| (key.to_owned(), placeables(text))).collect()
    }

    #[test]
    fn every_text_exists_in_every_language_with_the_same_placeables() {
        assert_eq!(keys(Language::En), keys(Language::Ru));
        assert_eq!(keys(Language::En), keys(Language::Uz));
    }

    #[test]
    fn every_state_has_a_word() {
        let stages = Stage::ALL.map(Stage::as_str);
        let statuses = OrderStatus::ALL.map(OrderStatus::as_str);
        let outcomes = [
            PaymentOutcome::Paid,
            PaymentOutcome::AlreadyApplied,
            PaymentOutcome::Questioned,
            PaymentOutcome::Unplaced,
        ];
        let refunds = RefundStatus::OPEN
            .into_iter()
            .chain([RefundStatus::Done, RefundStatus::DoneByHand, RefundStatus::Withdrawn])
            .map(RefundStatus::as_str);
        let codes =
            stages.into_iter().chain(statuses).chain(outcomes.map(PaymentOutcome::as_str)).chain(refunds);
        for code in codes {
            assert_ne!(word(Language::Uz, code), code);
        }
        assert_eq!(word(Language::Ru, "staff 5"), "сотрудник 5");
        assert_eq!(word(Language::Ru, "CLICK"), "CLICK");
    }

    /// As the bot's texts, but for commands between backticks.
    #[test]
    fn apostrophes_and_the_blanks_before_units_are_typographic() {
        for language in Language::ALL {
            for line in texts(language).lines().filter(|line| !line.starts_with('#')) {
                assert!(
                    !line.contains(['\'', 'ʻ', 'ʼ']),
                    "type ‘ after an Uzbek o or g, ’ elsewhere: {line}"
                );
                for unit in ["so‘m", "сум", "UZS"] {
                    let loose = line
                        .match_indices(&format!("}} {unit}"))
                        .any(|(at, found)| !line[at + found.len()..].starts_with(char::is_alphanumeric));
                    assert!(!loose, "U+00A0 is wanted before {unit}: {line}");
                }
                if language == Language::Uz {
                    for (at, mark) in line.match_indices(['‘', '’']) {
                        let after_o_or_g = line[..at].ends_with(['o', 'O', 'g', 'G']);
                        assert_eq!(mark == "‘", after_o_or_g, "{line}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_finding_has_a_text_and_every_problem_has_a_remedy() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/doctor");
        let known: BTreeSet<String> = keys(Language::En).into_iter().map(|(key, _)| key).collect();
        let mut found = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let code = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for (call, is_wrong) in [("good(\"", false), ("doubtful(\"", true), ("bad(\"", true)] {
                for rest in code.split(&format!("Finding::{call}")).skip(1) {
                    let key = rest.split('"').next().unwrap();
                    assert!(known.contains(key), "{key} has no text");
                    assert!(!is_wrong || known.contains(&remedy_key(key)), "{key} has no remedy");
                    found += 1;
                }
            }
        }
        assert!(found > 30, "the test reads the code: {found}");
    }

    #[test]
    fn every_variable_is_explained_and_is_in_the_example() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        let example = std::fs::read_to_string(root.join(".env.example")).unwrap();
        for variable in VARIABLES {
            assert!(example.lines().any(|line| line.starts_with(&format!("{variable}="))), "{variable}");
            for language in Language::ALL {
                assert_ne!(about(language, variable), about_key(variable), "{variable} in {language:?}");
            }
        }
    }
}
