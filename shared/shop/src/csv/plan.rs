//! What a file would change.

use std::collections::HashMap;

use tolov_domain::ProductId;

use super::{
    columns::Column,
    desired::{CategoryRef, DesiredProduct},
    problem::{Problem, RowError},
    rows::{self, Row},
};
use crate::catalogue::{CATEGORIES_MAX, Catalogue, PRODUCTS_MAX, Product, fold};

/// How many errors of a file are reported; after correcting them one tries again.
const ERRORS_MAX: usize = 1_000;

/// What an import will do: made by [`plan`], shown as a preview, carried out by [`super::apply`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Titles, in the order of the file.
    pub(super) categories: Vec<String>,
    pub(super) new: Vec<DesiredProduct>,
    pub(super) changed: Vec<(Product, DesiredProduct)>,
    pub(super) same: usize,
    /// Of existing categories, for the preview.
    pub(super) category_titles: HashMap<i64, String>,
}

/// Compares a file with the catalogue. A file with errors is refused as a whole, with all of them, by line.
pub fn plan(file: &[u8], catalogue: &Catalogue) -> Result<Plan, Vec<RowError>> {
    let (rows, mut errors) = rows::read(file);
    let mut planner = Planner::new(catalogue);
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places: HashMap<Target, usize> = HashMap::new();
    for row in rows {
        match planner.target(&row) {
            Ok((target, category)) => {
                let place = *places.entry(target).or_insert_with_key(|target| {
                    let before = match target {
                        Target::Existing(id) => planner.products.get(id).copied(),
                        Target::New(..) => None,
                    };
                    groups.push(Group { before, category, rows: Vec::new() });
                    groups.len().saturating_sub(1)
                });
                let Some(group) = groups.get_mut(place) else { continue };
                if row.category.filled().is_some() && category != group.category {
                    let line = group.rows.first().map_or(row.line, |first| first.line);
                    errors.push(RowError::new(row.line, Column::Category, Problem::Differs { line }));
                }
                group.rows.push(row);
            }
            Err(error) => errors.push(error),
        }
    }
    let mut plan = Plan { categories: planner.new_categories, ..Plan::default() };
    for group in groups {
        let line = group.rows.first().map_or(1, |row| row.line);
        match DesiredProduct::read(group.before, group.category, &group.rows) {
            Ok(desired) => plan.add(group.before, desired),
            Err(of_product) => errors.extend(of_product),
        }
        if catalogue.products.len().saturating_add(plan.new.len()) > PRODUCTS_MAX && group.before.is_none() {
            errors.push(RowError::of_row(line, Problem::TooManyProducts));
        }
    }
    if !errors.is_empty() {
        errors.sort();
        errors.truncate(ERRORS_MAX);
        return Err(errors);
    }
    let titles = catalogue.categories.iter().map(|category| (category.id, category.title.clone()));
    plan.category_titles = titles.collect();
    Ok(plan)
}

impl Plan {
    fn add(&mut self, before: Option<&Product>, desired: DesiredProduct) {
        match before {
            None => self.new.push(desired),
            Some(before) if DesiredProduct::of(before) == desired => self.same = self.same.saturating_add(1),
            Some(before) => self.changed.push((before.clone(), desired)),
        }
    }
}

/// The product that a row is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Target {
    Existing(ProductId),
    /// By category and title.
    New(String, String),
}

struct Group<'a> {
    before: Option<&'a Product>,
    category: CategoryRef,
    rows: Vec<Row>,
}

/// The catalogue by keys, and the categories that the file adds to it.
struct Planner<'a> {
    products: HashMap<ProductId, &'a Product>,
    of_variant: HashMap<ProductId, ProductId>,
    of_title: HashMap<(i64, &'a str), Vec<ProductId>>,
    categories: HashMap<String, CategoryRef>,
    keys: HashMap<i64, String>,
    known_categories: usize,
    new_categories: Vec<String>,
}

