//! The roster: the bots that run side by side on one shop store, which of them polls, and how much of Telegram's limits each may
//! use. One record, which each bot renews every other second.
//!
//! No clock is compared with another's. A bot whose entry stays as it is for [`RenewalInterval::gone_after`] of the observer's own time has
//! ended; a bot that could not renew its entry for [`RenewalInterval::valid_for`] of its own time, which is less, takes itself for ended. A
//! rate is used only after it was written here. What is given back of it is what was not used in the last window, so all bots together
//! keep the limit at every moment, also while one joins, ends or is cut off from the store.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tolov_domain::ports::documents::{Collection, Key, Sequence};
use tolov_shop::records::Record;

pub(crate) const ROSTER: Collection = Collection::new("bots", &[]);
/// A number for each start of a bot.
pub(super) const BOT_NUMBERS: Sequence = Sequence::new("bots");
pub(super) const KEY: i64 = 1;
/// Beyond, entries without a share are dropped: of bots that ended before anybody could see them silent. One that lives enters again.
const BOTS_MAX: usize = 32;

/// All bots, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Roster {
    pub(super) bots: Vec<Entry>,
    /// The number of the one that polls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) poller: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) number: i64,
    /// Changes with every renewal.
    pub(super) beat: i64,
    /// Of all messages in a second, and of the posts in a minute to one channel.
    pub(super) shares: [Share; 2],
    /// It was stopped, and said so.
    pub(super) has_left: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Share {
    pub(super) rate: u32,
    /// How long Telegram asked this bot to wait, from the renewal on.
    pub(super) pause_ms: i64,
}

impl Roster {
    /// The last beat of one that has an entry and has not said that it stops.
    pub(super) fn beat_of(&self, number: i64) -> Option<i64> {
        self.bots.iter().find(|bot| bot.number == number && !bot.has_left).map(|bot| bot.beat)
    }

    /// How many bots run, as far as they have said that they stop.
    pub(super) fn living(&self) -> usize {
        self.bots.iter().filter(|bot| !bot.has_left).count()
    }
}

impl Record for Roster {
    const COLLECTION: Collection = ROSTER;

    fn key(&self) -> Key {
        Key::Number(KEY)
    }
}

/// How often the roster is renewed.
#[derive(Debug, Clone, Copy)]
pub(super) struct RenewalInterval(pub(super) Duration);

impl RenewalInterval {
    const fn valid_for(self) -> Duration {
        self.0.saturating_mul(3)
    }

    /// With the renewals in which the end is noticed this is less than 15 s.
    const fn gone_after(self, has_left: bool) -> Duration {
        self.0.saturating_mul(if has_left { 1 } else { 4 })
    }
}

/// One of Telegram's limits, and this bot's share of it.
#[derive(Debug, Clone, Copy)]
struct Limit {
    max: u32,
    window: Duration,
    /// What this bot sends at.
    in_force: u32,
    /// The same once the renewal is written.
    in_force_next: u32,
    lowered_at: Instant,
    /// Until then an earlier process may have sent what this one has not counted.
    uncounted_until: Option<Instant>,
}

impl Limit {
    /// So much stays free, so that a bot that joins can begin at once.
    const fn spare(&self) -> u32 {
        let tenth = self.max / 10;
        if tenth == 0 && self.max > 1 { 1 } else { tenth }
    }

    /// The share to write, where `others` have so much and this bot has sent `used` in the last window. What is too much is not used
    /// from now on, and given back by the next renewal, but for what was used of it.
    fn next(&mut self, written: u32, (others, used): (u32, u32), target: u32, now: Instant) -> u32 {
        if written > target {
            let is_lowered = target < self.in_force;
            if is_lowered {
                self.in_force = target;
                self.lowered_at = now;
            }
            self.in_force_next = self.in_force;
            let is_counted = !is_lowered && self.uncounted_until.is_none_or(|until| now >= until);
            let is_unused = now >= self.lowered_at + self.window;
            return match (is_unused, is_counted) {
                (true, _) => target,
                (false, true) => written.min(target.saturating_add(used)),
                (false, false) => written,
            };
        }
        let spare = self.spare();
        let free = match self.max.saturating_sub(others) {
            // Others may join before what is theirs by right is free.
            free if written == 0 && free <= spare => free.div_ceil(2),
            free if written == 0 => free,
            free => free.saturating_sub(spare),
        };
        self.in_force_next = written.max(target.min(free));
        self.in_force_next
    }
}

