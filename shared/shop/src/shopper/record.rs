//! The record of a person: one document, one read.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    Language, OrderId, OrderedProduct, Outcome, Phone, ProductId, Tiyin, UserId,
    order::Portion,
    ports::{
        PortError,
        documents::{Collection, Documents, Key, Query},
    },
    time::{Timestamp, millis},
};

use crate::{
    catalogue::Article,
    order::Delivery,
    records::{self, Record},
};

pub const USERS: Collection = Collection::new("users", &["referrer_id", "registered_at", "blocked_at"]);

/// More articles than a cart may have lines.
const SEEN_MAX: usize = 120;
/// How many sales are remembered to know a repetition. An order that was settled is known by its own record.
pub(crate) const PAID_ORDERS_MAX: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shopper {
    pub id: UserId,
    /// As Telegram gave it last; empty where the person never wrote.
    pub name: String,
    pub username: Option<String>,
    /// When the person first wrote. `None`: known only from an event, and never sent a broadcast.
    #[serde(with = "millis::option")]
    pub registered_at: Option<Timestamp>,
    /// Whose link brought this person; set once, at registration.
    pub referrer_id: Option<UserId>,
    /// The bot was blocked by somebody who is registered; broadcasts leave them out until a message comes again.
    #[serde(with = "millis::option")]
    pub blocked_at: Option<Timestamp>,
    /// `None` until the person has chosen.
    pub language: Option<Language>,
    pub phone: Option<Phone>,
    /// In the order in which articles were added; counts are at least 1.
    pub cart: Vec<OrderedProduct>,
    /// How many orders were paid, without those whose money went back as a whole.
    pub order_count: u32,
    /// The latest of them: each is counted, and taken out of the cart, once.
    pub paid_orders: Vec<OrderId>,
    /// The latest orders that are not counted any more because their money went back.
    #[serde(default)]
    pub refunded_orders: Vec<OrderId>,
    /// Where the last order went.
    pub delivery: Option<Delivery>,
    /// What the articles in the cart were called and cost when the shopper last saw them there.
    pub seen: Vec<SeenArticle>,
    /// To be used at checkout.
    pub promo_code: Option<String>,
}

/// An article as a shopper saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenArticle {
    pub article_id: ProductId,
    pub title: String,
    pub price: Tiyin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portion: Option<Portion>,
}

impl Record for Shopper {
    const COLLECTION: Collection = USERS;

    fn key(&self) -> Key {
        Key::Number(self.id.get())
    }
}

impl Shopper {
    /// Somebody who has not written yet.
    pub fn new(id: UserId) -> Self {
        Self {
            id,
            name: String::new(),
            username: None,
            registered_at: None,
            referrer_id: None,
            blocked_at: None,
            language: None,
            phone: None,
            cart: Vec::new(),
            order_count: 0,
            paid_orders: Vec::new(),
            refunded_orders: Vec::new(),
            delivery: None,
            seen: Vec::new(),
            promo_code: None,
        }
    }

    /// Whether broadcasts go to this person.
    pub fn is_reachable(&self) -> bool {
        self.registered_at.is_some() && self.blocked_at.is_none()
    }

    pub fn seen(&self, article_id: ProductId) -> Option<&SeenArticle> {
        self.seen.iter().find(|seen| seen.article_id == article_id)
    }

    /// The shopper has seen this article with this title and price; the oldest entries are evicted.
    pub fn see(&mut self, article: &Article) {
        self.seen.retain(|seen| seen.article_id != article.id);
        self.seen.push(SeenArticle {
            article_id: article.id,
            title: article.title.clone(),
            price: article.price,
            portion: article.portion,
        });
        let too_many = self.seen.len().saturating_sub(SEEN_MAX);
        self.seen.drain(..too_many);
    }

    /// How many pieces are in the cart; what is sold by weight counts as one.
    pub fn pieces_in_cart(&self) -> u32 {
        let is_weighed = |id| self.seen(id).is_some_and(|seen| seen.portion.is_some());
        let pieces = |line: &OrderedProduct| if is_weighed(line.product_id) { 1 } else { line.count };
        self.cart.iter().map(pieces).fold(0, u32::saturating_add)
    }

    /// Sets the count of an article; 0 removes its line.
    pub fn set_cart_line(&mut self, wanted: OrderedProduct) {
        match self.cart.iter_mut().find(|line| line.product_id == wanted.product_id) {
            Some(line) => line.count = wanted.count,
            None => self.cart.push(wanted),
        }
        self.cart.retain(|line| line.count > 0);
    }

    /// Whether a paid order was never counted. Of one that is older than all that are remembered nobody knows.
    pub(crate) fn misses_purchase(&self, order_id: OrderId) -> bool {
        self.paid_orders.len() < PAID_ORDERS_MAX && !self.paid_orders.contains(&order_id)
    }

