//! Categories, and products with their variants.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    ProductId, Tiyin,
    order::Portion,
    ports::documents::{Collection, Key},
    receipt::Fiscal,
};

use super::holds::{Hold, HoldState};
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
/// As many as an album of Telegram has.
pub const PHOTOS_MAX: usize = 10;

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

/// A product: a card in the bot, sold on its own or in variants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    pub id: ProductId,
    pub category_id: i64,
    pub title: String,
    pub description: String,
    /// The first one, which lists show.
    pub photo: Option<FileId>,
    /// The others, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_photos: Vec<FileId>,
    pub hidden: bool,
    /// What is counted, where it is not pieces. It never changes, because carts, orders and stock count in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portion: Option<Portion>,
    /// Of one piece, or of one kilogram, litre or metre; with variants, theirs count.
    pub price: Tiyin,
    /// How many pieces or portions can be sold; `None` is as many as anybody wants. With variants, theirs count.
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
    /// Of one piece or portion: what is bought costs a multiple of it.
    pub price: Tiyin,
    /// Of one piece, or of one kilogram, litre or metre.
    pub unit_price: Tiyin,
    pub portion: Option<Portion>,
    pub fiscal: Fiscal,
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
    /// One that is sold by the piece, without a title, a price or anything else yet.
    pub const fn new(id: ProductId, category_id: i64) -> Self {
        Self {
            id,
            category_id,
            title: String::new(),
            description: String::new(),
            photo: None,
            more_photos: Vec::new(),
            hidden: false,
            portion: None,
            price: Tiyin::ZERO,
            stock: None,
            variants: Vec::new(),
            fiscal: Fiscal { mxik: None, package_code: None, vat_percent: None },
            holds: Vec::new(),
            article_ids: Vec::new(),
        }
    }

    /// All photos, the first one first.
    pub fn photos(&self) -> Vec<FileId> {
        self.photo.iter().chain(&self.more_photos).cloned().collect()
    }

    /// At most [`PHOTOS_MAX`] are kept.
    pub fn set_photos(&mut self, photos: Vec<FileId>) {
        let mut photos = photos.into_iter().take(PHOTOS_MAX);
        self.photo = photos.next();
        self.more_photos = photos.collect();
    }

    /// What can be bought of it, in the order of its variants.
    pub fn articles(&self) -> Vec<Article> {
        let article = |id, title, label, unit_price, stock| Article {
            id,
            product_id: self.id,
            title,
            label,
            price: self.portion.map_or(unit_price, |portion| portion.price(unit_price)),
            unit_price,
            portion: self.portion,
            fiscal: self.fiscal.clone(),
            stock,
            hidden: self.hidden,
        };
        if self.variants.is_empty() {
            return vec![article(self.id, self.title.clone(), None, self.price, self.stock)];
        }
        let article = |variant: &Variant| {
            let title = format!("{} · {}", self.title, variant.label);
            article(variant.id, title, Some(variant.label.clone()), variant.price, variant.stock)
        };
        self.variants.iter().map(article).collect()
    }

    pub fn article(&self, id: ProductId) -> Option<Article> {
        self.articles().into_iter().find(|article| article.id == id)
    }

    /// Whether an article is short, of which an order holds pieces.
    pub(crate) fn is_short_and_held(&self, few: u32) -> bool {
        let is_short = self.articles().iter().any(|article| article.stock.is_some_and(|left| left <= few));
        is_short && self.holds.iter().any(|hold| hold.state == HoldState::Held)
    }

    /// The lowest price of what it is sold as, of one piece or of one kilogram, litre or metre.
    pub fn price_from(&self) -> Tiyin {
        self.variants.iter().map(|variant| variant.price).min().unwrap_or(self.price)
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
