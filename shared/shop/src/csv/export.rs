//! Export.

use std::collections::HashMap;

use tolov_domain::{
    Tiyin,
    order::{Portion, decimal},
};

use super::{
    cells::{guarded, table},
    columns::Column,
};
use crate::catalogue::{Catalogue, Product};

/// The catalogue as CSV: UTF-8 for Excel, categories in the order of the menu.
pub fn export(catalogue: &Catalogue) -> Vec<u8> {
    let categories: HashMap<i64, (usize, &str)> = catalogue
        .categories
        .iter()
        .enumerate()
        .map(|(position, category)| (category.id, (position, category.title.as_str())))
        .collect();
    // Products without an existing category come last.
    let category_of = |product: &Product| categories.get(&product.category_id).copied();
    let mut products: Vec<&Product> = catalogue.products.iter().collect();
    products.sort_by_key(|product| {
        (category_of(product).map_or(usize::MAX, |(position, _)| position), product.id)
    });
    let rows = products.into_iter().flat_map(|product| {
        rows_of(product, category_of(product).map(|(_, title)| title).unwrap_or_default())
    });
    table(Column::ALL.map(Column::name), rows)
}

fn rows_of(product: &Product, category: &str) -> Vec<[String; Column::ALL.len()]> {
    let row = |label: &str, variant_id: String, price: Tiyin, stock: Option<u32>| {
        Column::ALL.map(|column| match column {
            Column::ProductId => product.id.to_string(),
            Column::Category => guarded(category),
            Column::Title => guarded(&product.title),
            Column::Description => guarded(&product.description),
            Column::Variant => guarded(label),
            Column::VariantId => variant_id.clone(),
            Column::Portion => portion_text(product.portion),
            Column::Price => price_text(price),
            Column::Stock => stock_text(stock, product.portion),
            Column::Hidden => yes_or_no(product.hidden).to_owned(),
            Column::Mxik => guarded(product.fiscal.mxik.as_deref().unwrap_or_default()),
            Column::PackageCode => guarded(product.fiscal.package_code.as_deref().unwrap_or_default()),
            Column::VatPercent => number_text(product.fiscal.vat_percent),
            Column::Photo => guarded(&product.photos().join(" ")),
        })
    };
    if product.variants.is_empty() {
        return vec![row("", String::new(), product.price, product.stock)];
    }
    let variants = product.variants.iter();
    variants
        .map(|variant| row(&variant.label, variant.id.to_string(), variant.price, variant.stock))
        .collect()
}

/// So'm, with decimals only if there are tiyin.
pub(crate) fn price_text(price: Tiyin) -> String {
    let text = price.soum_text();
    text.strip_suffix(".00").map(str::to_owned).unwrap_or(text)
}

/// `0,5 kg`.
pub(super) fn portion_text(portion: Option<Portion>) -> String {
    portion.map_or_else(String::new, |portion| {
        format!("{} {}", decimal(portion.thousandths_of(1), ','), portion.unit.as_str())
    })
}

/// Pieces, or kilograms, litres or metres.
pub(super) fn stock_text(stock: Option<u32>, portion: Option<Portion>) -> String {
    match (stock, portion) {
        (Some(count), Some(portion)) => decimal(portion.thousandths_of(count), ','),
        (stock, _) => number_text(stock),
    }
}

fn number_text(number: Option<impl ToString>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

pub(super) const fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}
