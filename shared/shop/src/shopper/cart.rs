//! A cart with current prices, and what has changed about it since the shopper looked last.

use std::collections::BTreeMap;

use tolov_domain::{
    OrderedProduct, ProductId, Tiyin, UserId,
    order::{OrderLine, Portion},
    ports::{PortError, documents::Documents},
    receipt::Fiscal,
    time::Timestamp,
};

use super::record::{Shopper, change, shopper};
use crate::{
    catalogue::{Article, Product, articles, product_of_article},
    order::{held_by, waiting_orders_of},
    promo::{self, PromoRefusal},
    records::{self, Versioned},
};

/// How many different articles a cart takes, as many as `POST /api/create_order` does.
pub const LINES_MAX: usize = 100;
/// How many pieces or portions of one article a cart takes.
pub const COUNT_MAX: u32 = 999;
/// How many pieces and portions one order takes, of all articles together: an order that nobody pays holds them until it expires.
pub const PIECES_MAX: u32 = 1_000;

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
    /// Of one piece or portion.
    pub price: Tiyin,
    pub portion: Option<Portion>,
    /// For its receipt; `None` where the product is gone.
    pub fiscal: Option<Fiscal>,
    pub news: Option<News>,
}

/// What has changed about a line since the shopper saw it.
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

    /// How many pieces of all articles together.
    pub fn pieces(&self) -> u32 {
        self.lines.iter().fold(0, |pieces, line| pieces.saturating_add(line.count))
    }

    /// Whether every line can be bought.
    pub fn is_sold(&self) -> bool {
        !self.is_empty() && self.lines.iter().all(QuoteLine::is_sold)
    }

    /// Whether something has changed that the shopper should know before the order. A lower price is no such thing.
    pub fn must_be_seen(&self) -> bool {
        let is_bad = |news: News| !matches!(news, News::Cheaper { .. });
        self.lines.iter().any(|line| line.news.is_some_and(is_bad))
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

    /// The lines with the titles and prices of now.
    pub fn order_lines(&self) -> Vec<OrderLine> {
        let line = |line: &QuoteLine| OrderLine {
            product_id: line.article_id,
            count: line.count,
            title: line.title.clone(),
            price: Some(line.price),
            portion: line.portion,
            fiscal: line.fiscal.clone(),
        };
        self.lines.iter().map(line).collect()
    }
}

/// Prices a shopper's cart.
pub async fn quote(documents: &dyn Documents, user_id: UserId, now: Timestamp) -> Result<Quote, PortError> {
    quote_of(documents, shopper(documents, user_id).await?.as_ref(), now).await
}

/// The same for a shopper who was read already.
pub async fn quote_of(
    documents: &dyn Documents,
    shopper: Option<&Shopper>,
    now: Timestamp,
) -> Result<Quote, PortError> {
    let Some(shopper) = shopper else { return Ok(Quote::default()) };
    let user_id = shopper.id;
    let articles = articles_for(documents, user_id, &shopper.cart).await?;
    let mut quote = Quote::default();
    for wanted in &shopper.cart {
        let line = quote_line(shopper, *wanted, articles.get(&wanted.product_id));
        if line.is_sold() {
            quote.goods = quote.goods.checked_add(line.sum()).unwrap_or(Tiyin::MAX);
        }
        quote.lines.push(line);
    }
    if let Some(code) = &shopper.promo_code {
        let discount = promo::discount(documents, code, user_id, quote.goods, now).await?;
        quote.promo = Some(Promo { code: code.clone(), discount });
    }
    Ok(quote)
}

/// The articles as this shopper can buy them: what the shopper's own unpaid orders hold counts as in stock, because a new
/// order replaces them. The orders are read only where something is short.
async fn articles_for(
    documents: &dyn Documents,
    user_id: UserId,
    wanted: &[OrderedProduct],
) -> Result<BTreeMap<ProductId, Article>, PortError> {
    let mut articles = articles(documents, wanted.iter().map(|line| line.product_id)).await?;
    add_own_holds(documents, user_id, wanted, &mut articles).await?;
    Ok(articles)
}

async fn add_own_holds(
    documents: &dyn Documents,
    user_id: UserId,
    wanted: &[OrderedProduct],
    articles: &mut BTreeMap<ProductId, Article>,
) -> Result<(), PortError> {
    let is_short = |line: &OrderedProduct| {
        articles.get(&line.product_id).is_some_and(|article| article.available(line.count) < line.count)
    };
    if wanted.iter().any(is_short) {
        for held in held_by(&waiting_orders_of(documents, user_id).await?) {
            let stock = articles.get_mut(&held.product_id).and_then(|article| article.stock.as_mut());
            if let Some(stock) = stock {
                *stock = stock.saturating_add(held.count);
            }
        }
    }
    Ok(())
}

