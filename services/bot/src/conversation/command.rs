//! The commands that the bot understands.

use teloxide::utils::command::BotCommands;

#[derive(Debug, Clone, PartialEq, Eq, BotCommands)]
#[command(rename_rule = "lowercase")]
pub(crate) enum Command {
    /// With the payload of a link.
    Start(String),
    Menu,
    Cancel,
    /// With or without words.
    Search(String),
    Cart,
    Orders,
    Profile,
    Language,
    Phone,
    Help,
    Support,
    Terms,
    /// The staff panel.
    Admin,
    /// Everything that is known of the order with this number.
    Trace(String),
}
