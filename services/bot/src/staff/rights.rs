//! Which right a tap or an answer of staff needs. The routing asks at each, with the role as it is now: it may have been taken
//! away since the button was shown.

use teloxide::types::{Update, UpdateKind};
use tolov_shop::staff::Right;

use crate::{
    conversation::{
        callback::{CallbackData, ShopCallback, StaffCallback},
        context::Ctx,
        dialogue::StaffStep,
        error::HandlerResult,
    },
    texts::l,
};

/// What a tap or an answer requires.
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

/// Whether something that an update leads to depends on the role of its sender. Most taps are on what is the same for everybody.
pub(crate) fn matter_to(update: &Update) -> bool {
    let UpdateKind::CallbackQuery(query) = &update.kind else {
        return !matches!(update.kind, UpdateKind::InlineQuery(_));
    };
    let callback = query.data.as_deref().and_then(CallbackData::parse);
    let Some(CallbackData::Shop(callback)) = callback else { return true };
    !matches!(
        callback,
        ShopCallback::Categories { .. }
            | ShopCallback::Category { .. }
            | ShopCallback::PageOf { .. }
            | ShopCallback::Product { .. }
            | ShopCallback::Variant { .. }
            | ShopCallback::Photo { .. }
            | ShopCallback::SetOnCard { .. }
            | ShopCallback::AskQuantity { .. }
            | ShopCallback::Search
            | ShopCallback::FoundPage { .. }
            | ShopCallback::Cart
            | ShopCallback::CartPage { .. }
            | ShopCallback::AcceptNews
            | ShopCallback::SetInCart { .. }
            | ShopCallback::Nothing
    )
}

pub(crate) fn may_tap(ctx: &Ctx, callback: &CallbackData) -> bool {
    of_callback(callback).is_none_or(|need| need.is_met_by(ctx))
}

pub(crate) fn may_answer(ctx: &Ctx, step: &StaffStep) -> bool {
    of_step(step).is_met_by(ctx)
}

/// The answer to somebody whose role does not have the right.
pub(crate) async fn refuse(ctx: Ctx) -> HandlerResult {
    ctx.alert(l!(ctx.language, "staff-no-right")).await
}

fn of_staff_callback(callback: &StaffCallback) -> Need {
    match callback {
        StaffCallback::Panel => Need::Role,
        StaffCallback::AnswerShopper => Need::Right(Right::AnswerSupport),
        // The actions that a role may apply are checked there (`Role::may_apply`).
        StaffCallback::Act { .. }
        | StaffCallback::ActConfirmed { .. }
        | StaffCallback::Orders
        | StaffCallback::OrdersIn { .. }
        | StaffCallback::OrdersByPhone { .. }
        | StaffCallback::FindOrder
        | StaffCallback::Order { .. } => Need::Right(Right::SeeOrders),
        StaffCallback::Refund { .. }
        | StaffCallback::RefundLines { .. }
        | StaffCallback::RefundCount { .. }
        | StaffCallback::RefundAsk { .. }
        | StaffCallback::RefundConfirmed { .. }
        | StaffCallback::RefundDecide { .. }
        | StaffCallback::RefundDecided { .. }
        | StaffCallback::AcceptPayment { .. } => Need::Right(Right::Refund),
        StaffCallback::Missing { .. } => Need::Right(Right::WorkOnOrders),
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
        StaffStep::RefundLines { .. } | StaffStep::RefundDocument { .. } => Need::Right(Right::Refund),
        StaffStep::FindOrder => Need::Right(Right::SeeOrders),
        StaffStep::BroadcastSource | StaffStep::BroadcastAlbum { .. } => Need::Right(Right::Broadcast),
        StaffStep::SupportAnswer { .. } => Need::Right(Right::AnswerSupport),
    }
}

#[cfg(test)]
mod tests {
    use tolov_domain::{OrderId, ProductId, RefundId};
    use tolov_shop::staff::Role;

    use super::*;
    use crate::conversation::callback::{CatalogueCallback, RefundDecision};

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
    fn a_courier_works_on_orders_and_only_owners_manage_staff_and_refund() {
        for callback in StaffCallback::longest().into_iter().map(CallbackData::from) {
            assert!(may(Role::Owner, &callback), "{callback:?}");
            let need = of_callback(&callback).unwrap();
            let is_about_orders = matches!(need, Need::Role | Need::Right(Right::SeeOrders));
            let is_for_owners = matches!(need, Need::Right(Right::ManageStaff | Right::Refund));
            assert_eq!(may(Role::Courier, &callback), is_about_orders, "{callback:?}");
            assert_eq!(may(Role::Manager, &callback), !is_for_owners, "{callback:?}");
        }
    }

    #[test]
    fn the_right_that_a_button_needs_is_the_one_of_its_subject() {
        let need = |callback: StaffCallback| of_callback(&callback.into()).unwrap();
        let id = tolov_domain::UserId::try_new(5).unwrap();
        assert_eq!(need(StaffCallback::Panel), Need::Role);
        assert_eq!(need(StaffCallback::Orders), Need::Right(Right::SeeOrders));
        assert_eq!(need(StaffCallback::PromoCodes { page: 0 }), Need::Right(Right::EditCatalogue));
        assert_eq!(need(StaffCallback::Broadcast), Need::Right(Right::Broadcast));
        assert_eq!(need(StaffCallback::RemoveMember { id }), Need::Right(Right::ManageStaff));
        assert_eq!(need(StaffCallback::Journal { page: 0 }), Need::Right(Right::ManageStaff));
    }

    #[test]
    fn every_button_that_gives_money_back_or_takes_it_as_paid_is_for_owners() {
        let (id, refund_id) = (OrderId::try_new(1024).unwrap(), RefundId::try_new(3).unwrap());
        let (product_id, decision) = (ProductId::try_new(7).unwrap(), RefundDecision::ByHand);
        let (part, restock) = (true, true);
        for callback in [
            StaffCallback::Refund { id },
            StaffCallback::RefundLines { id },
            StaffCallback::RefundCount { id, product_id, count: 1 },
            StaffCallback::RefundAsk { id, part, restock },
            StaffCallback::RefundConfirmed { id, part, restock, sum: 100, seen: 0 },
            StaffCallback::RefundDecide { id, refund_id, decision },
            StaffCallback::RefundDecided { id, refund_id, decision },
            StaffCallback::AcceptPayment { id, prepare_id: 77 },
        ] {
            let callback = CallbackData::from(callback);
            assert_eq!(of_callback(&callback), Some(Need::Right(Right::Refund)), "{callback:?}");
            assert!(!may(Role::Manager, &callback) && !may(Role::Courier, &callback), "{callback:?}");
        }
    }
}