impl<'a> Planner<'a> {
    fn new(catalogue: &'a Catalogue) -> Self {
        let (mut of_variant, mut of_title) = (HashMap::new(), HashMap::<_, Vec<ProductId>>::new());
        for product in &catalogue.products {
            of_variant.extend(product.variants.iter().map(|variant| (variant.id, product.id)));
            of_title.entry((product.category_id, product.title.trim())).or_default().push(product.id);
        }
        let mut categories = HashMap::new();
        for category in &catalogue.categories {
            // Of several with the same title the first of the menu.
            categories.entry(title_key(&category.title)).or_insert(CategoryRef::Existing(category.id));
        }
        let keys = catalogue.categories.iter().map(|category| (category.id, title_key(&category.title)));
        Self {
            products: catalogue.products.iter().map(|product| (product.id, product)).collect(),
            of_variant,
            of_title,
            categories,
            keys: keys.collect(),
            known_categories: catalogue.categories.len(),
            new_categories: Vec::new(),
        }
    }

    /// Which product a row is about, and the category that it is to be in.
    fn target(&mut self, row: &Row) -> Result<(Target, CategoryRef), RowError> {
        if let Some(id) = self.id_of(row)? {
            let now = self.products.get(&id).map_or(0, |product| product.category_id);
            return Ok((Target::Existing(id), self.category(row, Some(now))?));
        }
        let missing = |column| RowError::new(row.line, column, Problem::Missing);
        let category_title = row.category.filled().ok_or_else(|| missing(Column::Category))?;
        let title = row.title.filled().ok_or_else(|| missing(Column::Title))?;
        let category = self.category(row, None)?;
        if let CategoryRef::Existing(category_id) = category {
            // A file without numbers may be imported again without creating its products twice.
            match self.of_title.get(&(category_id, title.as_str())).map(Vec::as_slice) {
                None | Some([]) => {}
                Some([id]) => return Ok((Target::Existing(*id), category)),
                Some(_) => return Err(RowError::new(row.line, Column::ProductId, Problem::WhichProduct)),
            }
        }
        Ok((Target::New(title_key(category_title), title.clone()), category))
    }

    fn id_of(&self, row: &Row) -> Result<Option<ProductId>, RowError> {
        let of_variant = match row.variant_id.filled() {
            None => None,
            Some(id) => match self.of_variant.get(id) {
                Some(product_id) => Some(*product_id),
                None => return Err(RowError::new(row.line, Column::VariantId, Problem::UnknownVariant)),
            },
        };
        match (row.product_id.filled(), of_variant) {
            (None, of_variant) => Ok(of_variant),
            (Some(id), _) if !self.products.contains_key(id) => {
                Err(RowError::new(row.line, Column::ProductId, Problem::UnknownProduct))
            }
            (Some(id), Some(other)) if *id != other => {
                Err(RowError::new(row.line, Column::VariantId, Problem::VariantOfAnother))
            }
            (Some(id), _) => Ok(Some(*id)),
        }
    }

    fn category(&mut self, row: &Row, now: Option<i64>) -> Result<CategoryRef, RowError> {
        let stays = now.map(CategoryRef::Existing);
        let Some(title) = row.category.filled() else {
            return stays.ok_or_else(|| RowError::new(row.line, Column::Category, Problem::Missing));
        };
        let key = title_key(title);
        if let Some(now) = now
            && self.keys.get(&now) == Some(&key)
        {
            return Ok(CategoryRef::Existing(now));
        }
        if let Some(category) = self.categories.get(&key) {
            return Ok(*category);
        }
        if self.known_categories.saturating_add(self.new_categories.len()) >= CATEGORIES_MAX {
            return Err(RowError::new(row.line, Column::Category, Problem::TooManyCategories));
        }
        let category = CategoryRef::New(self.new_categories.len());
        self.new_categories.push(title.clone());
        self.categories.insert(key, category);
        Ok(category)
    }
}

/// A title as it is compared. One without letters and digits is compared as it is.
pub(super) fn title_key(title: &str) -> String {
    let folded = fold(title);
    if folded.is_empty() { title.trim().to_lowercase() } else { folded }
}
