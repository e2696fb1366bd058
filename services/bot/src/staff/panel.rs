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
    shopper::menu,
    texts::{l, t},
};

/// /admin. Who has no role does not get here: to them it is no command (`schema.rs`).
pub(crate) async fn open(mut ctx: Ctx) -> HandlerResult {
    let Some(role) = ctx.role else { return ctx.stale().await };
    // Also out of a question that shows a keyboard, which only a message takes away.
    menu::rest(&mut ctx).await?;
    ctx.show(screen(ctx.language, role, &ctx.person.name)).await
}

fn screen(language: Language, role: Role, name: &str) -> Screen {
    Screen::new(t!(language, "panel-title", name = name, role = role_name(language, role)))
        .rows(buttons(language, role))
        .row([Button::callback(l!(language, "panel-to-shop"), ShopCallback::Menu)])
}

/// Everything that staff can do, one line a button: what a role may, it sees.
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

/// The way to the pages beside this one.
pub(crate) fn pager(
    page: u32,
    pages: u32,
    to: impl Fn(u32) -> crate::conversation::callback::CallbackData,
) -> Vec<Button> {
    if pages < 2 {
        return Vec::new();
    }
    let mut row = Vec::new();
    if let Some(before) = page.checked_sub(1) {
        row.push(Button::callback("◀️", to(before)));
    }
    row.push(Button::callback(format!("{} / {pages}", page.saturating_add(1)), ShopCallback::Nothing));
    if page.saturating_add(1) < pages {
        row.push(Button::callback("▶️", to(page.saturating_add(1))));
    }
    row
}

/// One page of a list that may have become shorter: the page that is there, how many there are, and what is on it.
pub(crate) fn page_of<T>(all: &[T], page: u32, on_a_page: usize) -> (u32, u32, &[T]) {
    let pages = u32::try_from(all.len().div_ceil(on_a_page)).unwrap_or(u32::MAX).max(1);
    let page = page.min(pages.saturating_sub(1));
    let from = usize::try_from(page).unwrap_or(0).saturating_mul(on_a_page).min(all.len());
    let to = from.saturating_add(on_a_page).min(all.len());
    (page, pages, all.get(from..to).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_sees_what_it_may() {
        let labels = |role| {
            let buttons: Vec<Button> = buttons(Language::En, role).concat();
            buttons.len()
        };
        assert!(labels(Role::Owner) > labels(Role::Manager));
        assert!(labels(Role::Manager) > labels(Role::Courier));
    }

    #[test]
    fn a_page_that_is_no_more_is_the_last_one() {
        let all = [1, 2, 3, 4, 5];
        assert_eq!(page_of(&all, 0, 2), (0, 3, &[1, 2][..]));
        assert_eq!(page_of(&all, 9, 2), (2, 3, &[5][..]));
        assert_eq!(page_of::<u8>(&[], 3, 2), (0, 1, &[][..]));
        assert!(pager(0, 1, |page| CatalogueCallback::Categories { page }.into()).is_empty());
        let turns = pager(1, 3, |page| CatalogueCallback::Categories { page }.into());
        let labels: Vec<String> = Screen::new("")
            .row(turns)
            .markup()
            .inline_keyboard
            .concat()
            .into_iter()
            .map(|b| b.text)
            .collect();
        assert_eq!(labels, ["◀️", "2 / 3", "▶️"], "as shoppers have it");
    }
}
