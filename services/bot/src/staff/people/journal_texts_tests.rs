use std::{collections::BTreeSet, path::PathBuf};

use time::macros::datetime;
use tolov_domain::{
    ClickPaydocId, ClickTransId, PrepareId,
    event::EventKind,
    payment::{Anomaly, ClickError},
};

use super::*;

/// Every literal of the sources that has the form of a journal's word.
fn written_words() -> BTreeSet<String> {
    const OF: [&str; 9] =
        ["category", "product", "variant", "promo", "staff", "catalogue", "order", "broadcast", "support"];
    let is_word = |text: &str| {
        text.split_once('.').is_some_and(|(of, did)| {
            OF.contains(&of) && !did.is_empty() && did.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        })
    };
    let mut words = BTreeSet::new();
    let mut paths = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(path).unwrap();
            words.extend(
                source
                    .lines()
                    .flat_map(|line| line.split('"').skip(1).step_by(2))
                    .filter(|text| is_word(text))
                    .map(str::to_owned),
            );
        }
    }
    words
}

#[test]
fn every_word_of_the_journal_has_a_name_in_every_language() {
    let words = written_words();
    for known in
        ["order.made_ready", "broadcast.paused", "support.answered", "catalogue.imported", "promo.off"]
    {
        assert!(words.contains(known), "{known} is not among {words:?}");
    }
    for language in Language::ALL {
        for word in &words {
            let name = deed_name(language, word);
            assert!(!name.contains('.') && !name.contains("did-"), "{word} is {name} in {language:?}");
        }
    }
    assert_eq!(deed_name(Language::Uz, "moon.landed"), "moon.landed", "of another version");
}

#[test]
fn every_event_has_a_name_in_every_language() {
    for event in event_kinds() {
        for language in Language::ALL {
            let name = event_name(language, event.name());
            assert!(!name.contains('.') && !name.starts_with("event-"), "{name}");
        }
    }
    assert_eq!(event_name(Language::Ru, "payment.questioned"), "платёж нужно проверить");
}

fn said(language: Language, what: &str, detail: &str) -> String {
    let id = UserId::try_new(5).unwrap();
    let action = StaffAction {
        id: 1,
        staff_id: id,
        at: datetime!(2026-11-23 07:05 UTC),
        what: what.to_owned(),
        order_id: None,
        detail: detail.to_owned(),
    };
    let names: Names = [(UserId::try_new(77).unwrap(), "Ali".to_owned())].into_iter().collect();
    super::detail(language, &action, &names)
}

#[test]
fn what_is_a_word_in_a_record_is_said_in_the_readers_language() {
    assert_eq!(said(Language::Uz, "staff.role", "9 Ali: manager → courier"), "9 Ali: menejer → kuryer");
    assert_eq!(said(Language::Ru, "staff.added", "9 a: b: owner"), "9 a: b: владелец");
    assert_eq!(said(Language::Uz, "product.fiscal", "7 Choy: VAT – → VAT 12%"), "7 Choy: QQS – → QQS 12%");
    assert_eq!(
        said(Language::Uz, "product.fiscal", "7 Choy: package – → package 12"),
        "7 Choy: Qadoq kodi – → Qadoq kodi 12"
    );
    assert_eq!(said(Language::En, "product.photo", "7 Choy: AgACAgIAAxkB1 → –"), "7 Choy");
    assert_eq!(said(Language::En, "support.answered", "77"), "Ali");
    assert_eq!(said(Language::En, "support.answered", "78"), "78");
    assert_eq!(said(Language::En, "product.price", "7 Choy: manager → courier"), "7 Choy: manager → courier");
}

#[test]
fn an_import_is_told_in_the_readers_language() {
    let detail = import_detail(3, 2, 1);
    assert_eq!(
        said(Language::Uz, "catalogue.imported", &detail),
        "yangi mahsulotlar: 3, o'zgarganlari: 2, yangi bo'limlar: 1"
    );
    for language in [Language::Uz, Language::Ru] {
        assert!(!said(language, "catalogue.imported", &detail).contains("products"));
    }
    assert_eq!(said(Language::Uz, "catalogue.imported", "?"), "?");
}

fn event_kinds() -> [EventKind; 4] {
    let click_trans_id = ClickTransId::try_new(1).unwrap();
    let click_paydoc_id = ClickPaydocId::try_new(2).unwrap();
    let merchant_prepare_id = PrepareId::try_new(3).unwrap();
    let error = ClickError::from_code(-5017).unwrap();
    let anomaly = Anomaly::PaidTwice;
    [
        EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, merchant_prepare_id, late: false },
        EventKind::PaymentCancelled { click_trans_id, click_paydoc_id, merchant_prepare_id, error },
        EventKind::PaymentQuestioned {
            click_trans_id,
            click_paydoc_id,
            merchant_prepare_id: Some(merchant_prepare_id),
            anomaly,
        },
        EventKind::OrderExpired,
    ]
}
