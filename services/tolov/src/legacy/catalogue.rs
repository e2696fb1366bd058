//! Categories and products.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Result, ensure};
use serde_json::Value;
use tolov_domain::{ProductId, Tiyin};
use tolov_shop::catalogue::{
    CATEGORIES_MAX, Category, DESCRIPTION_MAX_CHARS, FileId, PRODUCTS_MAX, Product, TITLE_MAX_CHARS,
};

use super::{fields, report::Remarks, source::OldShop};

/// Where products go that no category of the old shop lists.
const OTHER_TITLE: &str = "Boshqa";

#[derive(Debug, Default)]
pub(super) struct Catalogue {
    pub(super) categories: BTreeMap<i64, Category>,
    pub(super) products: BTreeMap<ProductId, Product>,
}

impl Catalogue {
    pub(super) fn title(&self, id: ProductId) -> String {
        self.products.get(&id).map(|product| product.title.clone()).unwrap_or_default()
    }
}

/// `keeps_photos`: the new shop has the token of the old bot, whose file ids no other bot can use.
pub(super) fn convert(old: &OldShop, keeps_photos: bool, remarks: &mut Remarks) -> Result<Catalogue> {
    let mut catalogue = Catalogue::default();
    let category_of = categories(old, keeps_photos, &mut catalogue, remarks);
    for record in &old.products {
        product(record, &category_of, keeps_photos, &mut catalogue, remarks);
    }
    let (categories, products) = (catalogue.categories.len(), catalogue.products.len());
    ensure!(
        categories <= CATEGORIES_MAX && products <= PRODUCTS_MAX,
        "the old shop has {categories} categories and {products} products; a shop has at most {CATEGORIES_MAX} and \
         {PRODUCTS_MAX}"
    );
    Ok(catalogue)
}

/// Returns in which category each product is: the first that lists it.
fn categories(
    old: &OldShop,
    keeps_photos: bool,
    catalogue: &mut Catalogue,
    remarks: &mut Remarks,
) -> HashMap<i64, i64> {
    let mut category_of = HashMap::new();
    let numbers: Vec<i64> =
        old.categories.iter().filter_map(|record| fields::whole(record, "category_id")).collect();
    let mut next_id = numbers.iter().copied().max().unwrap_or_default().saturating_add(1);
    for record in &old.categories {
        let title = fields::text(record, "name");
        let number = fields::whole(record, "category_id").filter(|number| *number > 0);
        let (Some(title), Some(number)) = (title, number) else {
            remarks.left_out(
                "category",
                fields::text(record, "category_id").unwrap_or_default(),
                "it has no name or no number",
            );
            continue;
        };
        let id = if catalogue.categories.contains_key(&number) {
            remarks.changed(
                "category",
                number,
                format!("the number is used twice: \"{title}\" becomes {next_id}"),
            );
            next_id
        } else {
            number
        };
        next_id = next_id.max(id.saturating_add(1));
        let position = i64::try_from(catalogue.categories.len()).unwrap_or(i64::MAX).saturating_add(1);
        let photo = photo(record, keeps_photos, "category", id, remarks);
        let category = Category { id, title: cut(&title, TITLE_MAX_CHARS), photo, position, hidden: false };
        catalogue.categories.insert(id, category);
        for product in fields::list(record, "products") {
            if let Some(product) = fields::whole(&serde_json::json!({ "id": product }), "id") {
                category_of.entry(product).or_insert(id);
            }
        }
    }
    let is_listed =
        |record: &Value| fields::whole(record, "id").is_some_and(|id| category_of.contains_key(&id));
    if !old.products.iter().all(is_listed) {
        let position = i64::try_from(catalogue.categories.len()).unwrap_or(i64::MAX).saturating_add(1);
        let other =
            Category { id: next_id, title: OTHER_TITLE.to_owned(), photo: None, position, hidden: false };
        catalogue.categories.insert(next_id, other);
        category_of.insert(0, next_id);
    }
    category_of
}

fn product(
    record: &Value,
    category_of: &HashMap<i64, i64>,
    keeps_photos: bool,
    catalogue: &mut Catalogue,
    remarks: &mut Remarks,
) {
    let number = fields::whole(record, "id").unwrap_or_default();
    let title = fields::text(record, "title");
    let (Some(title), Ok(id)) = (title, ProductId::try_new(number)) else {
        remarks.left_out("product", number, "it has no title or no number");
        return;
    };
    if catalogue.products.contains_key(&id) {
        // Which of the two an order means nobody can tell: the first keeps the number.
        remarks.left_out("product", number, format!("the number is used twice: add \"{title}\" by hand"));
        return;
    }
    let price = fields::amount(record, "price").filter(|price| price.amount > Tiyin::ZERO);
    match price {
        None => remarks.changed(
            "product",
            number,
            format!("\"{title}\" has no readable price: it is hidden until it gets one"),
        ),
        Some(price) if !price.is_exact => {
            let (written, read) = (fields::text(record, "price").unwrap_or_default(), price.amount.grouped());
            remarks.changed(
                "product",
                number,
                format!("the price of \"{title}\", {written}, is read as {read}"),
            );
        }
        Some(_) => {}
    }
    let Some(category_id) = category_of.get(&number).or_else(|| category_of.get(&0)).copied() else { return };
    if !category_of.contains_key(&number) {
        remarks.changed(
            "product",
            number,
            format!("no category lists \"{title}\": it goes to {OTHER_TITLE}"),
        );
    }
    if title.chars().count() > TITLE_MAX_CHARS {
        remarks.changed("product", number, format!("the title is cut to {TITLE_MAX_CHARS} characters"));
    }
    let description = fields::text(record, "description").unwrap_or_default();
    if description.chars().count() > DESCRIPTION_MAX_CHARS {
        remarks.changed(
            "product",
            number,
            format!("the description is cut to {DESCRIPTION_MAX_CHARS} characters"),
        );
    }
    let product = Product {
        title: cut(&title, TITLE_MAX_CHARS),
        description: cut(&description, DESCRIPTION_MAX_CHARS),
        photo: photo(record, keeps_photos, "product", number, remarks),
        hidden: price.is_none(),
        price: price.map_or(Tiyin::ZERO, |price| price.amount),
        ..Product::new(id, category_id)
    };
    catalogue.products.insert(id, product.seal());
}

fn photo(
    record: &Value,
    keeps: bool,
    kind: &'static str,
    number: i64,
    remarks: &mut Remarks,
) -> Option<FileId> {
    let photo = fields::text(record, "photo")?;
    if !keeps {
        remarks.changed(kind, number, "its photo belongs to another bot: send it to this one");
        return None;
    }
    Some(photo)
}

fn cut(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}

/// The numbers that are used.
pub(super) fn numbers(catalogue: &Catalogue) -> BTreeSet<ProductId> {
    catalogue.products.keys().copied().collect()
}
