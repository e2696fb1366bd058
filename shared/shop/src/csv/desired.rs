//! A product as a file wants it.

use tolov_domain::{ProductId, Tiyin, order::Portion};

use super::{
    columns::Column,
    problem::{Problem, RowError},
    rows::{self, Cell, Row},
};
use crate::catalogue::{FileId, Fiscal, Product, VARIANTS_MAX};

/// The category that a product is to be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CategoryRef {
    Existing(i64),
    /// One of the plan's new categories, by its place among them.
    New(usize),
}

/// A product as it is to be, apart from its holds, which stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DesiredProduct {
    pub(super) category: CategoryRef,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) photos: Vec<FileId>,
    pub(super) hidden: bool,
    pub(super) fiscal: Fiscal,
    pub(super) portion: Option<Portion>,
    pub(super) price: Tiyin,
    pub(super) stock: Option<u32>,
    pub(super) variants: Vec<DesiredVariant>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DesiredVariant {
    /// `None`: it is new.
    pub(super) id: Option<ProductId>,
    pub(super) label: String,
    pub(super) price: Tiyin,
    pub(super) stock: Option<u32>,
}

impl DesiredProduct {
    /// The product unchanged.
    pub(super) fn of(product: &Product) -> Self {
        let variant = |variant: &crate::catalogue::Variant| DesiredVariant {
            id: Some(variant.id),
            label: variant.label.clone(),
            price: variant.price,
            stock: variant.stock,
        };
        Self {
            category: CategoryRef::Existing(product.category_id),
            title: product.title.clone(),
            description: product.description.clone(),
            photos: product.photos(),
            hidden: product.hidden,
            fiscal: product.fiscal.clone(),
            portion: product.portion,
            price: product.price,
            stock: product.stock,
            variants: product.variants.iter().map(variant).collect(),
        }
    }

    /// A new product, before its rows are read.
    fn new(category: CategoryRef) -> Self {
        Self {
            category,
            title: String::new(),
            description: String::new(),
            photos: Vec::new(),
            hidden: false,
            fiscal: Fiscal::default(),
            portion: None,
            price: Tiyin::ZERO,
            stock: None,
            variants: Vec::new(),
        }
    }

    /// Applies the rows of one product, at least one.
    pub(super) fn read(
        before: Option<&Product>,
        category: CategoryRef,
        rows: &[Row],
    ) -> Result<Self, Vec<RowError>> {
        let mut desired = before.map_or_else(|| Self::new(category), Self::of);
        desired.category = category;
        let mut errors = Vec::new();
        desired.read_card(rows, &mut errors);
        desired.read_portion(before, rows, &mut errors);
        let is_in_variants = before.is_some_and(|product| !product.variants.is_empty())
            || rows.iter().any(|row| row.variant.filled().is_some() || row.variant_id.filled().is_some());
        if is_in_variants {
            desired.read_variants(before, rows, &mut errors);
        } else {
            desired.read_article(before, rows, &mut errors);
        }
        if errors.is_empty() { Ok(desired) } else { Err(errors) }
    }

    /// The columns in which all rows of a product must agree.
    fn read_card(&mut self, rows: &[Row], errors: &mut Vec<RowError>) {
        if let Cell::Filled(title) = agreed(rows, Column::Title, |row| &row.title, errors) {
            set_text(&mut self.title, title);
        }
        match agreed(rows, Column::Description, |row| &row.description, errors) {
            Cell::NoColumn => {}
            Cell::Empty => set_text(&mut self.description, ""),
            Cell::Filled(description) => set_text(&mut self.description, description),
        }
        match agreed(rows, Column::Hidden, |row| &row.hidden, errors) {
            Cell::NoColumn => {}
            Cell::Empty => self.hidden = false,
            Cell::Filled(hidden) => self.hidden = *hidden,
        }
        match agreed(rows, Column::Photo, |row| &row.photos, errors) {
            Cell::NoColumn => {}
            Cell::Empty => self.photos = Vec::new(),
            Cell::Filled(photos) => self.photos.clone_from(photos),
        }
        set(&mut self.fiscal.mxik, agreed(rows, Column::Mxik, |row| &row.mxik, errors));
        let package_code = agreed(rows, Column::PackageCode, |row| &row.package_code, errors);
        set(&mut self.fiscal.package_code, package_code);
        set(&mut self.fiscal.vat_percent, agreed(rows, Column::VatPercent, |row| &row.vat_percent, errors));
    }

    fn read_portion(&mut self, before: Option<&Product>, rows: &[Row], errors: &mut Vec<RowError>) {
        let cell = agreed(rows, Column::Portion, |row| &row.portion, errors);
        set(&mut self.portion, cell);
        if let Some(before) = before
            && before.portion != self.portion
            && let Some(row) = rows.first()
        {
            errors.push(RowError::new(row.line, Column::Portion, Problem::PortionStays));
        }
    }

    /// A product without variants has one row.
    fn read_article(&mut self, before: Option<&Product>, rows: &[Row], errors: &mut Vec<RowError>) {
        let Some((row, others)) = rows.split_first() else { return };
        errors.extend(
            others.iter().map(|other| RowError::of_row(other.line, Problem::Again { line: row.line })),
        );
        match row.price.filled() {
            Some(price) => self.price = *price,
            None if before.is_none() => errors.push(RowError::new(row.line, Column::Price, Problem::Missing)),
            None => {}
        }
        set_stock(&mut self.stock, row, self.portion, errors);
    }

