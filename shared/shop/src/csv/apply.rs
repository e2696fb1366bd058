//! Carries out a plan.

use std::{collections::BTreeMap, slice::Chunks};

use tolov_domain::{
    ProductId,
    ports::{
        PortError,
        documents::{Documents, Key},
    },
};

use super::{
    desired::{CategoryRef, DesiredProduct, DesiredVariant},
    plan::{Plan, title_key},
};
use crate::{
    catalogue::{self, Category, Product, Variant, next_article_id, next_category_id},
    records::{self, Record},
};

/// What an import has done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    pub products_new: usize,
    pub products_changed: usize,
    pub categories_new: usize,
    /// These products were removed after the plan was made: they stay removed.
    pub gone: Vec<ProductId>,
}

/// Products that are written at a time.
const CHUNK: usize = 200;

/// Carries out a plan. Of a product only what the file changes is written, so that what was sold, held or edited elsewhere
/// since the plan was made stays. If it is interrupted, planning the same file again finds the rest.
pub async fn apply(documents: &dyn Documents, plan: &Plan) -> Result<Applied, PortError> {
    let mut application = Application::begin(documents, plan).await?;
    while application.next(documents).await? {}
    Ok(application.applied)
}

/// The same in steps, for who shows how it goes on.
#[derive(Debug)]
pub struct Application<'a> {
    changed: Chunks<'a, (Product, DesiredProduct)>,
    new: Chunks<'a, DesiredProduct>,
    category_ids: Vec<i64>,
    /// What was done so far.
    pub applied: Applied,
}

impl<'a> Application<'a> {
    /// Creates the categories.
    pub async fn begin(documents: &dyn Documents, plan: &'a Plan) -> Result<Self, PortError> {
        let mut applied = Applied::default();
        let category_ids = create_categories(documents, plan, &mut applied).await?;
        Ok(Self { changed: plan.changed.chunks(CHUNK), new: plan.new.chunks(CHUNK), category_ids, applied })
    }

    /// Writes the next products; `false` where there are no more, and shoppers see what was written.
    pub async fn next(&mut self, documents: &dyn Documents) -> Result<bool, PortError> {
        if let Some(chunk) = self.changed.next() {
            self.change(documents, chunk).await?;
        } else if let Some(chunk) = self.new.next() {
            self.add(documents, chunk).await?;
        } else {
            catalogue::mark_changed(documents).await?;
            return Ok(false);
        }
        Ok(true)
    }

    fn category_id(&self, category: CategoryRef) -> i64 {
        match category {
            CategoryRef::Existing(id) => id,
            CategoryRef::New(place) => self.category_ids.get(place).copied().unwrap_or_default(),
        }
    }

    async fn change(
        &mut self,
        documents: &dyn Documents,
        chunk: &[(Product, DesiredProduct)],
    ) -> Result<(), PortError> {
        let mut changes = BTreeMap::new();
        for (before, desired) in chunk {
            let new_ids = numbers(documents, &desired.variants).await?;
            changes.insert(before.key(), (DesiredProduct::of(before), desired, new_ids));
        }
        let written = write(documents, changes.keys().cloned(), |key, product| {
            let (mut product, (was, desired, new_ids)) = (product?.clone(), changes.get(key)?);
            merge(&mut product, was, desired, new_ids);
            if was.category != desired.category {
                product.category_id = self.category_id(desired.category);
            }
            Some(product)
        });
        let written = written.await?;
        self.applied.products_changed = self.applied.products_changed.saturating_add(written.len());
        let gone = chunk.iter().map(|(before, _)| before.id).filter(|id| !written.contains(id));
        self.applied.gone.extend(gone);
        Ok(())
    }

    async fn add(&mut self, documents: &dyn Documents, chunk: &[DesiredProduct]) -> Result<(), PortError> {
        let mut new = BTreeMap::new();
        for desired in chunk {
            let id = next_article_id(documents).await?;
            let variant_ids = numbers(documents, &desired.variants).await?;
            let product = new_product(id, self.category_id(desired.category), desired, &variant_ids);
            new.insert(product.key(), product);
        }
        let written = write(documents, new.keys().cloned(), |key, _| new.get(key).cloned()).await?;
        self.applied.products_new = self.applied.products_new.saturating_add(written.len());
        Ok(())
    }
}

