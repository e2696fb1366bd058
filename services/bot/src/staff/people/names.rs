//! Names of shoppers and staff, for messages to staff.

use std::collections::BTreeMap;

use teloxide::utils::html::escape;
use tolov_domain::{
    UserId,
    ports::{PortError, documents::Documents},
};
use tolov_shop::{
    order::{Actor, ShopOrder},
    records,
    shopper::Shopper,
    staff::StaffMember,
};

use crate::{conversation::dialogue::Dialogue, texts::isolated};

/// Names of people by id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(BTreeMap<UserId, String>);

impl Names {
    /// Of the shopper, and of the staff in the history of the order.
    pub(crate) async fn of_order(documents: &dyn Documents, order: &ShopOrder) -> Result<Self, PortError> {
        let staff = order.history.iter().filter_map(|entry| match entry.by {
            Actor::Staff(id) => Some(id),
            Actor::Shopper | Actor::Click | Actor::Clock => None,
        });
        Self::read(documents, staff.chain([order.user_id])).await
    }

    pub(crate) async fn read(
        documents: &dyn Documents,
        ids: impl IntoIterator<Item = UserId>,
    ) -> Result<Self, PortError> {
        let ids: Vec<i64> = ids.into_iter().map(UserId::get).collect();
        let shoppers: Vec<Shopper> = records::read_many(documents, ids.iter().copied()).await?;
        let members: Vec<StaffMember> = records::read_many(documents, ids.iter().copied()).await?;
        // The name that staff use for a colleague counts more than the one in Telegram.
        let shoppers = shoppers.into_iter().map(|shopper| (shopper.id, shopper.name));
        let members = members.into_iter().map(|member| (member.id, member.name));
        let mut names: Self = shoppers.chain(members).collect();
        let nameless: Vec<i64> = ids.into_iter().filter(|id| !names.knows(*id)).collect();
        if !nameless.is_empty() {
            let dialogues: Vec<Dialogue> = records::read_many(documents, nameless).await?;
            let tapped = dialogues.into_iter().filter_map(|dialogue| Some((dialogue.id, dialogue.name?)));
            names.0.extend(tapped.collect::<Self>().0);
        }
        Ok(names)
    }

    fn knows(&self, id: i64) -> bool {
        self.0.keys().any(|known| known.get() == id)
    }

    pub(crate) fn plain(&self, id: UserId) -> String {
        self.0.get(&id).map_or_else(|| id.to_string(), |name| isolated(name).into_owned())
    }

    /// The name as a link to the person.
    pub(crate) fn link(&self, id: UserId) -> String {
        format!("<a href=\"tg://user?id={id}\">{}</a>", escape(&self.plain(id)))
    }
}

impl FromIterator<(UserId, String)> for Names {
    /// The last name of a person counts. Somebody who was added by a number alone has it in the place of a name.
    fn from_iter<I: IntoIterator<Item = (UserId, String)>>(told: I) -> Self {
        let is_name = |(id, name): &(UserId, String)| !name.trim().is_empty() && *name != id.to_string();
        Self(told.into_iter().filter(is_name).collect())
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn user(id: i64) -> UserId {
        UserId::try_new(id).unwrap()
    }

    async fn set_name(documents: &dyn Documents, id: UserId, name: &str) {
        let dialogue = Dialogue { name: Some(name.to_owned()), ..Dialogue::new(id) };
        records::insert(documents, &dialogue).await.unwrap();
    }

    #[tokio::test]
    async fn a_member_who_never_wrote_is_named_by_their_taps() {
        let documents = tolov_contract::memory::MemoryDocuments::default();
        set_name(&documents, user(9001), "Olim").await;
        // Added by a number alone, and tapped since.
        let by_number = StaffMember {
            id: user(77_777),
            name: "77777".to_owned(),
            role: tolov_shop::staff::Role::Courier,
            added_by: user(9001),
            added_at: datetime!(2026-11-23 07:00 UTC),
        };
        records::insert(&documents, &by_number).await.unwrap();
        set_name(&documents, by_number.id, "Vali").await;
        let called = StaffMember { id: user(1), name: "Aziza".to_owned(), ..by_number };
        records::insert(&documents, &called).await.unwrap();
        set_name(&documents, user(1), "Az").await;
        let names = Names::read(&documents, [9001, 77_777, 1, 5].map(user)).await.unwrap();
        assert_eq!([9001, 77_777, 1, 5].map(|id| names.plain(user(id))), ["Olim", "Vali", "Aziza", "5"]);
        assert_eq!(
            tolov_shop::broadcast::audience_size(&documents).await.unwrap(),
            0,
            "no broadcast goes to them"
        );
    }
}