    /// An order whose money went back is not counted any more, once.
    pub(crate) fn record_refund(&mut self, order_id: OrderId) {
        if self.refunded_orders.contains(&order_id) {
            return;
        }
        self.refunded_orders.push(order_id);
        let too_many = self.refunded_orders.len().saturating_sub(PAID_ORDERS_MAX);
        self.refunded_orders.drain(..too_many);
        self.order_count = self.order_count.saturating_sub(1);
    }

    /// Counts a paid order and takes what was bought, and its promo code, out of the cart, once; what was added since stays.
    pub fn record_purchase(
        &mut self,
        order_id: OrderId,
        products: &[OrderedProduct],
        promo_code: Option<&str>,
    ) {
        if self.paid_orders.contains(&order_id) {
            return;
        }
        self.paid_orders.push(order_id);
        let too_many = self.paid_orders.len().saturating_sub(PAID_ORDERS_MAX);
        self.paid_orders.drain(..too_many);
        self.order_count = self.order_count.saturating_add(1);
        for bought in products {
            for line in self.cart.iter_mut().filter(|line| line.product_id == bought.product_id) {
                line.count = line.count.saturating_sub(bought.count);
            }
        }
        self.cart.retain(|line| line.count > 0);
        self.promo_code.take_if(|code| promo_code == Some(code.as_str()));
    }
}

pub async fn shopper(documents: &dyn Documents, id: UserId) -> Result<Option<Shopper>, PortError> {
    records::read(documents, id.get()).await
}

/// Changes the record of a person, which is created where it is not there yet.
pub async fn change<T>(
    documents: &dyn Documents,
    id: UserId,
    change: impl FnMut(&mut Shopper) -> T,
) -> Result<(Shopper, T), PortError> {
    records::change_or_insert(documents, id.get(), || Shopper::new(id), change).await
}

/// A person as Telegram shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person<'a> {
    pub id: UserId,
    pub name: &'a str,
    pub username: Option<&'a str>,
    /// Of the person's Telegram.
    pub language: Language,
}

/// Somebody has written: registered from now on, under today's name, and reachable; in the language of their Telegram until
/// they choose another. Somebody who is registered and has not changed costs one read.
///
/// [`Outcome::Applied`]: it was the first time, and the referrer is kept. Later ones change nothing, so a link that is
/// opened again, or handled twice, refers nobody twice; nobody refers themselves.
pub async fn register_user(
    documents: &dyn Documents,
    person: Person<'_>,
    referrer_id: Option<UserId>,
    now: Timestamp,
) -> Result<Outcome, PortError> {
    let (_, was_registered) = change(documents, person.id, |shopper| {
        let was_registered = shopper.registered_at.is_some();
        if !was_registered {
            shopper.registered_at = Some(now);
            shopper.referrer_id = referrer_id.filter(|referrer| *referrer != person.id);
        }
        if shopper.name != person.name {
            person.name.clone_into(&mut shopper.name);
        }
        if shopper.username.as_deref() != person.username {
            shopper.username = person.username.map(str::to_owned);
        }
        shopper.language.get_or_insert(person.language);
        shopper.blocked_at = None;
        was_registered
    })
    .await?;
    Ok(if was_registered { Outcome::AlreadyApplied } else { Outcome::Applied })
}

/// Somebody has blocked the bot; who is not registered is not sent broadcasts anyway.
pub async fn mark_blocked(documents: &dyn Documents, id: UserId, now: Timestamp) -> Result<(), PortError> {
    let marked = records::change(documents, id.get(), |shopper: &mut Shopper| {
        if shopper.registered_at.is_some() {
            shopper.blocked_at.get_or_insert(now);
        }
    });
    marked.await.map(drop)
}

/// Somebody can be written to again. Nobody is registered by it.
pub async fn mark_reachable(documents: &dyn Documents, id: UserId) -> Result<(), PortError> {
    records::change(documents, id.get(), |shopper: &mut Shopper| shopper.blocked_at = None).await.map(drop)
}

