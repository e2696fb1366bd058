//! The catalogue: categories, and products with their variants.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tolov_domain::{
    ProductId, Tiyin,
    ports::{
        PortError,
        documents::{Collection, Documents, Key, Query, Sequence},
    },
};

use crate::{
    records::{self, Record},
    stock::Hold,
};

/// Telegram's `file_id` of a picture that is kept in the staff channel.
pub type FileId = String;

/// What a shop can have of everything; more would not fit a person's patience, or one scan.
pub const CATEGORIES_MAX: usize = 500;
pub const PRODUCTS_MAX: usize = 20_000;
pub const VARIANTS_MAX: usize = 50;
pub const TITLE_MAX_CHARS: usize = 100;
pub const DESCRIPTION_MAX_CHARS: usize = 600;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    pub id: i64,
    pub title: String,
    pub photo: Option<FileId>,
    /// Where it stands in the menu; equal ones by number.
    pub position: i64,
    pub hidden: bool,
}

impl Record for Category {
    const COLLECTION: Collection = Collection::Categories;

    fn key(&self) -> Key {
        Key::Number(self.id)
    }
}

/// What a tax receipt wants to know (market-and-telegram.md, section 4.2).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fiscal {
    /// IKPU: 17 digits.
    pub mxik: Option<String>,
    pub package_code: Option<String>,
    pub vat_percent: Option<u8>,
}

/// A product: a card in the bot. It is sold as it is, or in variants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    pub id: ProductId,
    pub category_id: i64,
    pub title: String,
    pub description: String,
    pub photo: Option<FileId>,
    pub hidden: bool,
    /// Of one piece; with variants, theirs count.
    pub price: Tiyin,
    /// How many can be sold; `None` is as many as anybody wants. With variants, theirs count.
    pub stock: Option<u32>,
    #[serde(default)]
    pub variants: Vec<Variant>,
    #[serde(default)]
    pub fiscal: Fiscal,
    /// What is set aside for orders that wait for their money.
    #[serde(default)]
    pub holds: Vec<Hold>,
    /// The numbers under which it is sold: kept by [`Product::seal`], for looking up.
    #[serde(default)]
    pub article_ids: Vec<ProductId>,
}

/// A size, a colour: an article with a number, a price and a stock of its own. Its number is what carts, orders and the
/// ledger know, so that nothing of the money path has to know of variants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    pub id: ProductId,
    pub label: String,
    pub price: Tiyin,
    pub stock: Option<u32>,
}

impl Record for Product {
    const COLLECTION: Collection = Collection::Products;

    fn key(&self) -> Key {
        Key::Number(self.id.get())
    }
}

/// What can be put into a cart: a product without variants, or one of its variants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    pub id: ProductId,
    pub product_id: ProductId,
    /// `Futbolka`, or `Futbolka · M`.
    pub title: String,
    pub label: Option<String>,
    pub price: Tiyin,
    pub stock: Option<u32>,
    pub hidden: bool,
}

impl Article {
    /// How many of `wanted` there are.
    pub fn available(&self, wanted: u32) -> u32 {
        if self.hidden { 0 } else { self.stock.map_or(wanted, |stock| stock.min(wanted)) }
    }

    pub fn is_sold_out(&self) -> bool {
        self.available(1) == 0
    }
}

impl Product {
    /// What of it can be bought, in the order of its variants.
    pub fn articles(&self) -> Vec<Article> {
        if self.variants.is_empty() {
            return vec![Article {
                id: self.id,
                product_id: self.id,
                title: self.title.clone(),
                label: None,
                price: self.price,
                stock: self.stock,
                hidden: self.hidden,
            }];
        }
        let article = |variant: &Variant| Article {
            id: variant.id,
            product_id: self.id,
            title: format!("{} · {}", self.title, variant.label),
            label: Some(variant.label.clone()),
            price: variant.price,
            stock: variant.stock,
            hidden: self.hidden,
        };
        self.variants.iter().map(article).collect()
    }

    pub fn article(&self, id: ProductId) -> Option<Article> {
        self.articles().into_iter().find(|article| article.id == id)
    }

    /// The lowest price of what it is sold as.
    pub fn price_from(&self) -> Tiyin {
        self.articles().iter().map(|article| article.price).min().unwrap_or(self.price)
    }

    pub fn is_sold_out(&self) -> bool {
        self.articles().iter().all(Article::is_sold_out)
    }

    /// Brings the look-up field up to date; whoever changes variants calls it.
    #[must_use]
    pub fn seal(mut self) -> Self {
        self.article_ids =
            std::iter::once(self.id).chain(self.variants.iter().map(|variant| variant.id)).collect();
        self
    }

    /// The counted stock of one of its articles, also of the product itself while variants are sold in its stead: what an
    /// order set aside before there were variants comes back to where it was.
    pub(crate) fn shelf_of(&mut self, id: ProductId) -> Option<&mut Option<u32>> {
        if self.id == id { Some(&mut self.stock) } else { self.stock_of(id) }
    }

    /// The counted stock of one of its articles.
    pub(crate) fn stock_of(&mut self, id: ProductId) -> Option<&mut Option<u32>> {
        if self.variants.is_empty() {
            return (self.id == id).then_some(&mut self.stock);
        }
        self.variants.iter_mut().find(|variant| variant.id == id).map(|variant| &mut variant.stock)
    }
}

