//! Keeps this bot's entry in the roster, and with it its share of Telegram's limits and the right to poll.

use std::{path::Path, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use tolov_domain::ports::{
    PortError,
    documents::{Documents, Key, Put},
};
use tolov_kit::{availability::Availability, identity::Identity, lifecycle::Stop};
use tolov_shop::records;

use crate::{
    deps::HandlerDeps,
    telegram::{
        limits::RateLimiter,
        roster::{BOT_NUMBERS, KEY, Member, Permit, RenewalInterval, Roster, Sending},
    },
    updates::settings::Updates,
};

/// Each conflict is another bot's renewal.
const TRIES_MAX: u32 = 20;
/// How long a bot that stops may take to say so.
const FAREWELL_MAX: Duration = Duration::from_secs(2);

/// Until when this bot may poll. `None`: another one does.
#[derive(Debug, Clone)]
pub(crate) struct PollingLease(watch::Receiver<Option<Instant>>);

impl PollingLease {
    pub(crate) fn new() -> (watch::Sender<Option<Instant>>, Self) {
        let (sender, receiver) = watch::channel(None);
        (sender, Self(receiver))
    }

    pub(crate) fn is_held(&self) -> bool {
        self.0.borrow().is_some_and(|until| Instant::now() < until)
    }

    pub(crate) async fn held(&mut self) {
        while !self.is_held() && self.0.changed().await.is_ok() {}
        if !self.is_held() {
            std::future::pending::<()>().await;
        }
    }

    /// Ends when it is given up, taken over, or not renewed in time.
    pub(crate) async fn lost(&mut self) {
        loop {
            let until = *self.0.borrow_and_update();
            let Some(until) = until.filter(|until| Instant::now() < *until) else { return };
            tokio::select! {
                changed = self.0.changed() => if changed.is_err() { return },
                () = sleep_until(until) => {}
            }
        }
    }
}

/// Runs until `stop`, then gives back what this bot has.
pub(crate) async fn run(deps: Arc<HandlerDeps>, lease: watch::Sender<Option<Instant>>, stop: Stop) {
    let store = Availability::new("the shop store (for the roster of bots)");
    let identity = deps.config.data_folder.as_deref().and_then(identity_in);
    let mut membership =
        Membership { deps: Arc::clone(&deps), lease, identity, member: None, was_poller: None };
    let every = deps.config.renew_every;
    loop {
        let next = Instant::now() + every;
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            renewed = timeout(every * 2, membership.renew()) => match renewed {
                Ok(Ok(())) => store.mark_up(),
                Ok(Err(error)) => store.mark_down(error),
                Err(_elapsed) => store.mark_down("it does not answer in time"),
            },
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = deps.rate_limiter.asked.notified() => {}
            () = deps.staff_chat.rate_limiter.asked.notified() => {}
            () = sleep_until(next) => {}
        }
    }
    membership.lease.send_replace(None);
    if timeout(FAREWELL_MAX, membership.leave()).await.is_err() {
        tracing::debug!("the other bots were not told that this one stops; they notice");
    }
}

/// `None`: after a restart this bot begins as a new one.
fn identity_in(folder: &Path) -> Option<Identity> {
    let identity = Identity::take(&folder.join("bot.number"));
    let identity = identity.inspect_err(|error| {
        tracing::debug!(folder = %folder.display(), %error, "the bot's number cannot be kept");
    });
    identity.ok().flatten()
}

struct Membership {
    deps: Arc<HandlerDeps>,
    lease: watch::Sender<Option<Instant>>,
    identity: Option<Identity>,
    /// `None` until the store has given this bot its number.
    member: Option<Member>,
    was_poller: Option<bool>,
}

impl Membership {
    fn limiters(deps: &HandlerDeps) -> [&RateLimiter; 2] {
        [&deps.rate_limiter, &deps.staff_chat.rate_limiter]
    }

