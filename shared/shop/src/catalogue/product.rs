//! Categories, and products with their variants.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    ProductId, Tiyin,
    ports::documents::{Collection, Key},
};

use super::holds::Hold;
use crate::records::Record;

pub const CATEGORIES: Collection = Collection::new("categories", &["position"]);
pub const PRODUCTS: Collection = Collection::new("products", &["category_id", "article_ids"]);

/// Telegram's `file_id` of a picture that is kept in the staff channel.
pub type FileId = String;

/// Limits of a catalogue: what fits one screen after another, and one scan of the store.
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
    /// Its place in the menu; equal ones by number.
    pub position: i64,
    pub hidden: bool,
}

impl Record for Category {
    const COLLECTION: Collection = CATEGORIES;

    fn key(&self) -> Key {
        Key::Number(self.id)
    }
}

/// What a fiscal receipt needs: the product's code in the tax register (IKPU), its package and its VAT rate.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fiscal {
    /// 17 digits.
    pub mxik: Option<String>,
    pub package_code: Option<String>,
    pub vat_percent: Option<u8>,
}

/// A product: a card in the bot, sold on its own or in variants.
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
    /// What is set aside for orders, and what is remembered of them.
    #[serde(default)]
    pub holds: Vec<Hold>,
    /// The numbers under which it is sold or held: kept by [`Product::seal`], for looking up.
    #[serde(default)]
    pub article_ids: Vec<ProductId>,
}

/// A size, a colour: an article with a number, a price and a stock of its own. Carts, orders and the ledger know it by its
/// number, so the money path needs to know nothing of variants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    pub id: ProductId,
    pub label: String,
    pub price: Tiyin,
    pub stock: Option<u32>,
}

impl Record for Product {
    const COLLECTION: Collection = PRODUCTS;

    fn key(&self) -> Key {
        Key::Number(self.id.get())
    }
}

/// What can be put into a cart: a product without variants, or a variant.
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
    /// How many of `wanted` can be sold.
    pub fn available(&self, wanted: u32) -> u32 {
        if self.hidden { 0 } else { self.stock.map_or(wanted, |stock| stock.min(wanted)) }
    }

    pub fn is_sold_out(&self) -> bool {
        self.available(1) == 0
    }
}

impl Product {
    /// What can be bought of it, in the order of its variants.
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

    /// Updates the look-up field; whoever changes variants calls it. A variant that is gone is still found while an order
    /// holds some of it.
    #[must_use]
    pub fn seal(mut self) -> Self {
        let variants = self.variants.iter().map(|variant| variant.id);
        self.article_ids = std::iter::once(self.id).chain(variants).collect();
        for hold in &self.holds {
            if !self.article_ids.contains(&hold.article_id) {
                self.article_ids.push(hold.article_id);
            }
        }
        self
    }

    /// Where released pieces go: as [`Product::stock_of`], but also the product itself when it has variants by now, because
    /// an order may have held it before.
    pub(super) fn stock_to_restore(&mut self, id: ProductId) -> Option<&mut Option<u32>> {
        if self.id == id { Some(&mut self.stock) } else { self.stock_of(id) }
    }

    /// The counted stock of one of its articles; `None` where it has no such article.
    pub(super) fn stock_of(&mut self, id: ProductId) -> Option<&mut Option<u32>> {
        if self.variants.is_empty() {
            return (self.id == id).then_some(&mut self.stock);
        }
        self.variants.iter_mut().find(|variant| variant.id == id).map(|variant| &mut variant.stock)
    }
}
