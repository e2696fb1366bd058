use proptest::prelude::*;
use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{OrderId, OrderedProduct, ProductId, Tiyin, order::Portion};

use super::*;
use crate::{
    catalogue::{
        Catalogue, Category, Fiscal, Product, Variant, next_article_id, next_category_id,
        stock::{self, Goods},
    },
    records,
};

fn id(number: i64) -> ProductId {
    ProductId::try_new(number).unwrap()
}

fn soum(soum: i64) -> Tiyin {
    Tiyin::from_soum(soum).unwrap()
}

fn category(id: i64, title: &str) -> Category {
    Category { id, title: title.to_owned(), photo: None, position: id, hidden: false }
}

fn product(number: i64, category_id: i64, title: &str, price: i64) -> Product {
    Product { title: title.to_owned(), price: soum(price), ..Product::new(id(number), category_id) }.seal()
}

fn variant(number: i64, label: &str, price: i64, stock: Option<u32>) -> Variant {
    Variant { id: id(number), label: label.to_owned(), price: soum(price), stock }
}

/// Tea (1), and a shirt in two sizes (2: 3 and 4).
fn catalogue() -> Catalogue {
    let mut tea = product(1, 1, "Ko'k choy", 15_000);
    tea.stock = Some(5);
    let mut shirt = product(2, 2, "Futbolka", 90_000);
    shirt.variants = vec![variant(3, "M", 90_000, Some(2)), variant(4, "L", 95_000, None)];
    Catalogue {
        categories: vec![category(1, "Choy"), category(2, "Kiyim")],
        products: vec![tea, shirt.seal()],
    }
}

async fn stored(catalogue: &Catalogue) -> MemoryDocuments {
    let documents = MemoryDocuments::default();
    for category in &catalogue.categories {
        records::insert(&documents, category).await.unwrap();
        next_category_id(&documents).await.unwrap();
    }
    for product in &catalogue.products {
        records::insert(&documents, product).await.unwrap();
        for _ in &product.article_ids {
            next_article_id(&documents).await.unwrap();
        }
    }
    documents
}

/// An order holds so many of these articles.
async fn held(documents: &MemoryDocuments, order: i64, articles: &[(i64, u32)]) {
    let article = |(article, count): &(i64, u32)| OrderedProduct { product_id: id(*article), count: *count };
    let articles: Vec<OrderedProduct> = articles.iter().map(article).collect();
    stock::hold(documents, &Goods::of(OrderId::try_new(order).unwrap(), &articles)).await.unwrap();
}

/// What is wrong with a file, as `line: column: problem`.
fn refused(file: &str) -> Vec<RowError> {
    plan(file.as_bytes(), &catalogue()).unwrap_err()
}

fn error(line: usize, column: impl Into<Option<Column>>, problem: Problem) -> RowError {
    RowError { line, column: column.into(), problem }
}

fn told(plan: &Plan) -> Vec<String> {
    let changes = plan.changes().map(|change| {
        let cells: Vec<String> = change.cells.iter().map(ToString::to_string).collect();
        let number = change.product_id.map_or_else(|| "new".to_owned(), |id| id.to_string());
        format!("{number} {}: {}", change.title, cells.join("; "))
    });
    changes.collect()
}

#[test]
fn an_export_is_utf_8_for_excel_with_a_row_an_article() {
    let text = String::from_utf8(export(&catalogue())).unwrap();
    assert_eq!(
        text,
        "\u{feff}product_id;category;title;description;variant;variant_id;portion;price;stock;hidden;mxik;\
         package_code;vat_percent;photo\r\n\
         1;Choy;Ko'k choy;;;;;15000;5;no;;;;\r\n\
         2;Kiyim;Futbolka;;M;3;;90000;2;no;;;;\r\n\
         2;Kiyim;Futbolka;;L;4;;95000;;no;;;;\r\n"
    );
}

#[tokio::test]
async fn a_price_list_changes_what_it_names_and_nothing_else() {
    let before = catalogue();
    let documents = stored(&before).await;
    let file = "variant_id,product_id,price\n,1,\"16 000,50\"\n4,,99000\n";
    let plan = plan(file.as_bytes(), &before).unwrap();
    assert_eq!(told(&plan), ["1 Ko'k choy: price 15000 → 16000.50", "2 Futbolka: L: price 95000 → 99000"]);
    assert_eq!(plan.counts(), Counts { products_changed: 2, ..Counts::default() });
    let applied = apply(&documents, &plan).await.unwrap();
    assert_eq!(applied, Applied { products_changed: 2, ..Applied::default() });
    let mut wanted = before;
    wanted.products[0].price = Tiyin::try_new(1_600_050).unwrap();
    wanted.products[1].variants[1].price = soum(99_000);
    assert_eq!(Catalogue::read(&documents).await.unwrap(), wanted);
}

