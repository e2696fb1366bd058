//! From a plan to the shop store.

use tolov_domain::{
    ProductId,
    ports::{
        PortError,
        documents::{Documents, Sequence},
    },
};

use super::{
    Plan,
    plan::title_key,
    wish::{CategoryRef, VariantWish, Wish},
};
use crate::{
    catalogue::{self, Category, Product, Variant, next_article_id},
    records,
};

/// What an import has done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    pub products_new: usize,
    pub products_changed: usize,
    pub categories_new: usize,
    /// Somebody removed these products after the plan was made: they stay removed.
    pub gone: Vec<ProductId>,
}

/// Does what a plan says. Of a product only what the file changes is written, so that what was sold, held or edited
/// elsewhere since the plan was made stays. Where it breaks off, planning the same file again finds the rest.
pub async fn apply(documents: &dyn Documents, plan: &Plan) -> Result<Applied, PortError> {
    let mut applied = Applied::default();
    let category_ids = make_categories(documents, plan, &mut applied).await?;
    let category_id = |category: CategoryRef| match category {
        CategoryRef::Kept(id) => id,
        CategoryRef::New(place) => category_ids.get(place).copied().unwrap_or_default(),
    };
    for (before, wish) in &plan.changed {
        let new_ids = numbers(documents, &wish.variants).await?;
        let was = Wish::of(before);
        let change = |product: &mut Product| {
            merge(product, &was, wish, &new_ids);
            product.category_id =
                if was.category == wish.category { product.category_id } else { category_id(wish.category) };
        };
        match records::change(documents, before.id.get(), change).await? {
            Some(_) => applied.products_changed = applied.products_changed.saturating_add(1),
            None => applied.gone.push(before.id),
        }
    }
    for wish in &plan.new {
        let id = next_article_id(documents).await?;
        let variant_ids = numbers(documents, &wish.variants).await?;
        let product = made(id, category_id(wish.category), wish, &variant_ids);
        records::insert(documents, &product).await?;
        applied.products_new = applied.products_new.saturating_add(1);
    }
    Ok(applied)
}

/// The numbers of the plan's new categories. One that somebody made since is used.
async fn make_categories(
    documents: &dyn Documents,
    plan: &Plan,
    applied: &mut Applied,
) -> Result<Vec<i64>, PortError> {
    if plan.categories.is_empty() {
        return Ok(Vec::new());
    }
    let there = catalogue::categories(documents).await?;
    let mut position = there.iter().map(|category| category.position).max().unwrap_or_default();
    let mut ids = Vec::with_capacity(plan.categories.len());
    for title in &plan.categories {
        if let Some(category) = there.iter().find(|category| title_key(&category.title) == title_key(title)) {
            ids.push(category.id);
            continue;
        }
        let id = documents.next_number(Sequence::Categories).await?;
        position = position.saturating_add(1);
        let category = Category { id, title: title.clone(), photo: None, position, hidden: false };
        records::insert(documents, &category).await?;
        applied.categories_new = applied.categories_new.saturating_add(1);
        ids.push(id);
    }
    Ok(ids)
}

/// A number for each variant that has none yet.
async fn numbers(documents: &dyn Documents, variants: &[VariantWish]) -> Result<Vec<ProductId>, PortError> {
    let mut ids = Vec::new();
    for _ in variants.iter().filter(|variant| variant.id.is_none()) {
        ids.push(next_article_id(documents).await?);
    }
    Ok(ids)
}

fn new_variants<'a>(wish: &'a Wish, ids: &'a [ProductId]) -> impl Iterator<Item = Variant> + 'a {
    let new = wish.variants.iter().filter(|variant| variant.id.is_none());
    new.zip(ids).map(|(variant, id)| Variant {
        id: *id,
        label: variant.label.clone(),
        price: variant.price,
        stock: variant.stock,
    })
}

fn made(id: ProductId, category_id: i64, wish: &Wish, variant_ids: &[ProductId]) -> Product {
    Product {
        id,
        category_id,
        title: wish.title.clone(),
        description: wish.description.clone(),
        photo: wish.photo.clone(),
        hidden: wish.hidden,
        price: wish.price,
        stock: wish.stock,
        variants: new_variants(wish, variant_ids).collect(),
        fiscal: wish.fiscal.clone(),
        holds: Vec::new(),
        article_ids: Vec::new(),
    }
    .seal()
}

/// Writes what the file changes. May run again on its own work.
fn merge(product: &mut Product, was: &Wish, wish: &Wish, new_ids: &[ProductId]) {
    set(&mut product.title, &was.title, &wish.title);
    set(&mut product.description, &was.description, &wish.description);
    set(&mut product.photo, &was.photo, &wish.photo);
    set(&mut product.hidden, &was.hidden, &wish.hidden);
    set(&mut product.fiscal.mxik, &was.fiscal.mxik, &wish.fiscal.mxik);
    set(&mut product.fiscal.package_code, &was.fiscal.package_code, &wish.fiscal.package_code);
    set(&mut product.fiscal.vat_percent, &was.fiscal.vat_percent, &wish.fiscal.vat_percent);
    set(&mut product.price, &was.price, &wish.price);
    set(&mut product.stock, &was.stock, &wish.stock);
    for variant in &mut product.variants {
        let of_variant = |wish: &&VariantWish| wish.id == Some(variant.id);
        let (Some(was), Some(wish)) =
            (was.variants.iter().find(of_variant), wish.variants.iter().find(of_variant))
        else {
            continue;
        };
        set(&mut variant.label, &was.label, &wish.label);
        set(&mut variant.price, &was.price, &wish.price);
        set(&mut variant.stock, &was.stock, &wish.stock);
    }
    for variant in new_variants(wish, new_ids) {
        if product.variants.iter().all(|there| there.id != variant.id) {
            product.variants.push(variant);
        }
    }
    *product = product.clone().seal();
}

fn set<T: PartialEq + Clone>(field: &mut T, was: &T, wish: &T) {
    if was != wish {
        field.clone_from(wish);
    }
}
