//! How much is kept of what comes to CLICK's address without a valid signature. Anybody can send it, at any rate: it must
//! not fill the disk, hide the genuine callbacks or slow them down.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use serde::Serialize;
use tolov_domain::time::{Timestamp, unix_ms};

use crate::ledger::Unverified;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// The budget of unverified callbacks. What is beyond it is counted and not kept.
#[derive(Debug, Clone, Copy)]
pub struct UnverifiedLimits {
    /// Of one peer, in a minute and in a day. The addresses of one /64 network are one peer.
    pub peer_minute: Quota,
    pub peer_day: Quota,
    /// Of all peers together, in a minute.
    pub minute: Quota,
    /// In the table; the oldest are deleted.
    pub rows_max: u32,
    pub kept_for: Duration,
    /// With less space than this on the ledger's disk nothing is kept.
    pub disk_reserve_bytes: u64,
}

/// A number of rows and their size.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quota {
    pub rows: u32,
    pub bytes: usize,
}

impl Default for UnverifiedLimits {
    /// Some 5 MB in all, less than 4 MB of one peer.
    fn default() -> Self {
        Self {
            peer_minute: Quota { rows: 20, bytes: 20_000 },
            peer_day: Quota { rows: 500, bytes: 500_000 },
            minute: Quota { rows: 120, bytes: 120_000 },
            rows_max: 5_000,
            kept_for: Duration::from_hours(7 * 24),
            disk_reserve_bytes: 1 << 30,
        }
    }
}

/// Decides which unverified callbacks are kept.
#[derive(Debug)]
pub(crate) struct Admission {
    limits: UnverifiedLimits,
    minute: Window,
    day: Window,
}

/// What was kept in one minute or on one day. Only peers of which something was kept are in it, so that it is bounded.
#[derive(Debug, Default)]
struct Window {
    number: i64,
    all: Quota,
    peers: HashMap<IpAddr, Quota>,
    is_exceeded: bool,
}

impl Admission {
    pub(crate) fn new(limits: UnverifiedLimits) -> Self {
        Self { limits, minute: Window::default(), day: Window::default() }
    }

    /// Whether so many bytes of a peer are kept now; then they are counted.
    pub(crate) fn admits(&mut self, peer: &str, bytes: usize, now: Timestamp, free_bytes: u64) -> bool {
        let now_ms = unix_ms(now);
        self.minute.roll(now_ms / MINUTE_MS);
        self.day.roll(now_ms / DAY_MS);
        let peer = network_of(peer);
        let limits = self.limits;
        let fits = free_bytes >= limits.disk_reserve_bytes
            && self.minute.all.fits(bytes, limits.minute)
            && self.minute.of(peer).fits(bytes, limits.peer_minute)
            && self.day.of(peer).fits(bytes, limits.peer_day);
        if fits {
            self.minute.count(peer, bytes);
            self.day.count(peer, bytes);
        } else if !std::mem::replace(&mut self.minute.is_exceeded, true) {
            tracing::warn!(
                %peer,
                free_bytes,
                "unverified callbacks beyond the budget: further ones of this minute are only counted"
            );
        }
        fits
    }
}

impl Window {
    fn roll(&mut self, number: i64) {
        if self.number != number {
            *self = Self { number, ..Self::default() };
        }
    }

    fn of(&self, peer: IpAddr) -> Quota {
        self.peers.get(&peer).copied().unwrap_or_default()
    }

    fn count(&mut self, peer: IpAddr, bytes: usize) {
        self.all.count(bytes);
        self.peers.entry(peer).or_default().count(bytes);
    }
}

impl Quota {
    fn fits(self, bytes: usize, limit: Self) -> bool {
        self.rows < limit.rows && self.bytes.saturating_add(bytes) <= limit.bytes
    }

    fn count(&mut self, bytes: usize) {
        self.rows += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

#[derive(Serialize)]
pub(crate) struct UnverifiedRow {
    received_at: i64,
    peer: String,
    fields: String,
    code: i32,
}

impl From<&Unverified> for UnverifiedRow {
    fn from(callback: &Unverified) -> Self {
        let Unverified { received_at, peer, fields, code } = callback;
        Self {
            received_at: unix_ms(*received_at),
            peer: peer.clone(),
            fields: fields.clone(),
            code: code.code(),
        }
    }
}

/// Who may have a budget: an IPv4 address, or the /64 network that one customer of a provider has.
fn network_of(peer: &str) -> IpAddr {
    let address = peer.parse().or_else(|_| peer.parse().map(|peer: SocketAddr| peer.ip()));
    match address.map(|address: IpAddr| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        Ok(address) => address,
        Err(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOON: Timestamp = datetime!(2026-11-23 12:00 UTC);
    const FREE: u64 = 1 << 40;

    /// How many of so many rows are kept, of peers that take turns.
    fn kept(admission: &mut Admission, peers: &[&str], rows: usize, now: Timestamp) -> usize {
        peers.iter().cycle().take(rows).filter(|peer| admission.admits(peer, 900, now, FREE)).count()
    }

    #[test]
    fn a_flood_of_one_peer_keeps_little_in_a_minute_and_on_a_day_and_leaves_room_for_others() {
        let mut admission = Admission::new(UnverifiedLimits::default());
        assert_eq!(kept(&mut admission, &["203.0.113.7:1", "203.0.113.7:2"], 10_000, NOON), 20);
        assert_eq!(kept(&mut admission, &["198.51.100.1:5"], 1, NOON), 1);
        let mut on_this_day = 20;
        for minute in 1..700 {
            let now = NOON + time::Duration::minutes(minute);
            on_this_day += kept(&mut admission, &["203.0.113.7:1"], 100, now);
        }
        assert_eq!(on_this_day, 500);
    }

    #[test]
    fn a_flood_of_many_peers_is_bounded_in_all_and_a_network_is_one_of_them() {
        let mut admission = Admission::new(UnverifiedLimits::default());
        let peers: Vec<String> = (0..10_000).map(|n| format!("[2001:db8:0:{n:x}::1]:443")).collect();
        let peers: Vec<&str> = peers.iter().map(String::as_str).collect();
        assert_eq!(kept(&mut admission, &peers, 10_000, NOON), 120);
        let mut admission = Admission::new(UnverifiedLimits::default());
        let network: Vec<String> = (0..10_000).map(|n| format!("[2001:db8::{n:x}]:443")).collect();
        let network: Vec<&str> = network.iter().map(String::as_str).collect();
        assert_eq!(kept(&mut admission, &network, 10_000, NOON), 20);
        assert!(admission.day.peers.len() == 1);
    }

    #[test]
    fn large_rows_use_the_budget_up_sooner_and_below_the_reserve_nothing_is_kept() {
        let mut admission = Admission::new(UnverifiedLimits::default());
        assert!(!admission.admits("203.0.113.7:1", 20_001, NOON, FREE));
        assert!(admission.admits("203.0.113.7:1", 19_500, NOON, FREE));
        assert!(!admission.admits("203.0.113.7:1", 501, NOON, FREE));
        assert!(!admission.admits("198.51.100.1:5", 1, NOON, (1 << 30) - 1));
        assert!(admission.admits("198.51.100.1:5", 1, NOON, 1 << 30));
    }
}
