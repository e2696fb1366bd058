use tolov_domain::Tiyin;
use tolov_shop::catalogue::Variant;

use super::*;

pub(crate) fn id(number: i64) -> ProductId {
    ProductId::try_new(number).unwrap()
}

pub(crate) fn soum(soum: i64) -> Tiyin {
    Tiyin::from_soum(soum).unwrap()
}

pub(crate) fn product(number: i64, title: &str, price: i64, stock: Option<u32>) -> Product {
    Product {
        title: title.to_owned(),
        description: "100% paxta & <ip>".to_owned(),
        price: soum(price),
        stock,
        ..Product::new(id(number), 1)
    }
    .seal()
}

pub(crate) fn with_variants(mut product: Product, variants: &[(i64, &str, i64, Option<u32>)]) -> Product {
    product.variants = variants
        .iter()
        .map(|(number, label, price, stock)| Variant {
            id: id(*number),
            label: (*label).to_owned(),
            price: soum(*price),
            stock: *stock,
        })
        .collect();
    product.seal()
}

pub(crate) fn rows(screen: &Screen) -> Vec<Vec<String>> {
    let rows = screen.markup().inline_keyboard;
    rows.into_iter().map(|row| row.into_iter().map(|button| button.text).collect()).collect()
}

fn category_of(number: i64, title: &str) -> Category {
    Category { id: number, title: title.to_owned(), photo: None, position: number, hidden: false }
}

#[test]
fn categories_are_shown_eight_to_a_page() {
    let categories: Vec<_> = (1..=10).map(|number| category_of(number, &format!("K{number}"))).collect();
    let first = rows(&categories_screen(Language::En, &categories, 0));
    assert_eq!(first.len(), 8 + 2);
    assert_eq!(first[8], ["1 / 2", "▶️"]);
    let second = rows(&categories_screen(Language::En, &categories, 1));
    assert_eq!(second, [vec!["K9"], vec!["K10"], vec!["◀️", "2 / 2"], vec!["🔎 Search", "🏠 Menu"]]);
}

#[test]
fn an_empty_catalogue_says_so_and_leads_to_the_menu() {
    for language in Language::ALL {
        let screen = categories_screen(language, &[], 0);
        assert_eq!(screen.html, t!(language, "catalogue-empty"));
        assert_eq!(rows(&screen), [[l!(language, "back-to-menu")]]);
    }
}

#[test]
fn a_category_shows_prices_marks_sold_out_products_and_escapes_its_title() {
    let products = [
        product(1, "Choy qoshiq", 12_000, None),
        product(2, "Piyola", 9_000, Some(0)),
        with_variants(product(3, "Futbolka", 1, None), &[(4, "M", 50_000, None), (5, "L", 55_000, Some(0))]),
        with_variants(product(6, "Paypoq", 1, None), &[(7, "M", 5_000, None), (8, "L", 5_000, None)]),
    ];
    let category = category_of(1, "Uy & <ro'zg'or>");
    let labels = |language| {
        let ids = products.each_ref().map(|product| product.id);
        let screen = category_screen(language, &category, 4, &Page::of(&ids, 0), &products);
        assert!(screen.html.contains("Uy &amp; &lt;ro'zg'or&gt;"), "{}", screen.html);
        rows(&screen).into_iter().take(4).flatten().collect::<Vec<_>>()
    };
    assert_eq!(
        labels(Language::Uz),
        [
            "Choy qoshiq · 12\u{a0}000\u{a0}so‘m",
            "Piyola · tugagan",
            "Futbolka · 50\u{a0}000\u{a0}so‘mdan",
            "Paypoq · 5\u{a0}000\u{a0}so‘m"
        ]
    );
    assert_eq!(
        labels(Language::Ru),
        [
            "Choy qoshiq · 12\u{a0}000\u{a0}сум",
            "Piyola · нет в наличии",
            "Futbolka · от 50\u{a0}000\u{a0}сум",
            "Paypoq · 5\u{a0}000\u{a0}сум"
        ]
    );
    assert_eq!(
        labels(Language::En),
        [
            "Choy qoshiq · 12\u{a0}000\u{a0}UZS",
            "Piyola · sold out",
            "Futbolka · from 50\u{a0}000\u{a0}UZS",
            "Paypoq · 5\u{a0}000\u{a0}UZS"
        ]
    );
}

#[test]
fn a_long_title_is_cut_before_the_price() {
    let label = product_label(Language::Ru, &product(1, &"ю".repeat(100), 999_999_999, None));
    assert!(label.ends_with("… · 999\u{a0}999\u{a0}999\u{a0}сум") && label.chars().count() <= 60, "{label}");
    assert_eq!(shortened("qisqa", 5), "qisqa");
    assert_eq!(shortened("uzun nom", 6), "uzun…");
}

#[test]
fn a_variant_shows_how_many_are_in_the_cart() {
    let of =
        |stock| with_variants(product(1, "Choy", 1, None), &[(2, "M", 5_000, stock)]).articles().remove(0);
    assert_eq!(variant_label(Language::Uz, &of(None), 0), "M · 5\u{a0}000\u{a0}so‘m");
    assert_eq!(variant_label(Language::Ru, &of(None), 2), "M · 5\u{a0}000\u{a0}сум · 🛒 2");
    assert_eq!(variant_label(Language::En, &of(Some(0)), 0), "M · sold out");
}
