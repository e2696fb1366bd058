use std::collections::{BTreeMap, BTreeSet};

use time::macros::datetime;

use super::*;

use crate::texts::{clock_time, date_time, isolated, money, number, percent};

/// The texts of one language: each key with the arguments that it names.
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
            for argument in line.split('$').skip(1) {
                let name: String = argument.chars().take_while(char::is_ascii_alphanumeric).collect();
                texts.get_mut(&key).unwrap().insert(name);
            }
        }
    }
    texts
}

/// Every literal of the sources that has the form of a key.
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
                && !path.ends_with("src/texts.rs")
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
fn every_text_exists_in_every_language_with_the_same_arguments_and_is_used() {
    let uzbek = texts(Language::Uz);
    let named = named_keys();
    let of_texts_rs = ["money", "number", "unit-kilogram", "unit-litre", "unit-metre"];
    for key in uzbek.keys().filter(|key| !of_texts_rs.contains(&key.as_str())) {
        assert!(named.contains(key), "{key} is used nowhere");
    }
    for language in [Language::Ru, Language::En] {
        // A plural form may say its number in a word, so the arguments of the whole text are compared.
        let other = texts(language);
        for (key, names) in &uzbek {
            assert_eq!(other.get(key), Some(names), "{key} in {language:?}");
        }
        for key in other.keys() {
            assert!(uzbek.contains_key(key), "{key} is there in {language:?} alone");
        }
    }
}

