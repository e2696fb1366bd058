//! Listening to people by long polling, for ever: Telegram away at the start, or later, is waited out.

use std::{sync::Arc, time::Duration};

use teloxide::{payloads::GetUpdatesSetters, requests::Requester};
use tolov_kit::{
    lifecycle::{Stop, pause},
    retry::Pauses,
};

use crate::{
    answer::answer, ctx::HandlerDeps, schema::schema, shopper::help::announce_commands, telegram::POLL,
};

pub(crate) async fn run(deps: Arc<HandlerDeps>, stop: Stop) {
    let tree = schema();
    let bot = deps.telegram.listening.clone();
    let mut pauses = Pauses::new(Duration::from_secs(1), Duration::from_mins(1));
    let mut offset = 0;
    while !stop.is_cancelled() {
        if deps.me.get().is_none()
            && let Ok(me) = bot.get_me().await
        {
            deps.me.set(me).ok();
            announce_commands(&deps).await;
        }
        let poll = bot.get_updates().offset(offset).timeout(u32::try_from(POLL.as_secs()).unwrap_or(10));
        let polled = tokio::select! {
            polled = poll => polled,
            () = stop.cancelled() => return,
        };
        match polled {
            Ok(updates) => {
                pauses.reset();
                for update in updates {
                    offset = i32::try_from(update.id.0).unwrap_or(i32::MAX).saturating_add(1);
                    answer(&tree, &deps, update).await;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "updates could not be fetched");
                pause(&stop, pauses.next_pause()).await;
            }
        }
    }
}
