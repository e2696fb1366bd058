//! Help, and the list of commands that Telegram shows beside the input.

use std::sync::Arc;

use teloxide::types::BotCommand;
use tolov_domain::Language;

use crate::{
    conversation::{
        callback::ShopCallback,
        context::Ctx,
        error::HandlerResult,
        screen::{Button, Screen},
    },
    deps::HandlerDeps,
    texts::{l, t},
};

pub(crate) async fn open(ctx: Ctx) -> HandlerResult {
    ctx.leave_step().await?;
    ctx.show(screen(ctx.language)).await
}

fn screen(language: Language) -> Screen {
    let lines = commands(language).into_iter().map(|(name, what)| format!("/{name} — {what}"));
    let html = [t!(language, "help-text"), lines.collect::<Vec<_>>().join("\n"), t!(language, "help-end")];
    Screen::new(html.join("\n\n")).row(ways_on(language))
}

/// What a purchase comes with. Telegram asks for the command before a bot takes real payments.
pub(crate) async fn terms(ctx: Ctx) -> HandlerResult {
    ctx.leave_step().await?;
    ctx.show(Screen::new(t!(ctx.language, "terms-text")).row(ways_on(ctx.language))).await
}

fn ways_on(language: Language) -> [Button; 2] {
    [
        Button::callback(l!(language, "menu-support"), ShopCallback::AskSupport),
        Button::callback(l!(language, "back-to-menu"), ShopCallback::Menu),
    ]
}

/// The commands with what they do, in the order in which they are shown.
fn commands(language: Language) -> [(&'static str, String); 10] {
    [
        ("menu", l!(language, "command-menu")),
        ("search", l!(language, "command-search")),
        ("cart", l!(language, "command-cart")),
        ("orders", l!(language, "command-orders")),
        ("profile", l!(language, "command-profile")),
        ("language", l!(language, "command-language")),
        ("phone", l!(language, "command-phone")),
        ("help", l!(language, "command-help")),
        ("support", l!(language, "command-support")),
        ("terms", l!(language, "command-terms")),
    ]
}

/// Tells Telegram the commands in every language; for other languages the Uzbek ones are shown. Best effort: the bot works
/// without the list.
pub(crate) async fn announce_commands(deps: &Arc<HandlerDeps>) {
    let for_others = (None, Language::default());
    let each = Language::ALL.map(|language| (Some(language), language));
    for (only, language) in std::iter::once(for_others).chain(each) {
        let list = commands(language).map(|(name, what)| BotCommand::new(name, what));
        if let Err(error) = deps.telegram.set_commands(list.to_vec(), only).await {
            tracing::warn!(%error, language = language.as_str(), "the list of commands could not be set");
        }
    }
}

#[cfg(test)]
mod tests {
    use teloxide::utils::command::BotCommands;

    use super::*;
    use crate::conversation::command::Command;

    #[test]
    fn every_listed_command_is_understood_and_within_telegrams_limits() {
        for language in Language::ALL {
            for (name, what) in commands(language) {
                assert!(Command::parse(&format!("/{name}"), "shop_bot").is_ok(), "/{name}");
                assert!((3..=256).contains(&what.chars().count()), "{what}");
            }
        }
    }

    #[test]
    fn help_names_every_command() {
        for language in Language::ALL {
            let screen = screen(language);
            for (name, _) in commands(language) {
                assert!(screen.html.contains(&format!("/{name} — ")), "{}", screen.html);
            }
        }
    }
}