/// A key that no language has would be shown to people as it is.
#[test]
fn every_key_that_a_macro_names_exists() {
    let uzbek = texts(Language::Uz);
    let mut sources = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut checked = 0;
    while let Some(path) = sources.pop() {
        if path.is_dir() {
            sources.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        if path.ends_with("src/texts.rs") || path.to_string_lossy().ends_with("_tests.rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        for call in ["t!(", "l!("] {
            for (at, _) in source.match_indices(call) {
                // `assert!(` ends like `t!(`.
                if source[..at].ends_with(|before: char| before.is_ascii_alphanumeric() || before == '_') {
                    continue;
                }
                let arguments = source[at + call.len()..].split(';').next().unwrap();
                let Some(key) = arguments.split('"').nth(1).filter(|_| !arguments.starts_with('&')) else {
                    continue;
                };
                // The key follows the first comma.
                let second = arguments.split(',').nth(1).unwrap_or_default().trim_start();
                if second.starts_with('"') {
                    assert!(uzbek.contains_key(key), "{key} of {} is in no language", path.display());
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 10, "{checked}");
}

#[test]
fn every_text_can_be_formatted_in_every_language() {
    for language in Language::ALL {
        for (key, names) in texts(language) {
            for count in [1, 2, 5, 11, 21] {
                let arguments = names.iter().map(|name| {
                    let value =
                        if name == "count" { FluentValue::from(count) } else { FluentValue::from("7") };
                    (Cow::Owned(name.clone()), value)
                });
                let arguments: HashMap<Cow<'static, str>, FluentValue<'_>> = arguments.collect();
                let said = LOCALES.lookup_single_language(&tag(language), &key, Some(&arguments)).unwrap();
                assert!(!said.contains(['\u{2068}', '\u{2069}', '{', '}']), "{said}");
            }
        }
    }
}

/// The letters o‘ and g‘ are written with U+2018, every other apostrophe with U+2019; an amount and its unit stay on one line.
#[test]
fn apostrophes_and_the_blanks_before_units_are_typographic() {
    const UNITS: [&str; 10] = ["so‘m", "сум", "UZS", "dona", "ta", "kishi", "шт.", "мин", "pc", "pcs"];
    for language in Language::ALL {
        let folder = format!("{}/locales/{}", env!("CARGO_MANIFEST_DIR"), language.as_str());
        for file in std::fs::read_dir(folder).unwrap() {
            let content = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for line in content.lines().filter(|line| !line.starts_with('#')) {
                for unit in UNITS {
                    let loose = line
                        .match_indices(&format!("}} {unit}"))
                        .any(|(at, found)| !line[at + found.len()..].starts_with(char::is_alphanumeric));
                    assert!(!loose, "U+00A0 is wanted before {unit}: {line}");
                }
                assert!(
                    !line.contains(['\'', '`', 'ʻ', 'ʼ']),
                    "type ‘ after an Uzbek o or g, ’ elsewhere: {line}"
                );
                if language == Language::Uz {
                    for (at, mark) in line.match_indices(['‘', '’']) {
                        let after_o_or_g = line[..at].ends_with(['o', 'O', 'g', 'G']);
                        assert_eq!(mark == "‘", after_o_or_g, "{line}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_number_follows_its_sign_at_once_which_is_a_hash_in_english_alone() {
    for language in Language::ALL {
        let folder = format!("{}/locales/{}", env!("CARGO_MANIFEST_DIR"), language.as_str());
        for file in std::fs::read_dir(folder).unwrap() {
            let content = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for line in content.lines().filter(|line| !line.starts_with('#')) {
                let other = if language == Language::En { "№" } else { "#{" };
                assert!(!line.contains(other) && !line.contains("№ ") && !line.contains("# "), "{line}");
            }
        }
    }
}

#[test]
fn numbers_take_the_plural_forms_of_their_language() {
    let more = |language, count: u32| t!(language, "order-lines-more", count = count);
    assert_eq!(more(Language::Ru, 1), "… и ещё 1 наименование");
    assert_eq!(more(Language::Ru, 3), "… и ещё 3 наименования");
    assert_eq!(more(Language::Ru, 11), "… и ещё 11 наименований");
    assert_eq!(more(Language::Ru, 21), "… и ещё 21 наименование");
    assert_eq!(more(Language::En, 1), "… and 1 more product");
    assert_eq!(more(Language::En, 2), "… and 2 more products");
    assert_eq!(more(Language::Uz, 2), "… va yana 2 xil mahsulot");
}

#[test]
fn money_and_time_are_formatted() {
    let amount = Tiyin::from_soum(15_000).unwrap();
    assert_eq!(money(Language::Uz, amount), "15\u{a0}000\u{a0}so‘m");
    assert_eq!(money(Language::Ru, amount), "15\u{a0}000\u{a0}сум");
    assert_eq!(money(Language::En, amount), "15\u{a0}000\u{a0}UZS");
    assert_eq!(
        [875, 1000, 3].map(|permille| percent(Language::Ru, permille)),
        ["87,5\u{a0}%", "100,0\u{a0}%", "0,3\u{a0}%"]
    );
    assert_eq!(percent(Language::Uz, 875), "87,5\u{a0}%");
    assert_eq!(percent(Language::En, 875), "87.5%");
    assert_eq!(number(Language::Ru, 1001), "№1001");
    assert_eq!(number(Language::En, 1001), "#1001");
    assert_eq!(date_time(datetime!(2026-11-23 19:05 UTC)), "24.11.2026 00:05");
    assert_eq!(clock_time(datetime!(2026-11-23 07:05 UTC)), "12:05");
}

#[test]
fn a_name_that_is_written_from_right_to_left_does_not_reorder_the_phone_after_it() {
    assert_eq!(isolated("Ali Valiyev"), "Ali Valiyev");
    assert_eq!(isolated("Зуҳра"), "Зуҳра");
    assert_eq!(isolated("محمد"), "\u{2068}محمد\u{2069}");
    assert_eq!(isolated("Ali\u{2067}\u{202e}"), "\u{2068}Ali\u{2069}");
}

#[test]
fn an_argument_cannot_become_markup() {
    let said = t!(Language::En, "order-line", title = "<b>&\"", count = 2_u32);
    assert_eq!(said, "• &lt;b&gt;&amp;\" × 2");
}
