//! Who may do what in the shop.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    UserId,
    ports::{
        PortError,
        documents::{Collection, Documents, Key},
    },
    time::{Timestamp, millis},
};

use crate::{
    order::OrderAction,
    records::{self, Record},
};

pub const STAFF: Collection = Collection::new("staff", &[]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, including staff and refunds. Whoever is in ADMIN_IDS is an owner.
    Owner,
    /// Catalogue, orders, shoppers, broadcasts, statistics.
    Manager,
    /// Orders under way.
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
    /// Record that the money went back.
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
    pub const fn may_apply(self, action: OrderAction) -> bool {
        match action {
            OrderAction::SentOff | OrderAction::Delivered => self.may(Right::Deliver),
            OrderAction::Refunded => self.may(Right::Refund),
            OrderAction::Accepted | OrderAction::MadeReady | OrderAction::Cancelled => {
                self.may(Right::WorkOnOrders)
            }
            OrderAction::Placed | OrderAction::Registered | OrderAction::Paid | OrderAction::Expired => false,
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
    const COLLECTION: Collection = STAFF;

    fn key(&self) -> Key {
        Key::Number(self.id.get())
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

/// Everybody with a role, except the owners of ADMIN_IDS.
pub async fn members(documents: &dyn Documents) -> Result<Vec<StaffMember>, PortError> {
    const MEMBERS_MAX: usize = 1_000;
    records::all(documents, MEMBERS_MAX).await
}
