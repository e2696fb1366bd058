use std::collections::{BTreeMap, BTreeSet};

use time::macros::datetime;

use super::*;

/// The texts of one language: each key with the gaps it names.
fn texts(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let folder = format!("{}/locales/{}", env!("CARGO_MANIFEST_DIR"), language.as_str());
    let mut texts = BTreeMap::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let content = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let mut key = String::new();
        for line in content.lines().filter(|line| !line.starts_with('#')) {
            if line.starts_with(|first: char| first.is_ascii_lowercase()) {
                key = line.split('=').next().unwrap().trim().to_owned();
                assert!(texts.insert(key.clone(), BTreeSet::new()).is_none(), "{key} is there twice");
            }
            for gap in line.split('$').skip(1) {
                let name: String = gap.chars().take_while(char::is_ascii_alphanumeric).collect();
                texts.get_mut(&key).unwrap().insert(name);
            }
        }
    }
    texts
}

/// Every key that the sources name, as a literal behind one of the macros or functions that say a text, with the gaps
/// that it fills.
fn named_keys() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !path.to_string_lossy().ends_with("_tests.rs")
                && !path.ends_with("texts.rs")
            {
                let source = std::fs::read_to_string(path).unwrap();
                keys.extend(
                    source.split('"').skip(1).step_by(2).filter(|text| is_key(text)).map(str::to_owned),
                );
            }
        }
    }
    keys
}

fn is_key(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[test]
fn every_text_is_there_in_every_language_with_the_same_gaps_and_is_said_somewhere() {
    let uzbek = texts(Language::Uz);
    let named = named_keys();
    for key in uzbek.keys().filter(|key| *key != "money") {
        assert!(named.contains(key), "nobody says {key}");
    }
    for language in [Language::Ru, Language::En] {
        // A plural form may say its number in a word, so what counts is the gaps of the whole text.
        let other = texts(language);
        for (key, gaps) in &uzbek {
            assert_eq!(other.get(key), Some(gaps), "{key} in {language:?}");
        }
        for key in other.keys() {
            assert!(uzbek.contains_key(key), "{key} is there in {language:?} alone");
        }
    }
}

/// A key that a macro names and no language has would be shown to people as it is.
#[test]
fn every_text_that_is_said_is_there() {
    let uzbek = texts(Language::Uz);
    let mut sources = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut said = 0;
    while let Some(path) = sources.pop() {
        if path.is_dir() {
            sources.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        if path.ends_with("texts.rs") || path.to_string_lossy().ends_with("_tests.rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        for call in ["t!(", "l!(", "say(", "plain("] {
            for (at, _) in source.match_indices(call) {
                // `assert!(` ends like `t!(`.
                if source[..at].ends_with(|before: char| before.is_ascii_alphanumeric() || before == '_') {
                    continue;
                }
                let arguments = source[at + call.len()..].split(';').next().unwrap();
                let Some(key) = arguments.split('"').nth(1).filter(|_| !arguments.starts_with('&')) else {
                    continue;
                };
                // Behind the first comma stands the key; anything else is a variable that holds one.
                let second = arguments.split(',').nth(1).unwrap_or_default().trim_start();
                if second.starts_with('"') {
                    assert!(uzbek.contains_key(key), "{key} of {} is in no language", path.display());
                    said += 1;
                }
            }
        }
    }
    assert!(said > 10, "{said}");
}

#[test]
fn every_text_can_be_said_in_every_language() {
    for language in Language::ALL {
        for (key, gaps) in texts(language) {
            let key: &'static str = key.leak();
            for count in [1, 2, 5, 11, 21] {
                let filled = gaps.iter().fold(Gaps::new(), |filled, name| {
                    let name: &'static str = name.clone().leak();
                    if name == "count" { filled.count(name, count) } else { filled.text(name, "7") }
                });
                let said = say(language, key, &filled);
                assert_ne!(said, key, "{language:?} cannot say it");
                assert!(!said.contains(['\u{2068}', '\u{2069}', '{', '}']), "{said}");
                assert!(!said.contains(['ʻ', '’', '‘', '\u{a0}']), "type ' and plain spaces: {said}");
            }
        }
    }
}

#[test]
fn numbers_take_the_forms_of_their_language() {
    let more = |language, count| say(language, "order-lines-more", &Gaps::new().count("count", count));
    assert_eq!(more(Language::Ru, 1), "… и ещё 1 наименование");
    assert_eq!(more(Language::Ru, 3), "… и ещё 3 наименования");
    assert_eq!(more(Language::Ru, 11), "… и ещё 11 наименований");
    assert_eq!(more(Language::Ru, 21), "… и ещё 21 наименование");
    assert_eq!(more(Language::En, 1), "… and 1 more product");
    assert_eq!(more(Language::En, 2), "… and 2 more products");
    assert_eq!(more(Language::Uz, 2), "… va yana 2 xil mahsulot");
}

#[test]
fn money_and_time_are_written_as_people_write_them() {
    let amount = Tiyin::from_soum(15_000).unwrap();
    assert_eq!(money(Language::Uz, amount), "15 000 so'm");
    assert_eq!(money(Language::Ru, amount), "15 000 сум");
    assert_eq!(money(Language::En, amount), "15 000 so'm");
    assert_eq!(date_time(datetime!(2026-11-23 19:05 UTC)), "24.11.2026 00:05");
    assert_eq!(clock_time(datetime!(2026-11-23 07:05 UTC)), "12:05");
}

#[test]
fn what_fills_a_gap_cannot_become_markup() {
    let said = say(Language::En, "order-line", &Gaps::new().text("title", "<b>&\"").count("count", 2));
    assert_eq!(said, "• &lt;b&gt;&amp;\" × 2");
}
