//! The tree of everything that the bot answers.

use teloxide::{
    RequestError,
    dispatching::{UpdateFilterExt, UpdateHandler},
    dptree::{self, case},
    types::{Me, Message, Update},
    utils::command::BotCommands,
};

use crate::counted::handled;
use crate::handlers::{list_orders, say_what_i_can, start};

#[derive(Debug, Clone, PartialEq, Eq, BotCommands)]
#[command(rename_rule = "lowercase")]
enum Command {
    /// With what a link put behind it, which means nothing yet.
    Start(String),
    Orders,
}

pub(crate) fn schema() -> UpdateHandler<RequestError> {
    let commands = dptree::filter_map(|message: Message, me: Me| command(&message, &me))
        .branch(
            case![Command::Start(link)]
                .endpoint(|bot, message, deps| handled("start", start(bot, message, deps))),
        )
        .branch(
            case![Command::Orders]
                .endpoint(|bot, message, deps| handled("orders", list_orders(bot, message, deps))),
        );
    Update::filter_message().filter(|message: Message| message.chat.is_private()).branch(commands).branch(
        dptree::filter(|message: Message| message.text().is_some())
            .endpoint(|bot, message, deps| handled("text", say_what_i_can(bot, message, deps))),
    )
}

/// Like teloxide's `filter_command`, which panics where a server gives the bot no username.
fn command(message: &Message, me: &Me) -> Option<Command> {
    Command::parse(message.text()?, me.user.username.as_deref().unwrap_or_default()).ok()
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
        assert_eq!(read("/orders"), Some(Command::Orders));
        assert_eq!(read("/other"), None);
        assert_eq!(read("salom"), None);
    }
}
