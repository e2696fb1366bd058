//! The commands that the bot understands.

use teloxide::utils::command::BotCommands;

#[derive(Debug, Clone, PartialEq, Eq, BotCommands)]
#[command(rename_rule = "lowercase")]
pub(crate) enum Command {
    /// With what a link put behind it.
    Start(String),
    Menu,
    Cancel,
    /// With or without words behind it.
    Search(String),
    Cart,
    Orders,
    Profile,
    Language,
    Phone,
    Help,
    /// The staff panel; to who has no role it is no command.
    Admin,
}
