//! Who may do what in the shop, and what they did.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    OrderId, UserId,
    ports::{
        PortError,
        documents::{Collection, Documents, Key, Query, Sequence},
    },
    time::{Timestamp, millis},
};

use crate::{
    fulfilment::Deed,
    records::{self, Record},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, staff and money included. Whoever is in ADMIN_IDS is an owner.
    Owner,
    /// Catalogue, orders, shoppers, broadcasts, figures.
    Manager,
    /// Orders on their way.
    Courier,
}

/// What a role may or may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    EditCatalogue,
    SeeOrders,
    /// Accept, make ready, cancel.
    WorkOnOrders,
    /// Send off and deliver.
    Deliver,
    /// Say that the money went back.
    Refund,
    Broadcast,
    SeeStatistics,
    AnswerSupport,
    ManageStaff,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Owner, Self::Manager, Self::Courier];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Manager => "manager",
            Self::Courier => "courier",
        }
    }

    pub const fn may(self, right: Right) -> bool {
        match self {
            Self::Owner => true,
            Self::Manager => !matches!(right, Right::Refund | Right::ManageStaff),
            Self::Courier => matches!(right, Right::SeeOrders | Right::Deliver),
        }
    }

    /// Whether the role may do this to an order.
    pub const fn may_do(self, deed: Deed) -> bool {
        match deed {
            Deed::SentOff | Deed::Delivered => self.may(Right::Deliver),
            Deed::Refunded => self.may(Right::Refund),
            Deed::Accepted | Deed::MadeReady | Deed::Cancelled => self.may(Right::WorkOnOrders),
            Deed::Placed | Deed::Registered | Deed::Paid | Deed::Expired => false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffMember {
    pub id: UserId,
    pub name: String,
    pub role: Role,
    pub added_by: UserId,
    #[serde(with = "millis")]
    pub added_at: Timestamp,
}

impl Record for StaffMember {
    const COLLECTION: Collection = Collection::Staff;

    fn key(&self) -> Key {
        Key::Number(self.id.get())
    }
}

/// One deed of a member of staff. Never changed, never removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffAction {
    pub id: i64,
    pub staff_id: UserId,
    #[serde(with = "millis")]
    pub at: Timestamp,
    /// In the form `order.accepted`, `product.price`, `staff.added`.
    pub what: String,
    pub order_id: Option<OrderId>,
    /// What it was done to, and how: `7: 12 000 → 13 000`.
    pub detail: String,
}

impl Record for StaffAction {
    const COLLECTION: Collection = Collection::StaffActions;

    fn key(&self) -> Key {
        Key::Number(self.id)
    }
}

/// The role of a person, if any. `owners` are ADMIN_IDS.
pub async fn role_of(
    documents: &dyn Documents,
    owners: &[UserId],
    id: UserId,
) -> Result<Option<Role>, PortError> {
    if owners.contains(&id) {
        return Ok(Some(Role::Owner));
    }
    let member: Option<StaffMember> = records::read(documents, id.get()).await?;
    Ok(member.map(|member| member.role))
}

/// Everybody with a role but the owners of ADMIN_IDS.
pub async fn members(documents: &dyn Documents) -> Result<Vec<StaffMember>, PortError> {
    const MEMBERS_MAX: usize = 1_000;
    records::all(documents, MEMBERS_MAX).await
}

/// Writes down what somebody did.
pub async fn note(
    documents: &dyn Documents,
    staff_id: UserId,
    at: Timestamp,
    what: &str,
    (order_id, detail): (Option<OrderId>, String),
) -> Result<(), PortError> {
    let id = documents.next_number(Sequence::StaffActions).await?;
    let action = StaffAction { id, staff_id, at, what: what.to_owned(), order_id, detail };
    records::insert(documents, &action).await.map(drop)
}

/// The latest deeds of all, newest first, after leaving out so many.
pub async fn latest_actions(
    documents: &dyn Documents,
    skip: u32,
    limit: u32,
) -> Result<Vec<StaffAction>, PortError> {
    let query = Query::all(Collection::StaffActions, limit).newest_first().skip(skip);
    records::find(documents, &query).await
}

/// What was done to one order, newest first.
pub async fn actions_on(documents: &dyn Documents, order_id: OrderId) -> Result<Vec<StaffAction>, PortError> {
    let query = Query::is(Collection::StaffActions, "order_id", order_id.get(), 100);
    records::find(documents, &query.newest_first()).await
}
