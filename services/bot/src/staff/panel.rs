//! The panel: what a member of staff may do, as buttons.

use tolov_domain::Language;
use tolov_shop::{
    staff::{Right, Role},
    statistics::Period,
};

use crate::{
    conversation::{
        callback::{CatalogueCallback, ShopCallback, StaffCallback},
        context::Ctx,
        error::HandlerResult,
        screen::{Button, Screen},
    },
    texts::{l, t},
};

/// /admin. For people without a role it is not a command (`schema.rs`).
pub(crate) async fn open(ctx: Ctx) -> HandlerResult {
    let Some(role) = ctx.role else { return ctx.stale().await };
    ctx.leave_step().await?;
    ctx.show(screen(ctx.language, role, &ctx.person.name)).await
}

fn screen(language: Language, role: Role, name: &str) -> Screen {
    Screen::new(t!(language, "panel-title", name = name, role = role_name(language, role)))
        .rows(buttons(language, role))
        .row([Button::callback(l!(language, "panel-to-shop"), ShopCallback::Menu)])
}

/// Everything that staff can do; a role sees what it may.
fn buttons(language: Language, role: Role) -> Vec<Vec<Button>> {
    let all = [
        (Right::SeeOrders, Button::callback(l!(language, "panel-orders"), StaffCallback::Orders)),
        (Right::Broadcast, Button::callback(l!(language, "panel-broadcast"), StaffCallback::Broadcast)),
        (
            Right::SeeStatistics,
            Button::callback(
                l!(language, "panel-statistics"),
                StaffCallback::Statistics { period: Period::Days },
            ),
        ),
        (
            Right::EditCatalogue,
            Button::callback(l!(language, "panel-catalogue"), CatalogueCallback::Categories { page: 0 }),
        ),
        (
            Right::EditCatalogue,
            Button::callback(l!(language, "panel-promo"), StaffCallback::PromoCodes { page: 0 }),
        ),
        (
            Right::ManageStaff,
            Button::callback(l!(language, "panel-staff"), StaffCallback::Members { page: 0 }),
        ),
        (
            Right::ManageStaff,
            Button::callback(l!(language, "panel-journal"), StaffCallback::Journal { page: 0 }),
        ),
    ];
    let allowed: Vec<Button> =
        all.into_iter().filter(|(right, _)| role.may(*right)).map(|(_, button)| button).collect();
    allowed.chunks(2).map(<[Button]>::to_vec).collect()
}

pub(crate) fn role_name(language: Language, role: Role) -> String {
    match role {
        Role::Owner => l!(language, "role-owner"),
        Role::Manager => l!(language, "role-manager"),
        Role::Courier => l!(language, "role-courier"),
    }
}

/// The way back to the panel, at the end of a screen.
pub(crate) fn back(language: Language) -> [Button; 1] {
    [Button::callback(l!(language, "panel-back"), StaffCallback::Panel)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_sees_what_it_may() {
        let labels = |role| {
            let markup = Screen::new("").rows(buttons(Language::En, role)).markup();
            markup.inline_keyboard.concat().into_iter().map(|button| button.text).collect::<Vec<_>>()
        };
        let orders = l!(Language::En, "panel-orders");
        let catalogue = l!(Language::En, "panel-catalogue");
        let staff = l!(Language::En, "panel-staff");
        let sees = |role| [&orders, &catalogue, &staff].map(|label| labels(role).contains(label));
        assert_eq!(sees(Role::Owner), [true, true, true]);
        assert_eq!(sees(Role::Manager), [true, true, false]);
        assert_eq!(sees(Role::Courier), [true, false, false]);
    }
}
