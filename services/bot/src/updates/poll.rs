//! Long polling for updates; an outage of Telegram at the start or later is waited out. Of several bots one polls.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde::Serialize;
use serde_json::Value;
use teloxide::{
    ApiError, Bot, RequestError,
    requests::{JsonRequest, Payload, Request, Requester},
};
use tokio::time::Instant;
use tolov_domain::ports::PortError;
use tolov_kit::{
    lifecycle::{Stop, pause},
    retry::Pauses,
};

use crate::{
    deps::HandlerDeps,
    invoices::checkout::PreCheckout,
    telegram::{client::POLL, errors::with_causes, membership::PollingLease},
    updates::{
        answering::Work,
        arrivals::{ALLOWED, Arrivals},
    },
};

/// How often it is logged that another process polls.
const LOG_CONFLICT_EVERY: Duration = Duration::from_mins(5);

/// getUpdates with each update as Telegram's own text, so that one that teloxide cannot read does not affect the others.
#[derive(Debug, Clone, Serialize)]
struct GetUpdates {
    offset: i64,
    timeout: u64,
    allowed_updates: [&'static str; 6],
}

impl Payload for GetUpdates {
    type Output = Vec<Value>;

    const NAME: &'static str = "GetUpdates";

    fn timeout_hint(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.timeout))
    }
}

pub(crate) struct Poll<W> {
    deps: Arc<HandlerDeps>,
    arrivals: Arc<Arrivals<W>>,
    lease: PollingLease,
    bot: Bot,
    /// The first update that is not stored yet.
    offset: i64,
    /// Whether it is known that no webhook is set.
    is_ready: bool,
    /// When it was logged that another process polls.
    conflict_logged_at: Option<Instant>,
    /// The newest question whether an invoice may be paid that was answered: it comes again while the store takes nothing.
    last_checkout: Option<i64>,
}

impl<W: Work> Poll<W> {
    pub(crate) fn new(deps: Arc<HandlerDeps>, arrivals: Arc<Arrivals<W>>, lease: PollingLease) -> Self {
        let bot = deps.telegram.listening.clone();
        Self {
            deps,
            arrivals,
            lease,
            bot,
            offset: 0,
            is_ready: false,
            conflict_logged_at: None,
            last_checkout: None,
        }
    }