/// Writes products and returns which were there to be written.
async fn write(
    documents: &dyn Documents,
    keys: impl Iterator<Item = Key>,
    change: impl Fn(&Key, Option<&Product>) -> Option<Product>,
) -> Result<Vec<ProductId>, PortError> {
    let change = |key: &Key, product: Option<&Product>, _| Some((change(key, product)?, ()));
    let changed = records::change_many(documents, keys.collect(), change).await?;
    match changed.failed.into_iter().next() {
        Some((key, reason)) => Err(PortError::Refused(format!("product {key} is not imported: {reason}"))),
        None => Ok(changed.records.into_values().map(|(product, ())| product.id).collect()),
    }
}

/// The numbers of the plan's new categories. One that was created since then is used.
async fn create_categories(
    documents: &dyn Documents,
    plan: &Plan,
    applied: &mut Applied,
) -> Result<Vec<i64>, PortError> {
    if plan.categories.is_empty() {
        return Ok(Vec::new());
    }
    let existing = catalogue::categories(documents).await?;
    let mut position = existing.iter().map(|category| category.position).max().unwrap_or_default();
    let mut ids = Vec::with_capacity(plan.categories.len());
    for title in &plan.categories {
        if let Some(category) =
            existing.iter().find(|category| title_key(&category.title) == title_key(title))
        {
            ids.push(category.id);
            continue;
        }
        let id = next_category_id(documents).await?;
        position = position.saturating_add(1);
        let category = Category { id, title: title.clone(), photo: None, position, hidden: false };
        records::insert(documents, &category).await?;
        applied.categories_new = applied.categories_new.saturating_add(1);
        ids.push(id);
    }
    Ok(ids)
}

/// A number for each variant that has none yet.
async fn numbers(
    documents: &dyn Documents,
    variants: &[DesiredVariant],
) -> Result<Vec<ProductId>, PortError> {
    let mut ids = Vec::new();
    for _ in variants.iter().filter(|variant| variant.id.is_none()) {
        ids.push(next_article_id(documents).await?);
    }
    Ok(ids)
}

fn new_variants<'a>(desired: &'a DesiredProduct, ids: &'a [ProductId]) -> impl Iterator<Item = Variant> + 'a {
    let new = desired.variants.iter().filter(|variant| variant.id.is_none());
    new.zip(ids).map(|(variant, id)| Variant {
        id: *id,
        label: variant.label.clone(),
        price: variant.price,
        stock: variant.stock,
    })
}

fn new_product(
    id: ProductId,
    category_id: i64,
    desired: &DesiredProduct,
    variant_ids: &[ProductId],
) -> Product {
    let mut product = Product {
        title: desired.title.clone(),
        description: desired.description.clone(),
        hidden: desired.hidden,
        portion: desired.portion,
        price: desired.price,
        stock: desired.stock,
        variants: new_variants(desired, variant_ids).collect(),
        fiscal: desired.fiscal.clone(),
        ..Product::new(id, category_id)
    };
    product.set_photos(desired.photos.clone());
    product.seal()
}

/// Writes what the file changes. May run again on its own result.
fn merge(product: &mut Product, was: &DesiredProduct, desired: &DesiredProduct, new_ids: &[ProductId]) {
    set(&mut product.title, &was.title, &desired.title);
    set(&mut product.description, &was.description, &desired.description);
    if was.photos != desired.photos {
        product.set_photos(desired.photos.clone());
    }
    set(&mut product.hidden, &was.hidden, &desired.hidden);
    set(&mut product.fiscal.mxik, &was.fiscal.mxik, &desired.fiscal.mxik);
    set(&mut product.fiscal.package_code, &was.fiscal.package_code, &desired.fiscal.package_code);
    set(&mut product.fiscal.vat_percent, &was.fiscal.vat_percent, &desired.fiscal.vat_percent);
    set(&mut product.price, &was.price, &desired.price);
    set(&mut product.stock, &was.stock, &desired.stock);
    for variant in &mut product.variants {
        let of_variant = |desired: &&DesiredVariant| desired.id == Some(variant.id);
        let (Some(was), Some(desired)) =
            (was.variants.iter().find(of_variant), desired.variants.iter().find(of_variant))
        else {
            continue;
        };
        set(&mut variant.label, &was.label, &desired.label);
        set(&mut variant.price, &was.price, &desired.price);
        set(&mut variant.stock, &was.stock, &desired.stock);
    }
    for variant in new_variants(desired, new_ids) {
        if product.variants.iter().all(|there| there.id != variant.id) {
            product.variants.push(variant);
        }
    }
    *product = product.clone().seal();
}

fn set<T: PartialEq + Clone>(field: &mut T, was: &T, desired: &T) {
    if was != desired {
        field.clone_from(desired);
    }
}