#[tokio::test]
async fn what_was_sold_and_held_since_the_preview_stays_so() {
    let documents = stored(&catalogue()).await;
    held(&documents, 1001, &[(1, 2)]).await;
    let before = Catalogue::read(&documents).await.unwrap();
    let file = "product_id;variant;title;price;stock\n1;;Choy;15000;3\n2;XL;;99000;7\n2;M;;91000;2";
    let plan = plan(file.as_bytes(), &before).unwrap();
    held(&documents, 1002, &[(1, 1), (3, 1)]).await;
    apply(&documents, &plan).await.unwrap();
    let after = Catalogue::read(&documents).await.unwrap();
    let [tea, shirt] = after.products.as_slice() else { panic!("{after:?}") };
    assert_eq!((tea.title.as_str(), tea.stock, tea.holds.len()), ("Choy", Some(2), 2));
    assert_eq!(
        shirt.variants,
        [variant(3, "M", 91_000, Some(1)), variant(4, "L", 95_000, None), variant(5, "XL", 99_000, Some(7))]
    );
    assert_eq!((shirt.holds.len(), shirt.article_ids.clone()), (1, [2, 3, 4, 5].map(id).to_vec()));
}

#[tokio::test]
async fn rows_without_numbers_make_products_and_categories_once() {
    let before = catalogue();
    let documents = stored(&before).await;
    let file = "category;title;variant;price;stock;hidden;mxik;vat_percent\r\n\
                KO‘YLAK;Ko'ylak;S;120000;3;ha;;\r\n\
                choy!;Qora choy;;20000;;;'01234567890123456;12%\r\n\
                Ko'ylak;Ko'ylak;M;125000;;;;\r\n\
                ;;;;;;;\r\n";
    let first = plan(file.as_bytes(), &before).unwrap();
    assert_eq!(first.new_categories(), ["KO‘YLAK"]);
    assert_eq!(first.counts(), Counts { products_new: 2, categories_new: 1, ..Counts::default() });
    assert_eq!(told(&first), ["new Ko'ylak: ", "new Qora choy: "]);
    apply(&documents, &first).await.unwrap();
    let after = Catalogue::read(&documents).await.unwrap();
    assert_eq!(after.products[..2], before.products);
    assert_eq!((after.categories.len(), after.categories[2].position), (3, 3));
    let [shirt, tea] = &after.products[2..] else { panic!("{after:?}") };
    assert_eq!((shirt.category_id, shirt.hidden, shirt.price), (3, true, soum(120_000)));
    assert_eq!(shirt.variants, [variant(6, "S", 120_000, Some(3)), variant(7, "M", 125_000, None)]);
    assert_eq!((tea.category_id, tea.fiscal.vat_percent), (1, Some(12)));
    assert_eq!(tea.fiscal.mxik.as_deref(), Some("01234567890123456"));
    let again = plan(file.as_bytes(), &after).unwrap();
    assert!(again.is_empty() && again.counts().products_same == 2, "{again:?}");
}

#[test]
fn every_bad_row_is_told_with_its_line_and_what_to_do() {
    let file = "product_id,category,title,variant,variant_id,price,stock,hidden,mxik,package_code,vat_percent,photo\n\
                1,,,,,12.345,many,perhaps,1.23E+16,x,101,a!\n\
                99,,,,,1,,,,,,\n\
                ,Choy,,,,1,,,,,,\n\
                ,,Non,,,1,,,,,,\n\
                2,,,,,1,,,,,,\n\
                2,,,XS,,,,,,,,\n\
                1,,,,3,1,,,,,,\n\
                ,,,,77,1,,,,,,\n\
                seven,,,,,0,,,,,,\n\
                1,,,,,1,,,,,,,,one more\n";
    let wanted = [
        error(2, Column::Price, Problem::NotAPrice),
        error(2, Column::Stock, Problem::NotAStock),
        error(2, Column::Hidden, Problem::NotYesOrNo),
        error(2, Column::Mxik, Problem::NotAMxik),
        error(2, Column::PackageCode, Problem::NotAPackageCode),
        error(2, Column::VatPercent, Problem::NotAPercentage),
        error(2, Column::Photo, Problem::NotAPhoto),
        error(3, Column::ProductId, Problem::UnknownProduct),
        error(4, Column::Title, Problem::Missing),
        error(5, Column::Category, Problem::Missing),
        error(6, Column::Variant, Problem::WhichVariant),
        error(7, Column::Price, Problem::Missing),
        error(8, Column::VariantId, Problem::VariantOfAnother),
        error(9, Column::VariantId, Problem::UnknownVariant),
        error(10, Column::ProductId, Problem::NotANumber),
        error(10, Column::Price, Problem::NotAPrice),
        error(11, None, Problem::TooManyCells),
    ];
    assert_eq!(refused(file), wanted);
    let first = wanted[0].to_string();
    assert_eq!(first, "line 2, price: write so'm as digits, for example 15000 or 15000.50, not 0");
}

