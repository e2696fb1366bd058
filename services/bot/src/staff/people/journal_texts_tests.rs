use tolov_domain::Tiyin;

use super::*;

fn text(language: Language, action: &Action) -> String {
    let names: Names = [(user(77), "Ali".to_owned())].into_iter().collect();
    let (what, detail) = texts_of(language, action, &names);
    assert!(!what.is_empty() && !what.contains("journal-"), "{what}");
    detail
}

fn user(id: i64) -> UserId {
    UserId::try_new(id).unwrap()
}

fn of_product(change: ProductChange) -> Action {
    Action::Product { product_id: ProductId::try_new(7).unwrap(), title: "Choy".to_owned(), change }
}

fn of_member(name: &str, change: MemberChange) -> Action {
    Action::Member { user_id: user(9), name: name.to_owned(), change }
}

#[test]
fn roles_and_labels_are_shown_in_the_language_of_the_reader() {
    let role = MemberChange::Role { was: Role::Manager, now: Role::Courier };
    assert_eq!(text(Language::Uz, &of_member("Ali", role)), "9 Ali: Menejer → Kuryer");
    let added = MemberChange::Added { role: Role::Owner };
    assert_eq!(text(Language::Ru, &of_member("a: b", added)), "9 a: b: Владелец");
    let fiscal =
        |field, now: &str| of_product(ProductChange::Fiscal { field, was: None, now: Some(now.to_owned()) });
    assert_eq!(text(Language::Uz, &fiscal(FiscalField::VatPercent, "12")), "7 Choy: QQS – → QQS 12%");
    assert_eq!(
        text(Language::Uz, &fiscal(FiscalField::PackageCode, "12")),
        "7 Choy: Qadoq kodi – → Qadoq kodi 12"
    );
    assert_eq!(text(Language::En, &of_product(ProductChange::Photo)), "7 Choy");
    assert_eq!(text(Language::En, &Action::SupportAnswered { user_id: user(77) }), "Ali");
    assert_eq!(text(Language::En, &Action::SupportAnswered { user_id: user(78) }), "78");
    let title = ProductChange::Title { was: "manager → courier".to_owned() };
    assert_eq!(text(Language::En, &of_product(title)), "7 Choy: manager → courier → Choy");
}

#[test]
fn an_import_is_shown_in_the_language_of_the_reader() {
    let import = Action::CatalogueImported { products_new: 3, products_changed: 2, categories_new: 1 };
    assert_eq!(text(Language::Uz, &import), "yangi mahsulotlar: 3, o‘zgarganlari: 2, yangi bo‘limlar: 1");
    for language in [Language::Uz, Language::Ru] {
        assert!(!text(language, &import).contains("products"));
    }
}

#[test]
fn a_value_that_is_not_set_is_a_dash_and_an_uncounted_stock_is_endless() {
    let description = ProductChange::Description { was: String::new(), now: "Qora".to_owned() };
    assert_eq!(text(Language::En, &of_product(description)), "7 Choy: – → Qora");
    let stock = ProductChange::Stock { was: None, now: Some(3), portion: None };
    assert_eq!(text(Language::En, &of_product(stock)), "7 Choy: ∞ → 3");
    let price = |soum| Tiyin::from_soum(soum).unwrap();
    let price = ProductChange::Price { was: price(12_000), now: price(13_000) };
    assert_eq!(text(Language::En, &of_product(price)), "7 Choy: 12\u{a0}000 → 13\u{a0}000");
}
