//! A cart with the prices of this moment, and what has become of it since the shopper looked last.

use tolov_domain::{
    OrderedProduct, ProductId, Tiyin, UserId,
    order::OrderLine,
    ports::{PortError, documents::Documents, shop::ShopStore},
    time::Timestamp,
};

use crate::{
    catalogue::{Article, product_of_article},
    profile::{self, Profile},
    promo::{self, PromoRefusal},
};

/// How many different articles a cart takes, as many as `POST /api/create_order` does.
pub const LINES_MAX: usize = 100;
/// How many pieces of one article.
pub const COUNT_MAX: u32 = 999;

/// A cart as it would be bought now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quote {
    pub lines: Vec<QuoteLine>,
    /// Of the lines that can be bought.
    pub goods: Tiyin,
    pub promo: Option<Promo>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteLine {
    pub article_id: ProductId,
    /// The card that it is on; `None` where it is gone.
    pub product_id: Option<ProductId>,
    pub title: String,
    pub count: u32,
    pub price: Tiyin,
    pub news: Option<News>,
}

/// What has become of a line since the shopper saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    Dearer {
        was: Tiyin,
    },
    Cheaper {
        was: Tiyin,
    },
    /// Fewer are left than the cart wants.
    OnlyLeft(u32),
    SoldOut,
    /// Deleted, or hidden.
    Gone,
}

/// A code that was entered, and what it does for this cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promo {
    pub code: String,
    pub discount: Result<Tiyin, PromoRefusal>,
}

impl QuoteLine {
    /// Whether it can be bought as it stands.
    pub fn is_sold(&self) -> bool {
        !matches!(self.news, Some(News::OnlyLeft(_) | News::SoldOut | News::Gone))
    }

    pub fn sum(&self) -> Tiyin {
        self.price.checked_times(self.count).unwrap_or(Tiyin::MAX)
    }
}

impl Quote {
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether every line can be bought.
    pub fn is_sold(&self) -> bool {
        !self.is_empty() && self.lines.iter().all(QuoteLine::is_sold)
    }

    /// Whether something is not as the shopper saw it.
    pub fn has_news(&self) -> bool {
        self.lines.iter().any(|line| line.news.is_some())
    }

    pub fn discount(&self) -> Tiyin {
        self.promo.as_ref().and_then(|promo| promo.discount.ok()).unwrap_or(Tiyin::ZERO)
    }

    /// What the goods cost less the discount; delivery comes on top.
    pub fn total(&self) -> Tiyin {
        self.goods.checked_sub(self.discount()).unwrap_or(Tiyin::ZERO)
    }

    /// The promo code, where it takes something off.
    pub fn promo_code(&self) -> Option<&str> {
        self.promo.as_ref().filter(|promo| promo.discount.is_ok()).map(|promo| promo.code.as_str())
    }

    /// The lines with their names and prices frozen.
    pub fn order_lines(&self) -> Vec<OrderLine> {
        let line = |line: &QuoteLine| OrderLine {
            product_id: line.article_id,
            count: line.count,
            title: line.title.clone(),
            price: Some(line.price),
        };
        self.lines.iter().map(line).collect()
    }
}

/// Prices a shopper's cart.
pub async fn quote(shop: &dyn ShopStore, user_id: UserId, now: Timestamp) -> Result<Quote, PortError> {
    let Some(user) = shop.user(user_id).await? else { return Ok(Quote::default()) };
    let profile = profile::profile(shop, user_id).await?;
    let mut quote = Quote::default();
    for wanted in user.cart {
        let line = quote_line(shop, profile.as_ref(), wanted).await?;
        if line.is_sold() {
            quote.goods = quote.goods.checked_add(line.sum()).unwrap_or(Tiyin::MAX);
        }
        quote.lines.push(line);
    }
    if let Some(code) = profile.and_then(|profile| profile.promo_code) {
        let discount = promo::discount(shop, &code, user_id, quote.goods, now).await?;
        quote.promo = Some(Promo { code, discount });
    }
    Ok(quote)
}

