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
    press::{Press, ShopPress},
    shopper::{acquaintance, card, catalogue, help, inline, menu, profile, search, start},
};

pub(crate) type Tree = UpdateHandler<Trouble>;

#[derive(Debug, Clone, PartialEq, Eq, BotCommands)]
#[command(rename_rule = "lowercase")]
pub(crate) enum Command {
    /// With what a link put behind it.
    Start(String),
    Menu,
    Cancel,
    /// With or without words behind it.
    Search(String),
    Profile,
    Language,
    Phone,
    Help,
}

pub(crate) fn schema() -> Tree {
    dptree::entry()
        .branch(
            Update::filter_callback_query()
                .map(|query: CallbackQuery| query.data.as_deref().and_then(Press::parse))
                .branch(dptree::filter_map(|press: Option<Press>| press).branch(shopper_taps()))
                .endpoint(stale),
        )
        .branch(
            Update::filter_message()
                .branch(dptree::filter_map(command).branch(commands()))
                .branch(dptree::filter_map(inline::picked).endpoint(card::open))
                .branch(dptree::map(|ctx: Ctx| ctx.dialogue.step).branch(answers())),
        )
        .branch(Update::filter_inline_query().endpoint(inline::answer))
        .branch(Update::filter_my_chat_member().endpoint(acquaintance::membership))
}

fn commands() -> Tree {
    dptree::entry()
        .branch(case![Command::Start(link)].endpoint(start::start))
        .branch(case![Command::Menu].endpoint(menu::open))
        .branch(case![Command::Cancel].endpoint(menu::open))
        .branch(case![Command::Search(words)].endpoint(search::command))
        .branch(case![Command::Profile].endpoint(profile::open))
        .branch(case![Command::Language].endpoint(profile::choose_language))
        .branch(case![Command::Phone].endpoint(start::change_phone))
        .branch(case![Command::Help].endpoint(help::open))
}

fn shopper_taps() -> Tree {
    case![Press::Shop(press)]
        .branch(case![ShopPress::Nothing].endpoint(nothing))
        .branch(case![ShopPress::Menu].endpoint(menu::open))
        .branch(case![ShopPress::Categories { page }].endpoint(catalogue::categories))
        .branch(case![ShopPress::Category { id, page }].endpoint(catalogue::category))
        .branch(case![ShopPress::Product { id }].endpoint(card::open))
        .branch(case![ShopPress::Variant { product_id, article_id }].endpoint(card::open_variant))
        .branch(case![ShopPress::SetOnCard { article_id, count }].endpoint(card::set))
        .branch(case![ShopPress::Search].endpoint(search::ask))
        .branch(case![ShopPress::FoundPage { page }].endpoint(search::page))
        .branch(case![ShopPress::Profile].endpoint(profile::open))
        .branch(case![ShopPress::Languages].endpoint(profile::choose_language))
        .branch(case![ShopPress::ChooseLanguage { language }].endpoint(start::choose_language))
        .branch(case![ShopPress::ChangePhone].endpoint(start::change_phone))
        .branch(case![ShopPress::Invite].endpoint(profile::invite))
        .branch(case![ShopPress::Help].endpoint(help::open))
}

fn answers() -> Tree {
    dptree::entry()
        .branch(case![Step::Idle].endpoint(search::typed))
        .branch(case![Step::Search].endpoint(search::typed))
        .branch(case![Step::Language { link }].endpoint(start::language_first))
        .branch(case![Step::Phone { is_first, link }].endpoint(start::phone_given))
}

async fn stale(ctx: Ctx) -> Done {
    ctx.stale().await
}

/// A label was tapped.
async fn nothing(ctx: Ctx) -> Done {
    ctx.answer(None, false).await;
    Ok(())
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
