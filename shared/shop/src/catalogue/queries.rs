//! Reading and arranging the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use tolov_domain::{
    ProductId,
    ports::{
        PortError,
        documents::{Documents, Key, Query, Sequence},
    },
};

use super::{
    product::{Article, CATEGORIES_MAX, Category, PRODUCTS, PRODUCTS_MAX, Product},
    snapshot::{mark_changed, remove},
};
use crate::records;

const CATEGORY_NUMBERS: Sequence = Sequence::new("categories");
/// Products and variants share one sequence: each is an article with a number of its own.
const ARTICLE_NUMBERS: Sequence = Sequence::new("articles");

/// A catalogue as it was read, whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalogue {
    /// In the order of the menu.
    pub categories: Vec<Category>,
    /// By number.
    pub products: Vec<Product>,
}

impl Catalogue {
    pub async fn read(documents: &dyn Documents) -> Result<Self, PortError> {
        Ok(Self { categories: categories(documents).await?, products: products(documents).await? })
    }
}

/// Every category, in the order of the menu.
pub async fn categories(documents: &dyn Documents) -> Result<Vec<Category>, PortError> {
    let mut categories: Vec<Category> = records::all(documents, CATEGORIES_MAX).await?;
    categories.sort_by_key(|category| (category.position, category.id));
    Ok(categories)
}

/// Moves a category to a place of the menu, counted from 0, and returns the new menu. May be repeated.
pub async fn place_category(
    documents: &dyn Documents,
    id: i64,
    place: usize,
) -> Result<Vec<Category>, PortError> {
    let mut menu = categories(documents).await?;
    let Some(at) = menu.iter().position(|category| category.id == id) else { return Ok(menu) };
    let moved = menu.remove(at);
    menu.insert(place.min(menu.len()), moved);
    let mut positions = BTreeMap::new();
    for (position, category) in (1_i64..).zip(&mut menu) {
        if category.position != position {
            category.position = position;
            positions.insert(Key::Number(category.id), position);
        }
    }
    let keys = positions.keys().cloned().collect();
    let moved = |key: &Key, category: Option<&Category>, _| {
        let position = *positions.get(key)?;
        Some((Category { position, ..category?.clone() }, ()))
    };
    let failed = records::change_many(documents, keys, moved).await?.failed;
    if let Some((key, reason)) = failed.into_iter().next() {
        return Err(PortError::Refused(format!("the category {key} cannot be moved: {reason}")));
    }
    mark_changed(documents).await?;
    Ok(menu)
}

/// What became of removing a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CategoryRemoval {
    Done(Category),
    /// It still has this many products.
    NotEmpty(u64),
    /// There is none.
    Gone,
}

/// Removes a category that no product is in.
pub async fn remove_category(documents: &dyn Documents, id: i64) -> Result<CategoryRemoval, PortError> {
    let products = count_products_in(documents, id).await?;
    if products > 0 {
        return Ok(CategoryRemoval::NotEmpty(products));
    }
    let removed = remove(documents, id).await?;
    Ok(removed.map_or(CategoryRemoval::Gone, CategoryRemoval::Done))
}

/// A part of the products of a category, hidden ones too, by number.
pub async fn products_in(
    documents: &dyn Documents,
    category_id: i64,
    skip: u32,
    limit: u32,
) -> Result<Vec<Product>, PortError> {
    records::find(documents, &Query::is(PRODUCTS, "category_id", category_id, limit).skip(skip)).await
}

/// How many products a category has, hidden ones too.
pub async fn count_products_in(documents: &dyn Documents, category_id: i64) -> Result<u64, PortError> {
    documents.count(&Query::is(PRODUCTS, "category_id", category_id, 1)).await
}

pub async fn category(documents: &dyn Documents, id: i64) -> Result<Option<Category>, PortError> {
    records::read(documents, id).await
}

/// Every product, hidden ones too.
pub async fn products(documents: &dyn Documents) -> Result<Vec<Product>, PortError> {
    records::all(documents, PRODUCTS_MAX).await
}

pub async fn product(documents: &dyn Documents, id: ProductId) -> Result<Option<Product>, PortError> {
    records::read(documents, id.get()).await
}

/// Those of these products that shoppers see, in the order given, in one command.
pub async fn shown_products(documents: &dyn Documents, ids: &[ProductId]) -> Result<Vec<Product>, PortError> {
    let found: Vec<Product> = records::read_many(documents, ids.iter().map(|id| id.get())).await?;
    let mut by_id: BTreeMap<ProductId, Product> =
        found.into_iter().filter(|product| !product.hidden).map(|product| (product.id, product)).collect();
    Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
}

/// The product that is sold under this number: its own, or that of a variant.
pub async fn product_of_article(
    documents: &dyn Documents,
    id: ProductId,
) -> Result<Option<Product>, PortError> {
    let query = Query::is(PRODUCTS, "article_ids", id.get(), 1);
    Ok(records::find(documents, &query).await?.into_iter().next())
}

/// The articles that are sold under these numbers, in one command. One that is gone is left out; hidden ones are not.
pub async fn articles(
    documents: &dyn Documents,
    ids: impl IntoIterator<Item = ProductId>,
) -> Result<BTreeMap<ProductId, Article>, PortError> {
    let ids: BTreeSet<ProductId> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let products: Vec<Product> = records::find(documents, &query_of_articles(&ids)).await?;
    let articles = products.iter().flat_map(Product::articles);
    Ok(articles.filter(|article| ids.contains(&article.id)).map(|article| (article.id, article)).collect())
}

/// The products that are sold or held under these numbers.
pub(super) fn query_of_articles(ids: &BTreeSet<ProductId>) -> Query {
    let values = ids.iter().map(|id| id.get().into()).collect();
    Query::any_of(PRODUCTS, "article_ids", values, u32::try_from(ids.len()).unwrap_or(u32::MAX))
}

/// Lifts the counters over numbers that come from elsewhere, so that they are never given out.
pub async fn reserve_numbers(
    documents: &dyn Documents,
    category: i64,
    article: i64,
) -> Result<(), PortError> {
    documents.next_number(CATEGORY_NUMBERS, category).await?;
    documents.next_number(ARTICLE_NUMBERS, article).await.map(drop)
}

/// A number for a new category.
pub async fn next_category_id(documents: &dyn Documents) -> Result<i64, PortError> {
    documents.next_number(CATEGORY_NUMBERS, 0).await
}

/// A number for a new product or a new variant.
pub async fn next_article_id(documents: &dyn Documents) -> Result<ProductId, PortError> {
    let number = documents.next_number(ARTICLE_NUMBERS, 0).await?;
    ProductId::try_new(number).map_err(|error| {
        PortError::Refused(format!("the counter of articles is at {number}: {error}; repair it"))
    })
}
