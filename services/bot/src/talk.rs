//! Listening to shoppers by long polling, for ever: Telegram away at the start, or later, is waited out.

use std::{sync::Arc, time::Duration};

use teloxide::{
    Bot, RequestError, dispatching::Dispatcher, dptree, requests::Requester, update_listeners::Polling,
};
use tokio::{task::JoinSet, time::Instant};
use tolov_kit::{
    lifecycle::{Stop, pause},
    retry::Pauses,
};

use crate::{handlers::HandlerDeps, reach::Reach, schema::schema, telegram::POLL};

/// For telling Telegram which updates are done when stopping.
const LAST_CALL: Duration = Duration::from_secs(3);
/// Listening that went on for so long was well: the next pause is a short one again.
const WELL_AFTER: Duration = Duration::from_mins(1);

pub(crate) async fn run(bot: Bot, deps: Arc<HandlerDeps>, stop: Stop) {
    let reach = Arc::new(Reach::new("Telegram (for listening)"));
    let mut pauses = Pauses::new(Duration::from_secs(1), Duration::from_mins(1));
    while !stop.is_cancelled() {
        let began = Instant::now();
        listen(&bot, &deps, &reach, &stop).await;
        if began.elapsed() > WELL_AFTER {
            pauses.reset();
        }
        pause(&stop, pauses.next_pause()).await;
    }
}

/// Listens until `stop`, or until it cannot go on.
async fn listen(bot: &Bot, deps: &Arc<HandlerDeps>, reach: &Arc<Reach>, stop: &Stop) {
    let mut dispatcher = Dispatcher::builder(bot.clone(), schema())
        .dependencies(dptree::deps![Arc::clone(deps)])
        // The usual one prints what people wrote.
        .default_handler(|_| async {})
        .error_handler(Arc::new(|error: RequestError| async move {
            tracing::warn!(%error, "an answer could not be sent");
        }))
        .build();
    let token = dispatcher.shutdown_token();
    let (bot, met) = (bot.clone(), Arc::clone(reach));
    // A task of its own: where teloxide panics (a handler that panicked ends its dispatcher) only this one ends.
    let mut listening = JoinSet::new();
    listening.spawn(async move {
        bot.get_me().await?;
        met.found();
        let listener = Polling::builder(bot).timeout(POLL).delete_webhook().await.build();
        let on_error = Arc::new(|error: RequestError| async move {
            tracing::warn!(%error, "updates could not be fetched; two bots with one token disturb each other");
        });
        dispatcher.try_dispatch_with_listener(listener, on_error).await
    });
    tokio::select! {
        ended = listening.join_next() => match ended {
            Some(Ok(Ok(()))) | None => {}
            Some(Ok(Err(error))) => {
                reach.lost(error);
            }
            Some(Err(error)) => tracing::error!(%error, "the listener panicked; it starts anew"),
        },
        () = stop.cancelled() => {
            // Idle is a dispatcher that has not begun: dropping it is all that is needed.
            if let Ok(_done) = token.shutdown() {
                tokio::time::timeout(LAST_CALL, listening.join_next()).await.ok();
            }
        }
    }
}