/// Every category, in the order of the menu.
pub async fn categories(documents: &dyn Documents) -> Result<Vec<Category>, PortError> {
    let mut categories: Vec<Category> = records::all(documents, CATEGORIES_MAX).await?;
    categories.sort_by_key(|category| (category.position, category.id));
    Ok(categories)
}

/// Puts a category at a place of the menu, counted from 0, and returns the menu as it is then. May be repeated.
pub async fn place_category(
    documents: &dyn Documents,
    id: i64,
    place: usize,
) -> Result<Vec<Category>, PortError> {
    let mut menu = categories(documents).await?;
    let Some(at) = menu.iter().position(|category| category.id == id) else { return Ok(menu) };
    let moved = menu.remove(at);
    menu.insert(place.min(menu.len()), moved);
    for (position, category) in (1_i64..).zip(&mut menu) {
        if category.position != position {
            category.position = position;
            records::change(documents, category.id, |kept: &mut Category| kept.position = position).await?;
        }
    }
    Ok(menu)
}

/// What became of the wish to remove a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CategoryRemoval {
    Done(Category),
    /// So many products are in it.
    NotEmpty(usize),
    /// There is none.
    Gone,
}

/// Removes a category that no product is in.
pub async fn remove_category(documents: &dyn Documents, id: i64) -> Result<CategoryRemoval, PortError> {
    let products = products_in(documents, id).await?.len();
    if products > 0 {
        return Ok(CategoryRemoval::NotEmpty(products));
    }
    let removed = records::remove(documents, id).await?;
    Ok(removed.map_or(CategoryRemoval::Gone, CategoryRemoval::Done))
}

/// The products of a category, hidden ones too, by number.
pub async fn products_in(documents: &dyn Documents, category_id: i64) -> Result<Vec<Product>, PortError> {
    let limit = u32::try_from(PRODUCTS_MAX).unwrap_or(u32::MAX);
    records::find(documents, &Query::is(Collection::Products, "category_id", category_id, limit)).await
}

/// The categories that a shopper sees: shown, with something in them that is shown.
pub async fn shown_categories(documents: &dyn Documents) -> Result<Vec<Category>, PortError> {
    let products = products(documents).await?;
    let filled: BTreeSet<i64> =
        products.iter().filter(|product| !product.hidden).map(|product| product.category_id).collect();
    let mut shown = categories(documents).await?;
    shown.retain(|category| !category.hidden && filled.contains(&category.id));
    Ok(shown)
}

/// The products of a category that a shopper sees, by number; those of a hidden category are seen by a link alone.
pub async fn shown_products_in(
    documents: &dyn Documents,
    category_id: i64,
) -> Result<Vec<Product>, PortError> {
    let mut products = products_in(documents, category_id).await?;
    products.retain(|product| !product.hidden);
    Ok(products)
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

/// The product that is sold under this number: its own, or that of a variant.
pub async fn product_of_article(
    documents: &dyn Documents,
    id: ProductId,
) -> Result<Option<Product>, PortError> {
    let query = Query::is(Collection::Products, "article_ids", id.get(), 1);
    Ok(records::find(documents, &query).await?.into_iter().next())
}

/// A number for a new product or a new variant.
pub async fn next_article_id(documents: &dyn Documents) -> Result<ProductId, PortError> {
    let number = documents.next_number(Sequence::Articles).await?;
    ProductId::try_new(number)
        .map_err(|_| PortError::Refused("the counter of articles is damaged: repair it".to_owned()))
}

#[cfg(test)]
mod tests {
    use tolov_contract::memory::MemoryDocuments;

    use super::*;
    use crate::search::search;

    async fn keep(
        documents: &MemoryDocuments,
        category_id: i64,
        category_hidden: bool,
        product_hidden: bool,
    ) {
        let category = Category {
            id: category_id,
            title: "Uy".to_owned(),
            photo: None,
            position: -category_id,
            hidden: category_hidden,
        };
        records::insert(documents, &category).await.unwrap();
        let product = Product {
            id: ProductId::try_new(category_id).unwrap(),
            category_id,
            title: "Choy".to_owned(),
            description: String::new(),
            photo: None,
            hidden: product_hidden,
            price: Tiyin::ZERO,
            stock: None,
            variants: Vec::new(),
            fiscal: Fiscal::default(),
            holds: Vec::new(),
            article_ids: Vec::new(),
        };
        records::insert(documents, &product.seal()).await.unwrap();
    }

    #[tokio::test]
    async fn shoppers_see_filled_categories_that_are_not_hidden_and_find_what_is_in_them() {
        let documents = MemoryDocuments::default();
        for (id, category_hidden, product_hidden) in [(1, false, false), (2, true, false), (3, false, true)] {
            keep(&documents, id, category_hidden, product_hidden).await;
        }
        keep(&documents, 4, false, false).await;
        let shown = shown_categories(&documents).await.unwrap();
        assert_eq!(shown.iter().map(|category| category.id).collect::<Vec<_>>(), [4, 1]);
        assert!(shown_products_in(&documents, 3).await.unwrap().is_empty());
        let found = search(&documents, "choy").await.unwrap();
        assert_eq!(found.iter().map(|product| product.id.get()).collect::<Vec<_>>(), [1, 4]);
    }
}