    fn read_variants(&mut self, before: Option<&Product>, rows: &[Row], errors: &mut Vec<RowError>) {
        // By place: the line of each variant.
        let mut lines: Vec<Option<usize>> = vec![None; self.variants.len()];
        for row in rows {
            let place = match self.place_of(row) {
                Ok(Some(place)) => place,
                Ok(None) => continue,
                Err(problem) => {
                    errors.push(problem);
                    continue;
                }
            };
            lines.resize(self.variants.len(), None);
            let (Some(variant), Some(line)) = (self.variants.get_mut(place), lines.get_mut(place)) else {
                continue;
            };
            if let Some(line) = *line {
                errors.push(RowError::of_row(row.line, Problem::Again { line }));
            }
            *line = Some(row.line);
            if let Cell::Filled(label) = &row.variant {
                set_text(&mut variant.label, label);
            }
            if let Cell::Filled(price) = &row.price {
                variant.price = *price;
            }
            set_stock(&mut variant.stock, row, self.portion, errors);
        }
        self.check_labels(before, &lines, errors);
        if before.is_none() {
            // A product with variants has no price of its own; lists show this one.
            self.price = self.variants.iter().map(|variant| variant.price).min().unwrap_or(Tiyin::ZERO);
        }
    }

    /// The place of the variant that a row is about, which is added if there is none; `Ok(None)`: the row is about the product
    /// alone.
    fn place_of(&mut self, row: &Row) -> Result<Option<usize>, RowError> {
        if let Some(id) = row.variant_id.filled() {
            let place = self.variants.iter().position(|variant| variant.id == Some(*id));
            return place
                .map(Some)
                .ok_or_else(|| RowError::new(row.line, Column::VariantId, Problem::UnknownVariant));
        }
        let Some(label) = row.variant.filled() else {
            let is_about_an_article = row.price.has_column() || row.stock.has_column();
            return if is_about_an_article {
                Err(RowError::new(row.line, Column::Variant, Problem::WhichVariant))
            } else {
                Ok(None)
            };
        };
        if let Some(place) = self.variants.iter().position(|variant| variant.label.trim() == label) {
            return Ok(Some(place));
        }
        let Some(price) = row.price.filled() else {
            return Err(RowError::new(row.line, Column::Price, Problem::Missing));
        };
        if self.variants.len() >= VARIANTS_MAX {
            return Err(RowError::new(row.line, Column::Variant, Problem::TooManyVariants));
        }
        self.variants.push(DesiredVariant { id: None, label: label.clone(), price: *price, stock: None });
        Ok(Some(self.variants.len().saturating_sub(1)))
    }

    /// Refuses labels that the file sets and another variant has. Equal labels from before the file are tolerated.
    fn check_labels(&self, before: Option<&Product>, lines: &[Option<usize>], errors: &mut Vec<RowError>) {
        for (place, (variant, line)) in self.variants.iter().zip(lines).enumerate() {
            let was = before.and_then(|product| product.variants.get(place)).map(|variant| &variant.label);
            let is_taken = self
                .variants
                .iter()
                .enumerate()
                .any(|(other, taken)| other != place && taken.label.trim() == variant.label.trim());
            if let Some(line) = line
                && was != Some(&variant.label)
                && is_taken
            {
                errors.push(RowError::new(*line, Column::Variant, Problem::LabelTaken));
            }
        }
    }
}

/// The value of the first row; the others must have the same, or nothing.
fn agreed<'a, T: PartialEq>(
    rows: &'a [Row],
    column: Column,
    cell: impl Fn(&'a Row) -> &'a Cell<T>,
    errors: &mut Vec<RowError>,
) -> &'a Cell<T> {
    let Some((first, others)) = rows.split_first() else { return &Cell::NoColumn };
    let agreed = cell(first);
    for row in others {
        let said = cell(row);
        if said.filled().is_some() && said != agreed {
            errors.push(RowError::new(row.line, column, Problem::Differs { line: first.line }));
        }
    }
    agreed
}

fn set<T: Clone>(field: &mut Option<T>, cell: &Cell<T>) {
    match cell {
        Cell::NoColumn => {}
        Cell::Empty => *field = None,
        Cell::Filled(value) => *field = Some(value.clone()),
    }
}

fn set_stock(stock: &mut Option<u32>, row: &Row, portion: Option<Portion>, errors: &mut Vec<RowError>) {
    match &row.stock {
        Cell::NoColumn => {}
        Cell::Empty => *stock = None,
        Cell::Filled(text) => match rows::stock(text, portion) {
            Ok(count) => *stock = Some(count),
            Err(problem) => errors.push(RowError::new(row.line, Column::Stock, problem)),
        },
    }
}

/// Cells are trimmed when they are read: a text that differs only in that is unchanged.
fn set_text(field: &mut String, text: &str) {
    if field.trim() != text.trim() {
        text.clone_into(field);
    }
}