async fn quote_line(
    documents: &dyn Documents,
    profile: Option<&Profile>,
    wanted: OrderedProduct,
) -> Result<QuoteLine, PortError> {
    let seen = profile.and_then(|profile| profile.seen(wanted.product_id));
    let product = product_of_article(documents, wanted.product_id).await?;
    let article = product.and_then(|product| product.article(wanted.product_id));
    let gone = QuoteLine {
        article_id: wanted.product_id,
        product_id: None,
        title: seen.map(|seen| seen.title.clone()).unwrap_or_default(),
        count: wanted.count,
        price: seen.map_or(Tiyin::ZERO, |seen| seen.price),
        news: Some(News::Gone),
    };
    let Some(article) = article.filter(|article| !article.hidden) else { return Ok(gone) };
    let price_then = seen.map(|seen| seen.price);
    Ok(QuoteLine {
        product_id: Some(article.product_id),
        news: news_of(&article, wanted.count, price_then),
        title: article.title,
        price: article.price,
        ..gone
    })
}

fn news_of(article: &Article, wanted: u32, price_then: Option<Tiyin>) -> Option<News> {
    match article.available(wanted) {
        0 => return Some(News::SoldOut),
        left if left < wanted => return Some(News::OnlyLeft(left)),
        _ => {}
    }
    let was = price_then?;
    match was.cmp(&article.price) {
        std::cmp::Ordering::Less => Some(News::Dearer { was }),
        std::cmp::Ordering::Greater => Some(News::Cheaper { was }),
        std::cmp::Ordering::Equal => None,
    }
}

/// What became of a wish for more or fewer of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CartChange {
    /// So many are in the cart now.
    Set(u32),
    /// There are not more than so many: that is what is in the cart now.
    OnlyLeft(u32),
    /// Deleted, hidden or sold out; it is not in the cart any more.
    Gone,
    /// The cart has as many different things as it takes.
    Full,
}

/// Puts so many of an article into the cart, whatever was there: the same wish twice has one effect.
pub async fn set(
    shop: &dyn ShopStore,
    user_id: UserId,
    wanted: OrderedProduct,
    now: Timestamp,
) -> Result<CartChange, PortError> {
    let put = |count| OrderedProduct { product_id: wanted.product_id, count };
    let product = product_of_article(shop, wanted.product_id).await?;
    let article = product.and_then(|product| product.article(wanted.product_id));
    let wish = wanted.count.min(COUNT_MAX);
    let left = article.as_ref().map_or(0, |article| article.available(wish));
    if wish > 0 && left > 0 {
        let cart = shop.user(user_id).await?.map(|user| user.cart).unwrap_or_default();
        let is_new = cart.iter().all(|line| line.product_id != wanted.product_id);
        if is_new && cart.len() >= LINES_MAX {
            return Ok(CartChange::Full);
        }
    }
    if let Some(article) = article.filter(|_| left > 0) {
        profile::change(shop, user_id, now, |profile| profile.see(&article)).await?;
    }
    shop.set_cart_line(user_id, put(left)).await?;
    Ok(match left {
        0 if wish > 0 => CartChange::Gone,
        left if left < wish => CartChange::OnlyLeft(left),
        left => CartChange::Set(left),
    })
}

/// The shopper has read what is new: prices are taken as seen, and counts come down to what there is.
pub async fn accept_news(shop: &dyn ShopStore, user_id: UserId, now: Timestamp) -> Result<(), PortError> {
    for line in quote(shop, user_id, now).await?.lines {
        if line.news.is_some() {
            let count = if matches!(line.news, Some(News::Gone | News::SoldOut)) { 0 } else { line.count };
            set(shop, user_id, OrderedProduct { product_id: line.article_id, count }, now).await?;
        }
    }
    Ok(())
}