    async fn renew(&mut self) -> Result<(), PortError> {
        let deps = Arc::clone(&self.deps);
        let limiters = Self::limiters(&deps);
        if self.member.is_none() {
            self.member = Some(self.join().await?);
        }
        let Some(member) = &mut self.member else { return Ok(()) };
        for _ in 0..TRIES_MAX {
            let began = Instant::now();
            let read = read(deps.documents()).await?;
            let (seen, roster) =
                read.map_or((None, Roster::default()), |(seen, roster)| (Some(seen), roster));
            let now = Instant::now();
            let sending = Sending { pauses: limiters.map(RateLimiter::asked_left), used: used(&deps) };
            let renewal = member.renew(&roster, (began, now), sending);
            for ((limiter, share), pause) in limiters.iter().zip(renewal.shares).zip(renewal.pauses) {
                limiter.lower(share);
                limiter.hold_until(now + pause);
            }
            if let (Some(store_chat), [_, posts]) = (&deps.store_chat, renewal.shares) {
                store_chat.rate_limiter.lower(posts);
            }
            match records::write(deps.documents(), seen, &renewal.roster).await? {
                Put::Conflict => {}
                Put::Done(_) => {
                    let permit = member.written(&renewal.roster, began);
                    let (number, bots) = (member.number, renewal.roster.living());
                    self.apply(&permit, number, bots);
                    return Ok(());
                }
            }
        }
        Err(PortError::Unavailable("too many bots write the roster at the same time".to_owned()))
    }

    /// With the number of an earlier process of this bot, where that was killed a moment ago, else with a new one.
    async fn join(&mut self) -> Result<Member, PortError> {
        let deps = &self.deps;
        let kept = self.identity.as_ref().and_then(Identity::number);
        let roster = read(deps.documents()).await?.map(|(_, roster)| roster).unwrap_or_default();
        let kept = kept.and_then(|number| Some((number, roster.beat_of(number)?)));
        let number = match kept {
            Some((number, _)) => number,
            None => deps.documents().next_number(BOT_NUMBERS, 0).await?,
        };
        let polls = matches!(deps.config.updates, Updates::Polling);
        let limits = Self::limiters(deps).map(RateLimiter::limit);
        let member = Member::new(number, RenewalInterval(deps.config.renew_every), polls, limits);
        if let Some((_, beat)) = kept {
            tracing::info!(bot.number = number, "this bot goes on where its earlier process has ended");
            deps.limiters().for_each(RateLimiter::follow);
            return Ok(member.following(beat));
        }
        if let Some(Err(error)) = self.identity.as_mut().map(|identity| identity.keep(number)) {
            tracing::warn!(%error, "the bot's number cannot be kept: after a kill it begins as a new bot");
        }
        Ok(member)
    }

    fn apply(&mut self, permit: &Permit, number: i64, bots: usize) {
        for (limiter, share) in Self::limiters(&self.deps).iter().zip(permit.shares) {
            limiter.open(share, permit.until);
        }
        if let (Some(store_chat), [_, posts]) = (&self.deps.store_chat, permit.shares) {
            store_chat.rate_limiter.open(posts, permit.until);
        }
        self.deps.telegram.chat_limits.share_with(bots);
        self.lease.send_replace(permit.polls.then_some(permit.until));
        metrics::gauge!("tolov_bots").set(u32::try_from(bots).unwrap_or(u32::MAX));
        metrics::gauge!("tolov_bot_polls").set(u8::from(permit.polls));
        if self.was_poller.replace(permit.polls) != Some(permit.polls) {
            if matches!(self.deps.config.updates, Updates::Webhook(_)) {
                tracing::info!(bot.number = number, bots, "Telegram posts updates to this bot");
            } else if permit.polls {
                tracing::info!(bot.number = number, bots, "this bot polls for updates");
            } else {
                tracing::info!(
                    bot.number = number,
                    bots,
                    "another bot polls for updates; this one stands by"
                );
            }
        }
    }

    async fn leave(&self) -> Result<(), PortError> {
        let Some(member) = &self.member else { return Ok(()) };
        // What is in hand takes no new turn after the stop.
        let used = used(&self.deps);
        for _ in 0..TRIES_MAX {
            let Some((seen, roster)) = read(self.deps.documents()).await? else { return Ok(()) };
            let left = member.leave(&roster, used);
            if let Put::Done(_) = records::write(self.deps.documents(), Some(seen), &left).await? {
                break;
            }
        }
        Ok(())
    }
}

/// How many messages were sent in the last window of each limit.
fn used(deps: &HandlerDeps) -> [u32; 2] {
    let [messages, posts] = Membership::limiters(deps).map(RateLimiter::taken);
    let to_store = deps.store_chat.as_ref().map_or(0, |chat| chat.rate_limiter.taken());
    [messages, posts.max(to_store)]
}

async fn read(documents: &dyn Documents) -> Result<Option<(i64, Roster)>, PortError> {
    let read = records::read_versioned::<Roster>(documents, &Key::Number(KEY)).await?;
    Ok(read.map(|read| (read.version, read.record)))
}