/// Products as this shopper can buy them, as in a quote. The orders are read only where an order holds pieces of what has
/// `few` or less left.
pub async fn with_own_holds(
    documents: &dyn Documents,
    user_id: UserId,
    mut products: Vec<Product>,
    few: u32,
) -> Result<Vec<Product>, PortError> {
    if products.iter().any(|product| product.is_short_and_held(few)) {
        for held in held_by(&waiting_orders_of(documents, user_id).await?) {
            for product in &mut products {
                product.add_stock(held.product_id, held.count);
            }
        }
    }
    Ok(products)
}

fn quote_line(shopper: &Shopper, wanted: OrderedProduct, article: Option<&Article>) -> QuoteLine {
    let seen = shopper.seen(wanted.product_id);
    let gone = QuoteLine {
        article_id: wanted.product_id,
        product_id: None,
        title: seen.map(|seen| seen.title.clone()).unwrap_or_default(),
        count: wanted.count,
        price: seen.map_or(Tiyin::ZERO, |seen| seen.price),
        portion: seen.and_then(|seen| seen.portion),
        fiscal: None,
        news: Some(News::Gone),
    };
    let Some(article) = article.filter(|article| !article.hidden) else { return gone };
    QuoteLine {
        product_id: Some(article.product_id),
        news: news_of(article, wanted.count, seen.map(|seen| seen.price)),
        title: article.title.clone(),
        price: article.price,
        portion: article.portion,
        fiscal: Some(article.fiscal.clone()),
        ..gone
    }
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

/// What came of setting the count of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CartChange {
    /// This many are in the cart now.
    Set(u32),
    /// There are no more than this: that many are in the cart now.
    OnlyLeft(u32),
    /// Deleted, hidden or sold out; it is not in the cart any more.
    Gone,
    /// The cart has as many different articles as it takes: nothing was changed.
    Full,
}

/// Sets the count of an article in the cart, whatever it was. May be repeated.
pub async fn set(
    documents: &dyn Documents,
    user_id: UserId,
    wanted: OrderedProduct,
) -> Result<CartChange, PortError> {
    let articles = articles_for(documents, user_id, &[wanted]).await?;
    let set = |shopper: &mut Shopper| set_line(shopper, wanted, &articles);
    Ok(change(documents, user_id, set).await?.1)
}

/// What came of setting the count of an article on its card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetOnCard {
    /// That the article is of; `None` where it is gone.
    pub product: Option<Product>,
    pub shopper: Shopper,
    pub change: CartChange,
}

/// The same for a shopper who was read already: it costs two commands, and returns what the card shows.
pub async fn set_on_card(
    documents: &dyn Documents,
    user_id: UserId,
    seen: Option<Versioned<Shopper>>,
    wanted: OrderedProduct,
) -> Result<SetOnCard, PortError> {
    let product = product_of_article(documents, wanted.product_id).await?;
    let article = product.as_ref().and_then(|product| product.article(wanted.product_id));
    let mut articles: BTreeMap<ProductId, Article> =
        article.into_iter().map(|article| (article.id, article)).collect();
    add_own_holds(documents, user_id, &[wanted], &mut articles).await?;
    let set = |shopper: &mut Shopper| set_line(shopper, wanted, &articles);
    let new = || Shopper::new(user_id);
    let (shopper, change) = records::change_seen(documents, user_id.get(), seen, new, set).await?;
    Ok(SetOnCard { product, shopper, change })
}

fn set_line(
    shopper: &mut Shopper,
    wanted: OrderedProduct,
    articles: &BTreeMap<ProductId, Article>,
) -> CartChange {
    let OrderedProduct { product_id, count } = wanted;
    let article = articles.get(&product_id);
    let count = count.min(COUNT_MAX);
    let left = article.map_or(0, |article| article.available(count));
    if left > 0 {
        let is_new = shopper.cart.iter().all(|line| line.product_id != product_id);
        if is_new && shopper.cart.len() >= LINES_MAX {
            return CartChange::Full;
        }
        if let Some(article) = article {
            shopper.see(article);
        }
    }
    shopper.set_cart_line(OrderedProduct { product_id, count: left });
    match left {
        0 if count > 0 => CartChange::Gone,
        left if left < count => CartChange::OnlyLeft(left),
        left => CartChange::Set(left),
    }
}

/// The shopper has read what has changed: prices are taken as seen, and counts go down to what there is.
pub async fn accept_news(
    documents: &dyn Documents,
    user_id: UserId,
    now: Timestamp,
) -> Result<(), PortError> {
    let lines = quote(documents, user_id, now).await?.lines;
    let with_news: Vec<QuoteLine> = lines.into_iter().filter(|line| line.news.is_some()).collect();
    let wanted: Vec<OrderedProduct> = with_news
        .iter()
        .map(|line| OrderedProduct { product_id: line.article_id, count: line.count })
        .collect();
    let articles = articles_for(documents, user_id, &wanted).await?;
    change(documents, user_id, |shopper| {
        for line in &with_news {
            let count = if matches!(line.news, Some(News::Gone | News::SoldOut)) { 0 } else { line.count };
            set_line(shopper, OrderedProduct { product_id: line.article_id, count }, &articles);
        }
    })
    .await
    .map(drop)
}
