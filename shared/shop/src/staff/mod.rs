//! Who may do what in the shop, and the journal of what they did.

mod journal;
mod members;

pub use journal::{
    Action, CategoryChange, FiscalField, MemberChange, ProductChange, PromoChange, RefundChange,
    STAFF_ACTIONS, StaffAction, VariantChange, actions_on, latest_actions, record,
};
pub use members::{Right, Role, STAFF, StaffMember, members, role_of};