/// How many people somebody's link has brought.
pub async fn invited_by(documents: &dyn Documents, id: UserId) -> Result<u64, PortError> {
    documents.count(&Query::is(USERS, "referrer_id", id.get(), 1)).await
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use tolov_contract::memory::MemoryDocuments;

    use super::*;

    const NOW: Timestamp = datetime!(2026-11-23 07:05 UTC);

    fn user(id: i64) -> UserId {
        UserId::try_new(id).unwrap()
    }

    fn ali(name: &str) -> Person<'_> {
        Person { id: user(5), name, username: None, language: Language::Ru }
    }

    async fn stored(documents: &MemoryDocuments) -> Shopper {
        shopper(documents, user(5)).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_person_is_registered_once_and_keeps_the_first_referrer() {
        let documents = MemoryDocuments::default();
        let first = register_user(&documents, ali("Ali"), Some(user(9)), NOW).await;
        let again = register_user(&documents, ali("Ali"), Some(user(8)), NOW).await;
        assert_eq!((first, again), (Ok(Outcome::Applied), Ok(Outcome::AlreadyApplied)));
        assert_eq!(invited_by(&documents, user(9)).await.unwrap(), 1);
        assert_eq!(invited_by(&documents, user(8)).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn somebody_known_from_an_event_is_registered_by_the_first_message() {
        let documents = MemoryDocuments::default();
        let order_id = OrderId::try_new(1).unwrap();
        change(&documents, user(5), |shopper| shopper.record_purchase(order_id, &[], None)).await.unwrap();
        assert!(!stored(&documents).await.is_reachable());
        let registered = register_user(&documents, ali("Ali"), Some(user(9)), NOW).await;
        assert_eq!(registered, Ok(Outcome::Applied));
        let shopper = stored(&documents).await;
        assert!(shopper.is_reachable());
        assert_eq!((shopper.referrer_id, shopper.order_count), (Some(user(9)), 1));
    }

    #[tokio::test]
    async fn nobody_refers_themselves() {
        let documents = MemoryDocuments::default();
        register_user(&documents, ali("Ali"), Some(user(5)), NOW).await.unwrap();
        assert_eq!(stored(&documents).await.referrer_id, None);
    }

    #[tokio::test]
    async fn a_new_name_and_a_return_are_stored_and_what_did_not_change_is_not_written() {
        let documents = MemoryDocuments::default();
        let version = async || documents.get(USERS, &Key::Number(5)).await.unwrap().unwrap().version;
        register_user(&documents, ali("Ali"), None, NOW).await.unwrap();
        register_user(&documents, ali("Ali"), None, NOW).await.unwrap();
        mark_reachable(&documents, user(5)).await.unwrap();
        assert_eq!(version().await, 1);
        change(&documents, user(5), |shopper| shopper.blocked_at = Some(NOW)).await.unwrap();
        let renamed = Person { username: Some("ali"), ..ali("Ali Valiyev") };
        register_user(&documents, renamed, None, NOW).await.unwrap();
        let shopper = stored(&documents).await;
        assert_eq!((shopper.name.as_str(), shopper.username.as_deref()), ("Ali Valiyev", Some("ali")));
        assert_eq!(shopper.blocked_at, None);
    }

    #[tokio::test]
    async fn unblocking_the_bot_registers_nobody() {
        let documents = MemoryDocuments::default();
        mark_reachable(&documents, user(5)).await.unwrap();
        assert_eq!(shopper(&documents, user(5)).await.unwrap(), None);
    }

    #[test]
    fn a_purchase_is_counted_once_and_leaves_later_additions_in_the_cart() {
        let product = |id, count| OrderedProduct { product_id: ProductId::try_new(id).unwrap(), count };
        let mut shopper = Shopper::new(user(5));
        shopper.promo_code = Some("XUSH10".to_owned());
        for (id, count) in [(7, 5), (8, 2), (9, 1), (10, 4)] {
            shopper.set_cart_line(product(id, count));
        }
        assert_eq!((shopper.pieces_in_cart(), Shopper::new(user(5)).pieces_in_cart()), (12, 0));
        let bought = [product(7, 2), product(8, 1), product(8, 1), product(9, 3)];
        for _ in 0..2 {
            shopper.record_purchase(OrderId::try_new(1).unwrap(), &bought, Some("XUSH10"));
            assert_eq!(shopper.cart, [product(7, 3), product(10, 4)]);
            assert_eq!((shopper.order_count, &shopper.promo_code), (1, &None));
        }
        shopper.promo_code = Some("BOSHQA".to_owned());
        shopper.record_purchase(OrderId::try_new(2).unwrap(), &[], Some("XUSH10"));
        assert_eq!(shopper.promo_code.as_deref(), Some("BOSHQA"), "it was entered since");
    }

    #[tokio::test]
    async fn the_language_of_telegram_counts_until_another_is_chosen() {
        let documents = MemoryDocuments::default();
        register_user(&documents, ali("Ali"), None, NOW).await.unwrap();
        assert_eq!(stored(&documents).await.language, Some(Language::Ru));
        change(&documents, user(5), |shopper| shopper.language = Some(Language::En)).await.unwrap();
        register_user(&documents, ali("Ali"), None, NOW).await.unwrap();
        assert_eq!(stored(&documents).await.language, Some(Language::En));
    }
}
