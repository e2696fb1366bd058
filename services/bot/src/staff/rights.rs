//! Which right a tap or an answer of staff needs. The tree asks at every one of them, with the role read anew, because a
//! role may have been taken away since the button was shown.

use tolov_shop::staff::Right;

use crate::{
    ctx::{Ctx, Done},
    press::{Press, StaffPress},
    staff::StaffStep,
    text::l,
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
pub(crate) fn of_press(press: &Press) -> Option<Need> {
    match press {
        Press::Shop(_) => None,
        Press::Staff(press) => Some(of_staff_press(press)),
        Press::Catalogue(_) => Some(Need::Right(Right::EditCatalogue)),
    }
}

pub(crate) fn may_tap(ctx: &Ctx, press: &Press) -> bool {
    of_press(press).is_none_or(|need| need.is_met_by(ctx))
}

pub(crate) fn may_answer(ctx: &Ctx, step: &StaffStep) -> bool {
    of_step(step).is_met_by(ctx)
}

/// To somebody who has a role, but not the right.
pub(crate) async fn refuse(ctx: Ctx) -> Done {
    ctx.alert(l!(ctx.language, "staff-no-right")).await
}

fn of_staff_press(press: &StaffPress) -> Need {
    match press {
        StaffPress::Panel => Need::Role,
        // Which deeds a role may do is asked where they are done (`Role::may_do`).
        StaffPress::Do { .. }
        | StaffPress::DoSurely { .. }
        | StaffPress::Orders
        | StaffPress::OrdersIn { .. }
        | StaffPress::OrdersByPhone { .. }
        | StaffPress::FindOrder
        | StaffPress::Order { .. } => Need::Right(Right::SeeOrders),
        StaffPress::Broadcast
        | StaffPress::StartBroadcast { .. }
        | StaffPress::ShowBroadcast { .. }
        | StaffPress::PauseBroadcast { .. }
        | StaffPress::ResumeBroadcast { .. }
        | StaffPress::StopBroadcast { .. } => Need::Right(Right::Broadcast),
        StaffPress::Statistics { .. } | StaffPress::ExportStatistics { .. } => {
            Need::Right(Right::SeeStatistics)
        }
        StaffPress::PromoCodes { .. }
        | StaffPress::NewPromo
        | StaffPress::Promo { .. }
        | StaffPress::SwitchPromo { .. }
        | StaffPress::PromoUnbounded { .. }
        | StaffPress::AddPromo { .. } => Need::Right(Right::EditCatalogue),
        StaffPress::Members { .. }
        | StaffPress::Member { .. }
        | StaffPress::NewMember
        | StaffPress::SetRole { .. }
        | StaffPress::RemoveMember { .. }
        | StaffPress::RemoveMemberSurely { .. }
        | StaffPress::Journal { .. } => Need::Right(Right::ManageStaff),
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
    use crate::press::CataloguePress;

    fn may(role: Role, press: &Press) -> bool {
        match of_press(press) {
            None | Some(Need::Role) => true,
            Some(Need::Right(right)) => role.may(right),
        }
    }

    #[test]
    fn a_courier_cannot_edit_the_catalogue_by_any_button() {
        for press in CataloguePress::longest().into_iter().map(Press::from) {
            assert!(!may(Role::Courier, &press), "{press:?}");
            assert!(may(Role::Manager, &press), "{press:?}");
        }
    }

    #[test]
    fn a_courier_sees_the_panel_and_works_on_orders_and_only_owners_manage_staff() {
        for press in StaffPress::longest() {
            let (verb, press) = (format!("{press:?}"), Press::from(press));
            assert!(may(Role::Owner, &press), "{verb}");
            let about_orders = verb.starts_with("Panel") || verb.starts_with("Do");
            let about_codes = verb.contains("Promo");
            let about_staff = ["Member", "Role", "Journal"]
                .iter()
                .any(|word| verb.split([' ', '{']).next().is_some_and(|v| v.contains(word)));
            if about_codes || about_staff {
                assert!(!may(Role::Courier, &press), "{verb}");
            }
            if about_orders {
                assert!(may(Role::Courier, &press), "{verb}");
            }
            if about_staff {
                assert!(!may(Role::Manager, &press), "{verb}");
            }
        }
    }
}
