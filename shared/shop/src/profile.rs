//! What is known of a person beside language, phone and cart (those are the projection's neighbours, `Shoppers`).

use serde::{Deserialize, Serialize};
use tolov_domain::{
    ProductId, Tiyin, UserId,
    ports::{
        PortError,
        documents::{Collection, Documents, Key, Query},
        shop::Recorded,
    },
    time::{Timestamp, millis},
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
    pub met_at: Timestamp,
    /// Whose link brought this person; set once, at the first meeting.
    pub referrer_id: Option<UserId>,
    /// The bot was blocked, and broadcasts leave this person out, until a message comes again.
    #[serde(with = "millis::option")]
    pub blocked_at: Option<Timestamp>,
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
    pub fn new(id: UserId, name: impl Into<String>, met_at: Timestamp) -> Self {
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
    now: Timestamp,
    change: impl FnMut(&mut Profile) -> T,
) -> Result<(Profile, T), PortError> {
    records::change_or_make(documents, id.get(), || Profile::new(id, String::new(), now), change).await
}

/// A person as Telegram shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeing<'a> {
    pub id: UserId,
    pub name: &'a str,
    pub username: Option<&'a str>,
}

/// Somebody has written: known from now on, under the name of today, and reachable. Who is known already and has not
/// changed costs a read.
///
/// [`Recorded::Now`]: it was the first time, and the referrer is kept. Later ones change nothing, so a link that is
/// opened again, or handled twice, brings nobody twice; a person's own link brings nobody at all.
pub async fn meet(
    documents: &dyn Documents,
    person: Seeing<'_>,
    referrer_id: Option<UserId>,
    now: Timestamp,
) -> Result<Recorded, PortError> {
    if profile(documents, person.id).await?.is_none() {
        let mut new = Profile::new(person.id, person.name, now);
        new.username = person.username.map(str::to_owned);
        new.referrer_id = referrer_id.filter(|referrer| *referrer != person.id);
        if records::insert(documents, &new).await? == Recorded::Now {
            return Ok(Recorded::Now);
        }
    }
    records::change(documents, person.id.get(), |profile: &mut Profile| {
        if profile.name != person.name {
            person.name.clone_into(&mut profile.name);
        }
        if profile.username.as_deref() != person.username {
            profile.username = person.username.map(str::to_owned);
        }
        profile.blocked_at = None;
    })
    .await?;
    Ok(Recorded::Before)
}

/// Somebody can be written to again. Nobody is made known by it.
pub async fn is_back(documents: &dyn Documents, id: UserId) -> Result<(), PortError> {
    records::change(documents, id.get(), |profile: &mut Profile| profile.blocked_at = None).await.map(drop)
}

/// How many people somebody's link has brought.
pub async fn friends_of(documents: &dyn Documents, id: UserId) -> Result<u64, PortError> {
    documents.count(&Query::is(Collection::Profiles, "referrer_id", id.get(), 1)).await
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

    fn ali(name: &str) -> Seeing<'_> {
        Seeing { id: user(5), name, username: None }
    }

    #[tokio::test]
    async fn a_person_is_met_once_and_keeps_the_first_referrer() {
        let documents = MemoryDocuments::default();
        assert_eq!(meet(&documents, ali("Ali"), Some(user(9)), NOW).await.unwrap(), Recorded::Now);
        assert_eq!(meet(&documents, ali("Ali"), Some(user(8)), NOW).await.unwrap(), Recorded::Before);
        assert_eq!(friends_of(&documents, user(9)).await.unwrap(), 1);
        assert_eq!(friends_of(&documents, user(8)).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn nobody_is_their_own_friend() {
        let documents = MemoryDocuments::default();
        meet(&documents, ali("Ali"), Some(user(5)), NOW).await.unwrap();
        assert_eq!(profile(&documents, user(5)).await.unwrap().unwrap().referrer_id, None);
    }

    #[tokio::test]
    async fn a_new_name_and_a_return_are_kept_and_nothing_is_written_where_nothing_is_new() {
        let documents = MemoryDocuments::default();
        let version = async || {
            let kept = documents.get(Collection::Profiles, &Key::Number(5)).await.unwrap();
            kept.unwrap().version
        };
        meet(&documents, ali("Ali"), None, NOW).await.unwrap();
        meet(&documents, ali("Ali"), None, NOW).await.unwrap();
        is_back(&documents, user(5)).await.unwrap();
        assert_eq!(version().await, 1);
        change(&documents, user(5), NOW, |profile| profile.blocked_at = Some(NOW)).await.unwrap();
        let renamed = Seeing { username: Some("ali"), ..ali("Ali Valiyev") };
        meet(&documents, renamed, None, NOW).await.unwrap();
        let kept = profile(&documents, user(5)).await.unwrap().unwrap();
        assert_eq!((kept.name.as_str(), kept.username.as_deref()), ("Ali Valiyev", Some("ali")));
        assert_eq!(kept.blocked_at, None);
    }

    #[tokio::test]
    async fn who_is_not_known_is_not_made_known_by_letting_the_bot_in() {
        let documents = MemoryDocuments::default();
        is_back(&documents, user(5)).await.unwrap();
        assert_eq!(profile(&documents, user(5)).await.unwrap(), None);
    }
}
