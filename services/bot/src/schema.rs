//! The tree of everything that the bot answers: one line a step, one function a step.
//!
//! `answer.rs` brings an [`Update`] and its [`Ctx`]; a tap brings its press, a message what was typed.

use teloxide::{
    dispatching::{UpdateFilterExt, UpdateHandler},
    dptree::{self, case},
    types::{CallbackQuery, Update},
    utils::command::BotCommands,
};

use crate::{
    ctx::{Ctx, Done, Trouble},
    dialogue::Step,
    press::{Press, ShopPress, StaffPress},
    shopper::{menu, start},
    staff::{StaffStep, panel, rights},
};

pub(crate) type Tree = UpdateHandler<Trouble>;

#[derive(Debug, Clone, PartialEq, Eq, BotCommands)]
#[command(rename_rule = "lowercase")]
pub(crate) enum Command {
    /// With what a link put behind it.
    Start(String),
    Menu,
    /// The staff panel; to who has no role it is no command.
    Admin,
}

pub(crate) fn schema() -> Tree {
    dptree::entry()
        .branch(
            Update::filter_callback_query()
                .map(|query: CallbackQuery| query.data.as_deref().and_then(Press::parse))
                .branch(
                    dptree::filter_map(|press: Option<Press>| press)
                        .branch(shopper_taps())
                        .branch(staff_taps()),
                )
                .endpoint(stale),
        )
        .branch(
            Update::filter_message()
                .branch(dptree::filter_map(command).branch(commands()))
                .branch(dptree::map(|ctx: Ctx| ctx.dialogue.step).branch(answers())),
        )
}

fn commands() -> Tree {
    dptree::entry()
        .branch(case![Command::Start(link)].endpoint(start::start))
        .branch(case![Command::Menu].endpoint(menu::open))
        .branch(case![Command::Admin].filter(|ctx: Ctx| ctx.role.is_some()).endpoint(panel::open))
}

fn shopper_taps() -> Tree {
    case![Press::Shop(press)].branch(case![ShopPress::Menu].endpoint(menu::open))
}

/// To who has no role these are buttons like any that are no more.
fn staff_taps() -> Tree {
    dptree::filter(|ctx: Ctx, press: Press| ctx.role.is_some() && rights::of_press(&press).is_some())
        .branch(
            dptree::filter(|ctx: Ctx, press: Press| !rights::may_tap(&ctx, &press)).endpoint(rights::refuse),
        )
        .branch(case![Press::Staff(press)].branch(case![StaffPress::Panel].endpoint(panel::open)))
}

fn answers() -> Tree {
    dptree::entry().branch(case![Step::Idle].endpoint(menu::open)).branch(staff_answers())
}

fn staff_answers() -> Tree {
    case![Step::Staff(step)].branch(
        dptree::filter(|ctx: Ctx, step: StaffStep| !rights::may_answer(&ctx, &step)).endpoint(menu::open),
    )
}

async fn stale(ctx: Ctx) -> Done {
    ctx.stale().await
}

fn command(ctx: Ctx) -> Option<Command> {
    Command::parse(ctx.text()?, ctx.deps.username()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_with_and_without_what_a_link_adds() {
        let read = |text| Command::parse(text, "shop_bot").ok();
        assert_eq!(read("/start"), Some(Command::Start(String::new())));
        assert_eq!(read("/start from_poster"), Some(Command::Start("from_poster".to_owned())));
        assert_eq!(read("/start@shop_bot"), Some(Command::Start(String::new())));
        assert_eq!(read("/other"), None);
        assert_eq!(read("salom"), None);
    }
}
