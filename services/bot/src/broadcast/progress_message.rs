//! Messages that show the progress of a long job, and that of a broadcast, with its buttons.

use teloxide::types::ChatId;
use tolov_domain::{Language, UserId};
use tolov_shop::broadcast::{Broadcast, BroadcastState};

use crate::{
    conversation::{
        callback::StaffCallback,
        dialogue::ShownMessage,
        screen::{Button, Screen},
    },
    deps::HandlerDeps,
    texts::{l, t},
};

const BAR_CELLS: u32 = 10;

pub(crate) fn screen(language: Language, broadcast: &Broadcast) -> Screen {
    let id = broadcast.id;
    let title = match broadcast.state {
        BroadcastState::Gathering | BroadcastState::Draft | BroadcastState::Running => {
            t!(language, "broadcast-running", number = id)
        }
        BroadcastState::Paused => t!(language, "broadcast-paused", number = id),
        BroadcastState::Done => t!(language, "broadcast-done", number = id),
        BroadcastState::Stopped => t!(language, "broadcast-stopped", number = id),
    };
    // Shoppers who came after it began are counted too.
    let total = broadcast.total.max(broadcast.done());
    let numbers = t!(
        language,
        "broadcast-numbers",
        sent = broadcast.sent,
        blocked = broadcast.blocked,
        failed = broadcast.failed
    );
    let progress = t!(
        language,
        "broadcast-progress",
        bar = bar(u64::from(broadcast.done()), u64::from(total)),
        done = broadcast.done(),
        total = total
    );
    let screen = Screen::new([title, progress, numbers].join("\n"));
    let pause = || Button::callback(l!(language, "broadcast-pause"), StaffCallback::PauseBroadcast { id });
    let resume = || Button::callback(l!(language, "broadcast-resume"), StaffCallback::ResumeBroadcast { id });
    let stop = || Button::callback(l!(language, "broadcast-stop"), StaffCallback::StopBroadcast { id });
    match broadcast.state {
        BroadcastState::Running => screen.row([pause(), stop()]),
        BroadcastState::Paused => screen.row([resume(), stop()]),
        BroadcastState::Gathering
        | BroadcastState::Draft
        | BroadcastState::Done
        | BroadcastState::Stopped => screen,
    }
}

/// Shows a screen in a message of this person's chat; in a new one where there is none, or where it is gone and the screen
/// `matters`. Best effort. Returns the message that shows it.
pub(crate) async fn show(
    deps: &HandlerDeps,
    id: UserId,
    before: Option<i32>,
    screen: &Screen,
    matters: bool,
) -> Option<i32> {
    if let Some(message_id) = before {
        let shown = ShownMessage { message_id, has_photo: false };
        match deps.telegram.change(ChatId(id.get()), shown, screen).await {
            Ok(false) if matters => {}
            Ok(_) => return before,
            Err(error) => {
                tracing::debug!(user.id = %id, %error, "a message with progress is not shown");
                return before;
            }
        }
    }
    match deps.send_to(id, screen).await {
        Ok(shown) => Some(shown.message_id),
        Err(error) => {
            tracing::debug!(user.id = %id, %error, "a message with progress is not shown");
            None
        }
    }
}

/// `▓▓▓░░░░░░░`.
pub(crate) fn bar(done: u64, total: u64) -> String {
    let full = done.saturating_mul(u64::from(BAR_CELLS)).checked_div(total);
    let full = full.and_then(|full| usize::try_from(full).ok()).unwrap_or(0);
    let cells = usize::try_from(BAR_CELLS).unwrap_or(0);
    format!("{}{}", "▓".repeat(full.min(cells)), "░".repeat(cells.saturating_sub(full)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_with_what_is_done() {
        assert_eq!(bar(0, 0), "░░░░░░░░░░");
        assert_eq!(bar(0, 7), "░░░░░░░░░░");
        assert_eq!(bar(1, 2), "▓▓▓▓▓░░░░░");
        assert_eq!(bar(999, 1000), "▓▓▓▓▓▓▓▓▓░");
        assert_eq!(bar(1000, 1000), "▓▓▓▓▓▓▓▓▓▓");
    }
}