#[test]
fn a_row_is_told_with_the_line_that_an_editor_shows() {
    let bad = |line| [error(line, Column::Price, Problem::NotAPrice)];
    let heading = "category;title;price";
    assert_eq!(refused(&format!("{heading}\nIdish;Choynak;90000\n\nIdish;Piyola;arzon\n")), bad(4));
    assert_eq!(refused(&format!("{heading}\r\n\r\n\r\nIdish;Piyola;arzon\r\n")), bad(4));
    assert_eq!(refused(&format!("{heading}\rIdish;Choynak;90000\r\rIdish;Piyola;arzon\r")), bad(4));
    let wrapped = format!("{heading}\nIdish;\"Katta\nchoynak\";90000\nIdish;Piyola;arzon\n");
    assert_eq!(refused(&wrapped), bad(4));
}

#[test]
fn rows_that_contradict_each_other_are_told() {
    let file = "product_id;title;variant;variant_id;price\n\
                1;;;;1\n1;;;;2\n2;Futbolka;;3;1\n2;Mayka;M;;1\n2;;M;4;1\n";
    assert_eq!(
        refused(file),
        [
            error(3, None, Problem::Again { line: 2 }),
            error(5, None, Problem::Again { line: 4 }),
            error(5, Column::Title, Problem::Differs { line: 4 }),
            error(6, Column::Variant, Problem::LabelTaken),
        ]
    );
    let mut two_alike = catalogue();
    two_alike.products.push(product(9, 1, "Ko'k choy", 1));
    let errors = plan(b"category;title;price\nChoy;Ko'k choy;2", &two_alike).unwrap_err();
    assert_eq!(errors, [error(2, Column::ProductId, Problem::WhichProduct)]);
}

#[test]
fn a_file_that_is_no_table_of_a_catalogue_is_refused() {
    assert_eq!(refused(""), [error(1, None, Problem::NoRows)]);
    assert_eq!(refused("product_id;price\n;\n"), [error(1, None, Problem::NoRows)]);
    assert_eq!(
        refused("nimadir;title;title\n1;2;3"),
        [
            error(1, None, Problem::UnknownColumn("nimadir".to_owned())),
            error(1, None, Problem::TooFewColumns),
            error(1, Column::Title, Problem::ColumnTwice),
        ]
    );
    let windows_1251 = b"category;title;price\n\xd7\xe0\xe9;\xd7\xe0\xe9;1";
    assert_eq!(plan(windows_1251, &catalogue()), Err(vec![error(1, None, Problem::NotUtf8)]));
    let large = vec![b'a'; FILE_MAX_BYTES + 1];
    assert_eq!(plan(&large, &catalogue()), Err(vec![error(1, None, Problem::TooLarge)]));
    let long = "product_id\n".to_owned() + &"1\n".repeat(ROWS_MAX + 1);
    assert_eq!(refused(&long), [error(ROWS_MAX + 2, None, Problem::TooManyRows)]);
}

#[test]
fn sizes_are_held() {
    let many = (0..51).map(|label| format!("1;Razmer {label};1000\n")).collect::<Vec<_>>().concat();
    let errors = refused(&format!("product_id;variant;price\n{many}"));
    assert_eq!(errors, [error(52, Column::Variant, Problem::TooManyVariants)]);
    let errors = refused(&format!("category;title;price\nChoy;{};1", "x".repeat(101)));
    assert_eq!(errors, [error(2, Column::Title, Problem::TooLong { max_chars: 100 })]);
    let many = (0..499).map(|number| format!("Turkum {number};Non;1000\n")).collect::<Vec<_>>().concat();
    let errors = refused(&format!("category;title;price\n{many}"));
    assert_eq!(errors.first(), Some(&error(500, Column::Category, Problem::TooManyCategories)));
}