/// One bot, as it knows itself and sees the others.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) number: i64,
    interval: RenewalInterval,
    /// Whether it polls when nobody does.
    polls: bool,
    limits: [Limit; 2],
    /// The last beat of each other bot, and when it was seen first.
    seen: BTreeMap<i64, (i64, Instant)>,
    /// Goes on where others have removed the entry: they may remember one of its first beats.
    beat: i64,
    /// The entry is that of an earlier process of this bot, which has ended.
    follows: bool,
}

/// What a bot may do after its renewal was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Permit {
    pub(super) shares: [u32; 2],
    pub(super) polls: bool,
    pub(super) until: Instant,
}

/// What this bot's limiters say at a renewal.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sending {
    /// How long Telegram asks this bot to wait.
    pub(super) pauses: [Duration; 2],
    /// How much this process has sent in the last window, or is about to.
    pub(super) used: [u32; 2],
}

/// A renewal to write.
#[derive(Debug)]
pub(super) struct Renewal {
    pub(super) roster: Roster,
    /// What is in force whether it is written or not.
    pub(super) shares: [u32; 2],
    /// How long Telegram asked other bots to wait.
    pub(super) pauses: [Duration; 2],
}

impl Member {
    pub(super) fn new(
        number: i64,
        interval: RenewalInterval,
        polls: bool,
        limits: [(u32, Duration); 2],
    ) -> Self {
        let now = Instant::now();
        let limits = limits.map(|(max, window)| Limit {
            max,
            window,
            in_force: 0,
            in_force_next: 0,
            lowered_at: now,
            uncounted_until: None,
        });
        Self { number, interval, polls, limits, seen: BTreeMap::new(), beat: 0, follows: false }
    }

    /// Goes on with the entry of its earlier process, after this beat. Whoever says so knows that it has ended; one more renewal of
    /// it may still be on its way. Others may remember its beats, also where they have removed the entry by now.
    pub(super) fn following(self, beat: i64) -> Self {
        Self { follows: true, beat: beat.saturating_add(1), ..self }
    }

    /// The next state of the roster as it was read between `began` and `now`.
    pub(super) fn renew(
        &mut self,
        read: &Roster,
        (began, now): (Instant, Instant),
        sending: Sending,
    ) -> Renewal {
        let asked = self.look(read, now);
        self.take_over(read, now);
        let mut roster = read.clone();
        roster.bots.retain_mut(|bot| bot.number == self.number || self.keep(bot, began));
        if roster.bots.len() > BOTS_MAX {
            let poller = roster.poller;
            let matters = |bot: &Entry| bot.number == self.number || Some(bot.number) == poller;
            roster.bots.retain(|bot| matters(bot) || bot.shares.iter().any(|share| share.rate > 0));
        }
        let living: Vec<i64> =
            roster.bots.iter().filter(|bot| self.lives(bot, began)).map(|b| b.number).collect();
        if !roster.bots.iter().any(|bot| bot.number == self.number) {
            self.limits.iter_mut().for_each(|limit| limit.in_force = 0);
            let shares = [Share::default(); 2];
            roster.bots.push(Entry { number: self.number, beat: 0, shares, has_left: false });
        }
        let rank = living.iter().filter(|number| **number != self.number && **number < self.number).count();
        let others = living.iter().filter(|number| **number != self.number).count();
        let shares = self.share(&mut roster, (others + 1, rank), now, sending);
        if roster.poller.is_some_and(|poller| !living.contains(&poller)) {
            roster.poller = None;
        }
        if self.polls && roster.poller.is_none() {
            roster.poller = Some(self.number);
        }
        Renewal { roster, shares, pauses: asked }
    }

    /// What holds once a renewal that began at this moment is written.
    pub(super) fn written(&mut self, roster: &Roster, began: Instant) -> Permit {
        for limit in &mut self.limits {
            limit.in_force = limit.in_force_next;
        }
        Permit {
            shares: self.limits.map(|limit| limit.in_force),
            polls: roster.poller == Some(self.number),
            until: began + self.interval.valid_for(),
        }
    }

