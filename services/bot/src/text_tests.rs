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

#[test]
fn every_text_is_there_in_every_language_with_the_same_gaps() {
    let uzbek = texts(Language::Uz);
    let keys: BTreeSet<_> = Key::ALL.iter().map(|key| key.as_str().to_owned()).collect();
    assert_eq!(uzbek.keys().cloned().collect::<BTreeSet<_>>(), keys);
    for language in [Language::Ru, Language::En] {
        // A plural form may say its number in a word, so what counts is the gaps of the whole text.
        assert_eq!(texts(language), uzbek, "{language:?}");
    }
}

#[test]
fn every_text_can_be_said_in_every_language() {
    for language in Language::ALL {
        let gaps = texts(language);
        for key in Key::ALL {
            for count in [1, 2, 5, 11, 21] {
                let filled = gaps[key.as_str()].iter().fold(Gaps::new(), |filled, name| {
                    let name: &'static str = name.clone().leak();
                    if name == "count" { filled.count(name, count) } else { filled.text(name, "7") }
                });
                let said = say(language, *key, &filled);
                assert_ne!(said, key.as_str(), "{language:?} cannot say it");
                assert!(!said.contains(['\u{2068}', '\u{2069}', '{', '}']), "{said}");
                assert!(!said.contains(['ʻ', '’', '‘', '\u{a0}']), "type ' and plain spaces: {said}");
            }
        }
    }
}

#[test]
fn numbers_take_the_forms_of_their_language() {
    let more = |language, count| say(language, Key::OrderLinesMore, &Gaps::new().count("count", count));
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
    let said = say(Language::En, Key::OrderLine, &Gaps::new().text("title", "<b>&\"").count("count", 2));
    assert_eq!(said, "• &lt;b&gt;&amp;\" × 2");
}
