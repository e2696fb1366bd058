//! What a plan would do, as people read it.

use std::fmt;

use tolov_domain::{ProductId, order::Portion};

use super::{
    columns::Column,
    desired::{CategoryRef, DesiredProduct, DesiredVariant},
    export::{portion_text, price_text, stock_text, yes_or_no},
    plan::Plan,
};

/// The size of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub products_new: usize,
    pub products_changed: usize,
    pub products_same: usize,
    /// Of existing products.
    pub variants_new: usize,
    pub categories_new: usize,
}

/// A product that is new or will change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductChange {
    /// `None`: it is new.
    pub product_id: Option<ProductId>,
    /// Its title after the import.
    pub title: String,
    /// Empty if it is new.
    pub cells: Vec<CellChange>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellChange {
    pub column: Column,
    /// The label of the variant, if it is about one.
    pub variant: Option<String>,
    /// As an export writes it; empty if there was nothing.
    pub was: String,
    pub now: String,
}

impl Plan {
    pub fn counts(&self) -> Counts {
        let new_variants =
            |desired: &DesiredProduct| desired.variants.iter().filter(|variant| variant.id.is_none()).count();
        Counts {
            products_new: self.new.len(),
            products_changed: self.changed.len(),
            products_same: self.same,
            variants_new: self.changed.iter().map(|(_, desired)| new_variants(desired)).sum(),
            categories_new: self.categories.len(),
        }
    }

    /// Whether the catalogue is as the file says already.
    pub fn is_empty(&self) -> bool {
        self.new.is_empty() && self.changed.is_empty() && self.categories.is_empty()
    }

    /// Every product that is new or will change, in the order of the file, changed ones first.
    pub fn changes(&self) -> impl Iterator<Item = ProductChange> + '_ {
        let changed = self.changed.iter().map(|(before, desired)| ProductChange {
            product_id: Some(before.id),
            title: desired.title.clone(),
            cells: self.cells(&DesiredProduct::of(before), desired),
        });
        let new = |desired: &DesiredProduct| ProductChange {
            product_id: None,
            title: desired.title.clone(),
            cells: Vec::new(),
        };
        changed.chain(self.new.iter().map(new))
    }

    /// The titles of the categories that will be created.
    pub fn new_categories(&self) -> &[String] {
        &self.categories
    }

    fn cells(&self, was: &DesiredProduct, now: &DesiredProduct) -> Vec<CellChange> {
        let card = Column::ALL.into_iter().filter_map(|column| {
            change(column, None, self.card_text(was, column)?, self.card_text(now, column)?)
        });
        let of_variants = now.variants.iter().flat_map(|variant| {
            let before = was.variants.iter().find(|before| before.id == variant.id);
            let was = before.map_or([const { String::new() }; 3], |before| {
                variant_texts(before, now.portion).map(|(_, was)| was)
            });
            variant_texts(variant, now.portion)
                .into_iter()
                .zip(was)
                .filter_map(|((column, now), was)| change(column, Some(&variant.label), was, now))
        });
        card.chain(of_variants).collect()
    }

    /// The value of a product in a column; `None` where it is a value of its variants.
    fn card_text(&self, desired: &DesiredProduct, column: Column) -> Option<String> {
        let text = match column {
            Column::Category => match desired.category {
                CategoryRef::Existing(id) => self.category_titles.get(&id).cloned().unwrap_or_default(),
                CategoryRef::New(place) => self.categories.get(place).cloned().unwrap_or_default(),
            },
            Column::Title => desired.title.clone(),
            Column::Description => desired.description.clone(),
            Column::Price if desired.variants.is_empty() => price_text(desired.price),
            Column::Stock if desired.variants.is_empty() => stock_text(desired.stock, desired.portion),
            Column::Hidden => yes_or_no(desired.hidden).to_owned(),
            Column::Mxik => desired.fiscal.mxik.clone().unwrap_or_default(),
            Column::PackageCode => desired.fiscal.package_code.clone().unwrap_or_default(),
            Column::VatPercent => {
                desired.fiscal.vat_percent.map(|percent| percent.to_string()).unwrap_or_default()
            }
            Column::Photo => desired.photos.join(" "),
            Column::Portion => portion_text(desired.portion),
            Column::Price | Column::Stock | Column::ProductId | Column::Variant | Column::VariantId => {
                return None;
            }
        };
        Some(text)
    }
}

fn variant_texts(variant: &DesiredVariant, portion: Option<Portion>) -> [(Column, String); 3] {
    [
        (Column::Variant, variant.label.clone()),
        (Column::Price, price_text(variant.price)),
        (Column::Stock, stock_text(variant.stock, portion)),
    ]
}

fn change(column: Column, variant: Option<&str>, was: String, now: String) -> Option<CellChange> {
    (was != now).then(|| CellChange { column, variant: variant.map(str::to_owned), was, now })
}

/// `price 12000 → 13000`, `M: stock → 5`.
impl fmt::Display for CellChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(variant) = &self.variant {
            write!(formatter, "{variant}: ")?;
        }
        let said = |text: &str| if text.is_empty() { "(none)".to_owned() } else { text.replace('\n', " ") };
        write!(formatter, "{} {} → {}", self.column.name(), said(&self.was), said(&self.now))
    }
}
