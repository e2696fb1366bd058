//! Which right a tap or an answer of staff needs. The tree asks at every one of them, with the role read anew, because a
//! role may have been taken away since the button was shown.

use tolov_shop::staff::Right;

use crate::{
    conversation::{
        callback::{CallbackData, StaffCallback},
        context::Ctx,
        dialogue::StaffStep,
        error::HandlerResult,
    },
    texts::l,
};

/// What a tap or an answer needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Any role at all.
    Role,
    Right(Right),
}

impl Need {
    fn is_met_by(self, ctx: &Ctx) -> bool {
        match self {
            Self::Role => ctx.role.is_some(),
            Self::Right(right) => ctx.may(right),
        }
    }
}

/// `None`: a button of shoppers.
pub(crate) fn of_callback(callback: &CallbackData) -> Option<Need> {
    match callback {
        CallbackData::Shop(_) => None,
        CallbackData::Staff(callback) => Some(of_staff_callback(callback)),
        CallbackData::Catalogue(_) => Some(Need::Right(Right::EditCatalogue)),
    }
}

pub(crate) fn may_tap(ctx: &Ctx, callback: &CallbackData) -> bool {
    of_callback(callback).is_none_or(|need| need.is_met_by(ctx))
}

pub(crate) fn may_answer(ctx: &Ctx, step: &StaffStep) -> bool {
    of_step(step).is_met_by(ctx)
}

/// To somebody who has a role, but not the right.
pub(crate) async fn refuse(ctx: Ctx) -> HandlerResult {
    ctx.alert(l!(ctx.language, "staff-no-right")).await
}

fn of_staff_callback(callback: &StaffCallback) -> Need {
    match callback {
        StaffCallback::Panel => Need::Role,
        // Which deeds a role may do is asked where they are done (`Role::may_do`).
        StaffCallback::Act { .. }
        | StaffCallback::ActConfirmed { .. }
        | StaffCallback::Orders
        | StaffCallback::OrdersIn { .. }
        | StaffCallback::OrdersByPhone { .. }
        | StaffCallback::FindOrder
        | StaffCallback::Order { .. } => Need::Right(Right::SeeOrders),
        StaffCallback::Broadcast
        | StaffCallback::StartBroadcast { .. }
        | StaffCallback::ShowBroadcast { .. }
        | StaffCallback::PauseBroadcast { .. }
        | StaffCallback::ResumeBroadcast { .. }
        | StaffCallback::StopBroadcast { .. } => Need::Right(Right::Broadcast),
        StaffCallback::Statistics { .. } | StaffCallback::ExportStatistics { .. } => {
            Need::Right(Right::SeeStatistics)
        }
        StaffCallback::PromoCodes { .. }
        | StaffCallback::NewPromo
        | StaffCallback::Promo { .. }
        | StaffCallback::SwitchPromo { .. }
        | StaffCallback::PromoUnbounded { .. }
        | StaffCallback::AddPromo { .. } => Need::Right(Right::EditCatalogue),
        StaffCallback::Members { .. }
        | StaffCallback::Member { .. }
        | StaffCallback::NewMember
        | StaffCallback::SetRole { .. }
        | StaffCallback::RemoveMember { .. }
        | StaffCallback::RemoveMemberConfirmed { .. }
        | StaffCallback::Journal { .. } => Need::Right(Right::ManageStaff),
    }
}

fn of_step(step: &StaffStep) -> Need {
    match step {
        StaffStep::Catalogue(_) | StaffStep::Promo(_) => Need::Right(Right::EditCatalogue),
        StaffStep::Members(_) => Need::Right(Right::ManageStaff),
        StaffStep::FindOrder => Need::Right(Right::SeeOrders),
        StaffStep::BroadcastSource => Need::Right(Right::Broadcast),
    }
}

#[cfg(test)]
mod tests {
    use tolov_shop::staff::Role;

    use super::*;
    use crate::conversation::callback::CatalogueCallback;

    fn may(role: Role, callback: &CallbackData) -> bool {
        match of_callback(callback) {
            None | Some(Need::Role) => true,
            Some(Need::Right(right)) => role.may(right),
        }
    }

    #[test]
    fn a_courier_cannot_edit_the_catalogue_by_any_button() {
        for callback in CatalogueCallback::longest().into_iter().map(CallbackData::from) {
            assert!(!may(Role::Courier, &callback), "{callback:?}");
            assert!(may(Role::Manager, &callback), "{callback:?}");
        }
    }

    #[test]
    fn a_courier_sees_the_panel_and_works_on_orders_and_only_owners_manage_staff() {
        for callback in StaffCallback::longest() {
            let (verb, callback) = (format!("{callback:?}"), CallbackData::from(callback));
            assert!(may(Role::Owner, &callback), "{verb}");
            let about_orders = verb.starts_with("Panel") || verb.starts_with("Do");
            let about_codes = verb.contains("Promo");
            let about_staff = ["Member", "Role", "Journal"]
                .iter()
                .any(|word| verb.split([' ', '{']).next().is_some_and(|v| v.contains(word)));
            if about_codes || about_staff {
                assert!(!may(Role::Courier, &callback), "{verb}");
            }
            if about_orders {
                assert!(may(Role::Courier, &callback), "{verb}");
            }
            if about_staff {
                assert!(!may(Role::Manager, &callback), "{verb}");
            }
        }
    }
}
