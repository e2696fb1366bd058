//! What is known of a person beside language, phone and cart (those are the projection's neighbours, `Shoppers`).

use serde::{Deserialize, Serialize};
use tolov_domain::{
    ProductId, Tiyin, UserId,
    ports::{
        PortError,
        documents::{Collection, Documents, Key},
    },
    time::{Instant, millis},
};

use crate::{
    catalogue::Article,
    fulfilment::Delivery,
    records::{self, Record},
};

/// More articles than a cart may have lines.
const SEEN_MAX: usize = 120;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub id: UserId,
    /// As Telegram showed it last.
    pub name: String,
    pub username: Option<String>,
    #[serde(with = "millis")]
    pub met_at: Instant,
    /// Whose link brought this person; set once, at the first meeting.
    pub referrer_id: Option<UserId>,
    /// The bot was blocked, and broadcasts leave this person out, until a message comes again.
    #[serde(with = "millis::option")]
    pub blocked_at: Option<Instant>,
    /// Where the last order went.
    pub delivery: Option<Delivery>,
    /// What the articles in the cart were called and cost when the shopper last saw them there.
    #[serde(default)]
    pub seen: Vec<Seen>,
    /// Waits to be used at checkout.
    pub promo_code: Option<String>,
}

/// An article as a shopper saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub article_id: ProductId,
    pub title: String,
    pub price: Tiyin,
}

impl Record for Profile {
    const COLLECTION: Collection = Collection::Profiles;

    fn key(&self) -> Key {
        Key::Number(self.id.get())
    }
}

impl Profile {
    pub fn new(id: UserId, name: impl Into<String>, met_at: Instant) -> Self {
        Self {
            id,
            name: name.into(),
            username: None,
            met_at,
            referrer_id: None,
            blocked_at: None,
            delivery: None,
            seen: Vec::new(),
            promo_code: None,
        }
    }

    pub fn seen(&self, article_id: ProductId) -> Option<&Seen> {
        self.seen.iter().find(|seen| seen.article_id == article_id)
    }

    /// The shopper has seen this article with this price; the oldest sights are forgotten.
    pub fn see(&mut self, article: &Article) {
        self.seen.retain(|seen| seen.article_id != article.id);
        self.seen.push(Seen { article_id: article.id, title: article.title.clone(), price: article.price });
        let too_many = self.seen.len().saturating_sub(SEEN_MAX);
        self.seen.drain(..too_many);
    }
}

pub async fn profile(documents: &dyn Documents, id: UserId) -> Result<Option<Profile>, PortError> {
    records::read(documents, id.get()).await
}

/// Changes a profile, which is made where it is not there yet.
pub async fn change<T>(
    documents: &dyn Documents,
    id: UserId,
    now: Instant,
    change: impl FnMut(&mut Profile) -> T,
) -> Result<(Profile, T), PortError> {
    records::change_or_make(documents, id.get(), || Profile::new(id, String::new(), now), change).await
}