#[test]
fn what_is_sold_by_weight_has_its_portion_price_and_stock_in_the_unit() {
    let file =
        "category;title;portion;price;stock\nMeva;Olma;0,5 kg;24000;12,7\nMeva;Uzum;100 g;30000;300 g\n";
    let planned = plan(file.as_bytes(), &Catalogue::default()).unwrap();
    let apples = &planned.new[0];
    assert_eq!((apples.portion, apples.stock), (Portion::parse("500 g"), Some(25)));
    assert_eq!(planned.new[1].stock, Some(3));
    let mut before = catalogue();
    before.products[0].portion = apples.portion;
    let exported = String::from_utf8(export(&before)).unwrap();
    assert!(exported.contains(";\"0,5 kg\";15000;\"2,5\";"), "{exported}");
    assert!(plan(exported.as_bytes(), &before).unwrap().is_empty());
    let errors = plan(b"product_id;portion;stock\n1;1 kg;1\n2;;\n", &before).unwrap_err();
    assert_eq!(errors[0], error(2, Column::Portion, Problem::PortionStays));
    assert_eq!(refused("product_id;portion\n1;ko'p\n"), [error(2, Column::Portion, Problem::NotAPortion)]);
    assert_eq!(refused("product_id;stock\n1;1,5\n"), [error(2, Column::Stock, Problem::NotAStock)]);
}

#[test]
fn several_photos_of_a_product_stand_in_one_cell() {
    let mut before = catalogue();
    before.products[0].set_photos(vec!["one".to_owned(), "two".to_owned(), "three".to_owned()]);
    let exported = String::from_utf8(export(&before)).unwrap();
    assert!(exported.contains(";one two three\r\n"), "{exported}");
    let planned = plan(b"product_id;photo\n1;two  four\n", &before).unwrap();
    assert_eq!(told(&planned), ["1 Ko'k choy: photo one two three → two four"]);
}

#[tokio::test]
async fn an_empty_cell_takes_away_what_can_be_missing_and_leaves_what_cannot() {
    let mut before = catalogue();
    before.products[0].description = "Yangi hosil".to_owned();
    before.products[0].photo = Some("AgACAgIAAxk".to_owned());
    let file = "product_id;category;title;description;price;stock;photo\n1;;;;;;\n";
    let plan = plan(file.as_bytes(), &before).unwrap();
    assert_eq!(
        told(&plan),
        ["1 Ko'k choy: description Yangi hosil → (none); stock 5 → (none); photo AgACAgIAAxk → (none)"]
    );
    let documents = stored(&before).await;
    records::remove::<Product>(&documents, 1).await.unwrap();
    assert_eq!(apply(&documents, &plan).await.unwrap().gone, [id(1)]);
}

prop_compose! {
    fn any_text(max: usize)(text in prop::collection::vec(
        prop_oneof!["[a-zA-Zа-яʻ0-9 ]", "[-'=+@;,\"\n\t./]"], 1..max,
    )) -> String {
        text.concat()
    }
}

prop_compose! {
    fn any_product()(
        (title, description, photos) in
            (any_text(20), any_text(60), prop::collection::vec("[A-Za-z0-9_-]{1,40}", 0..4)),
        portion in prop::option::of(1..=100_000_u32),
        (category_id, price, stock, hidden) in
            (1..4_i64, 1..=Tiyin::MAX.get(), prop::option::of(any::<u32>()), any::<bool>()),
        variants in prop::collection::vec((any_text(12), 1..=Tiyin::MAX.get(), prop::option::of(any::<u32>())), 0..4),
        (mxik, package_code, vat_percent) in (
            prop::option::of("[0-9]{17}"), prop::option::of("[0-9]{1,20}"), prop::option::of(0..=100_u8),
        ),
    ) -> Product {
        let variant = |(label, price, stock)| Variant { id: id(1), label, price: Tiyin::try_new(price).unwrap(), stock };
        let variants = variants.into_iter().map(variant).collect();
        let price = Tiyin::try_new(price).unwrap();
        let fiscal = Fiscal { mxik, package_code, vat_percent };
        let common = product(1, category_id, &title, 1);
        let portion = portion.and_then(|thousandths| Portion::parse(&format!("{thousandths} g")));
        let mut product = Product { description, hidden, portion, price, stock, variants, fiscal, ..common };
        product.set_photos(photos);
        product
    }
}

fn numbered(mut products: Vec<Product>) -> Vec<Product> {
    let mut number = 0;
    let mut next = || {
        number += 1;
        id(number)
    };
    for product in &mut products {
        product.id = next();
        for variant in &mut product.variants {
            variant.id = next();
        }
    }
    products.into_iter().map(Product::seal).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn an_export_that_is_imported_changes_nothing(
        titles in prop::collection::vec(any_text(20), 3),
        products in prop::collection::vec(any_product(), 1..8),
    ) {
        let categories = titles.iter().zip(1..).map(|(title, id)| category(id, title)).collect();
        let catalogue = Catalogue { categories, products: numbered(products) };
        let plan = plan(&export(&catalogue), &catalogue);
        let plan = plan.map_err(|errors| TestCaseError::fail(format!("{errors:?}")))?;
        prop_assert!(plan.is_empty(), "{:?}", told(&plan));
        prop_assert_eq!(plan.counts().products_same, catalogue.products.len());
    }
}