    pub(crate) async fn run(mut self, stop: &Stop) {
        let mut pauses = Pauses::new(Duration::from_secs(1), Duration::from_mins(1));
        loop {
            let rest = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                rest = self.turn() => rest,
            };
            match rest {
                Rest::None => pauses.reset(),
                Rest::Usual => {
                    pause(stop, pauses.next_pause()).await;
                }
                Rest::Asked(rest) => {
                    pause(stop, rest).await;
                }
            }
        }
    }

    async fn turn(&mut self) -> Rest {
        let mut lease = self.lease.clone();
        if !lease.is_held() {
            return self.stand_by().await;
        }
        tokio::select! {
            biased;
            () = lease.lost() => Rest::None,
            rest = self.once() => rest,
        }
    }

    /// Waits for the turn to poll. The bot's name is needed before.
    async fn stand_by(&mut self) -> Rest {
        // Another bot may have confirmed more, or have set a webhook.
        (self.offset, self.is_ready) = (0, false);
        if let Err(error) = identify(&self.deps).await {
            return self.failed(&error);
        }
        self.deps.telegram.polling.mark_up();
        self.lease.held().await;
        Rest::None
    }

    /// One poll and what it brings. May be dropped at any moment: what is not stored yet comes again.
    async fn once(&mut self) -> Rest {
        let polled = match self.prepare().await {
            Ok(()) => self.poll().await,
            Err(error) => Err(error),
        };
        match polled {
            Ok(updates) => {
                self.deps.telegram.polling.mark_up();
                self.answer_checkouts(&updates);
                match self.store(updates).await {
                    Ok(()) => Rest::None,
                    // Telegram still has them.
                    Err(error) => {
                        self.arrivals.queues.store.mark_down(error);
                        Rest::Usual
                    }
                }
            }
            Err(error) => self.failed(&error),
        }
    }

    /// Deletes a webhook, with which Telegram refuses polls. What waits for it is kept, and comes with the first poll.
    async fn prepare(&mut self) -> Result<(), RequestError> {
        if self.is_ready {
            return Ok(());
        }
        identify(&self.deps).await?;
        let webhook = self.bot.get_webhook_info().await;
        if webhook.is_ok_and(|webhook| webhook.url.is_some()) {
            self.bot.delete_webhook().await?;
            tracing::warn!("a webhook was set for this bot; it is deleted, because the bot polls");
        }
        self.arrivals.announce_commands();
        self.is_ready = true;
        Ok(())
    }

    async fn poll(&self) -> Result<Vec<Value>, RequestError> {
        let wanted = GetUpdates { offset: self.offset, timeout: POLL.as_secs(), allowed_updates: ALLOWED };
        JsonRequest::new(self.bot.clone(), wanted).send().await
    }

    /// Stores what came, in its order. The offset follows what is stored.
    async fn store(&mut self, updates: Vec<Value>) -> Result<(), PortError> {
        if updates.is_empty() {
            // All are confirmed now. After a week without updates Telegram begins with another number, perhaps a smaller
            // one: without an offset the first unconfirmed update comes, whatever its number.
            self.offset = 0;
            self.last_checkout = None;
        }
        let mut by_sender: BTreeMap<Option<i64>, Vec<(i64, Value)>> = BTreeMap::new();
        let mut last = self.offset;
        for raw in updates {
            let Some(id) = raw.get("update_id").and_then(Value::as_i64) else {
                return Err(PortError::Refused("Telegram sent an update without update_id".to_owned()));
            };
            last = last.max(id + 1);
            by_sender.entry(sender_of(&raw)).or_default().push((id, raw));
        }
        // Those of one sender are stored one after the other, so that none is there before an earlier one.
        let stored = by_sender.into_values().map(async |updates| {
            for (id, raw) in updates {
                self.arrivals.store(id, &raw).await.map_err(|error| (id, error))?;
            }
            Ok::<(), (i64, PortError)>(())
        });
        let failed = join_all(stored).await.into_iter().filter_map(Result::err).min_by_key(|(id, _)| *id);
        // What was stored behind the first that was not comes again, and is known.
        self.offset = failed.as_ref().map_or(last, |(id, _)| *id);
        failed.map_or(Ok(()), |(_, error)| Err(error))
    }

    fn answer_checkouts(&mut self, updates: &[Value]) {
        for update in updates {
            let id = update.get("update_id").and_then(Value::as_i64);
            let Some(asked) = PreCheckout::in_update(update).filter(|_| id > self.last_checkout) else {
                continue;
            };
            self.last_checkout = id;
            self.arrivals.answer_checkout(asked);
        }
    }

    fn failed(&mut self, error: &RequestError) -> Rest {
        if let RequestError::RetryAfter(wait) = error {
            return Rest::Asked(wait.duration());
        }
        if let RequestError::Api(conflict) = error
            && is_conflict(conflict)
        {
            // Of two pollers, each fails in turn.
            if self.conflict_logged_at.is_none_or(|at| at.elapsed() > LOG_CONFLICT_EVERY) {
                self.conflict_logged_at = Some(Instant::now());
                tracing::warn!(
                    error = %conflict,
                    "another program takes this bot's updates, one that does not share this shop store (bots that do take turns): stop it, or give \
                     it a bot of its own; trying again"
                );
            }
            // A webhook may have been set.
            self.is_ready = false;
        } else {
            self.deps.telegram.polling.mark_down(reason(error));
        }
        Rest::Usual
    }
}

/// Asks for the name of the bot, once.
pub(super) async fn identify(deps: &HandlerDeps) -> Result<(), RequestError> {
    if deps.me.get().is_none() {
        let me = deps.telegram.listening.get_me().await?;
        tracing::info!(bot.username = me.username(), "the bot is known to Telegram");
        deps.me.set(me).ok();
    }
    Ok(())
}

/// The person who sent an update, where it has one.
fn sender_of(raw: &Value) -> Option<i64> {
    let kind = ALLOWED.iter().find_map(|kind| raw.get(kind))?;
    kind.get("from")?.get("id")?.as_i64()
}

/// How long to wait before the next poll.
enum Rest {
    None,
    Usual,
    Asked(Duration),
}

fn is_conflict(error: &ApiError) -> bool {
    matches!(error, ApiError::TerminatedByOtherGetUpdates | ApiError::CantGetUpdates)
        || matches!(error, ApiError::Unknown(text) if text.to_ascii_lowercase().starts_with("conflict"))
}

pub(super) fn reason(error: &RequestError) -> String {
    if let RequestError::Network(error) = error {
        with_causes(&**error)
    } else if let RequestError::Api(ApiError::InvalidToken) = error {
        "the token is refused: correct BOT_TOKEN, or the address of the Bot API".to_owned()
    } else if let RequestError::InvalidJson { source, .. } = error {
        // The answer itself is left out: it may be a proxy's page, of any length.
        format!("the answer is not Telegram's: {source}")
    } else {
        error.to_string()
    }
}