    /// The roster without this bot: the next one polls at once. What was used of its rates is free after their windows, the rest
    /// at once.
    pub(super) fn leave(&self, read: &Roster, used: [u32; 2]) -> Roster {
        let mut roster = read.clone();
        roster.poller = roster.poller.filter(|poller| *poller != self.number);
        for own in roster.bots.iter_mut().filter(|bot| bot.number == self.number) {
            own.has_left = true;
            own.beat += 1;
            for (share, used) in own.shares.iter_mut().zip(used) {
                share.rate = share.rate.min(used);
            }
        }
        roster
    }

    /// What is written was in force in the earlier process.
    fn take_over(&mut self, read: &Roster, now: Instant) {
        let number = self.number;
        let own =
            read.bots.iter().find(|bot| bot.number == number).filter(|_| std::mem::take(&mut self.follows));
        for (limit, share) in self.limits.iter_mut().zip(own.into_iter().flat_map(|own| own.shares)) {
            limit.in_force = share.rate;
            limit.uncounted_until = Some(now + limit.window);
        }
    }

    /// Notes which bots have renewed their entries. Returns what Telegram asked them for.
    fn look(&mut self, read: &Roster, now: Instant) -> [Duration; 2] {
        let mut pauses = [Duration::ZERO; 2];
        self.seen.retain(|number, _| read.bots.iter().any(|bot| bot.number == *number));
        for bot in read.bots.iter().filter(|bot| bot.number != self.number) {
            if self.seen.get(&bot.number).is_some_and(|(beat, _)| *beat == bot.beat) {
                continue;
            }
            self.seen.insert(bot.number, (bot.beat, now));
            for (pause, share) in pauses.iter_mut().zip(bot.shares) {
                *pause = (*pause).max(Duration::from_millis(share.pause_ms.try_into().unwrap_or_default()));
            }
        }
        pauses
    }

    fn silent_for(&self, bot: &Entry, began: Instant) -> Duration {
        self.seen
            .get(&bot.number)
            .map_or(Duration::ZERO, |(_, since)| began.saturating_duration_since(*since))
    }

    fn lives(&self, bot: &Entry, began: Instant) -> bool {
        bot.number == self.number
            || (!bot.has_left && self.silent_for(bot, began) < self.interval.gone_after(false))
    }

    /// Takes back the rates of a bot that has ended, each after its window. `false`: nothing of it is left.
    fn keep(&self, bot: &mut Entry, began: Instant) -> bool {
        let silent = self.silent_for(bot, began);
        let gone_after = self.interval.gone_after(bot.has_left);
        for (limit, share) in self.limits.iter().zip(&mut bot.shares) {
            if silent >= gone_after + limit.window {
                *share = Share::default();
            }
        }
        silent < gone_after || bot.shares.iter().any(|share| share.rate > 0)
    }

    /// Writes this bot's shares; returns what is in force before that is stored.
    fn share(
        &mut self,
        roster: &mut Roster,
        (bots, rank): (usize, usize),
        now: Instant,
        sending: Sending,
    ) -> [u32; 2] {
        let (bots, rank) = (u32::try_from(bots).unwrap_or(u32::MAX), u32::try_from(rank).unwrap_or(u32::MAX));
        let (mut own, others): (Vec<&mut Entry>, Vec<&mut Entry>) =
            roster.bots.iter_mut().partition(|bot| bot.number == self.number);
        for own in &mut own {
            self.beat = own.beat.max(self.beat) + 1;
            own.beat = self.beat;
            own.has_left = false;
            for (place, limit) in self.limits.iter_mut().enumerate() {
                let Some(share) = own.shares.get_mut(place) else { continue };
                let taken =
                    others.iter().filter_map(|bot| bot.shares.get(place)).map(|share| share.rate).sum();
                let all = limit.max - limit.spare();
                let target = all / bots + u32::from(rank < all % bots);
                let used = sending.used.get(place).copied().unwrap_or(u32::MAX);
                share.rate = limit.next(share.rate, (taken, used), target, now);
                let pause = sending.pauses.get(place).copied().unwrap_or_default();
                share.pause_ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
            }
        }
        self.limits.map(|limit| limit.in_force)
    }
}

#[cfg(test)]
#[path = "roster_tests.rs"]
mod tests;
