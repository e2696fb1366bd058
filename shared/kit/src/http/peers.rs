//! Who sent a request, and how much one address has under way.

use std::{
    collections::HashMap,
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hyper::HeaderMap;
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The sender of a request, as an extension of it: the other end of the connection, or, where that is a trusted proxy,
/// the address that the proxy names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer {
    pub ip: IpAddr,
    /// Unknown behind a proxy.
    pub port: Option<u16>,
}

impl From<SocketAddr> for Peer {
    fn from(addr: SocketAddr) -> Self {
        Self { ip: addr.ip().to_canonical(), port: Some(addr.port()) }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.ip, port).fmt(formatter),
            None => self.ip.fmt(formatter),
        }
    }
}

/// The proxies whose `X-Forwarded-For` is believed. None by default: anybody can send that header.
///
/// Written as addresses or CIDR ranges between commas: `127.0.0.1, 172.16.0.0/12`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Arc<[IpNet]>);

/// Why a list of proxies cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no address; write addresses or CIDR ranges between commas, such as 127.0.0.1, 172.16.0.0/12"
)]
pub struct TrustedProxiesError(String);

impl FromStr for TrustedProxies {
    type Err = TrustedProxiesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let entries = text.split([',', ' ']).filter(|entry| !entry.is_empty());
        let range = |entry: &str| match entry.parse::<IpAddr>() {
            Ok(ip) => Ok(IpNet::from(ip.to_canonical())),
            Err(_) => entry.parse::<IpNet>().map_err(|_| TrustedProxiesError(entry.to_owned())),
        };
        entries.map(range).collect()
    }
}

impl FromIterator<IpNet> for TrustedProxies {
    fn from_iter<T: IntoIterator<Item = IpNet>>(ranges: T) -> Self {
        Self(ranges.into_iter().collect())
    }
}

impl TrustedProxies {
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(&ip.to_canonical()))
    }

    /// The sender of a request that came over a connection from `addr`.
    ///
    /// `X-Forwarded-For` is read from its end, where the nearest proxy writes; the first address that is no trusted
    /// proxy is the sender. What stands before it was written by the sender and proves nothing.
    pub(super) fn sender(&self, addr: SocketAddr, headers: &HeaderMap) -> Peer {
        let mut sender = Peer::from(addr);
        let named = headers.get_all(FORWARDED_FOR).iter().rev();
        let named = named.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
        for name in named {
            if !self.contains(sender.ip) {
                break;
            }
            let Some(ip) = forwarded_ip(name) else { break };
            sender = Peer { ip, port: None };
        }
        sender
    }
}

/// Some proxies write the port too.
fn forwarded_ip(name: &[u8]) -> Option<IpAddr> {
    let name = std::str::from_utf8(name).ok()?.trim();
    let ip = name.parse().or_else(|_| name.parse().map(|addr: SocketAddr| addr.ip())).ok()?;
    Some(ip.to_canonical())
}

/// Counts by address: open connections, or requests.
#[derive(Debug, Clone, Default)]
pub(super) struct PeerCounts(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One that is counted, until it is dropped.
#[derive(Debug)]
pub(super) struct PeerPermit {
    of: PeerCounts,
    key: IpAddr,
}

impl PeerCounts {
    /// `None`: the address has `max` already.
    pub(super) fn admit(&self, ip: IpAddr, max: usize) -> Option<PeerPermit> {
        let key = subscriber(ip);
        let mut counts = self.counts();
        let count = counts.entry(key).or_insert(0);
        if *count >= max {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(PeerPermit { of: self.clone(), key })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PeerPermit {
    fn drop(&mut self) {
        let mut counts = self.of.counts();
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

/// One subscriber has a whole /64 of IPv6, so its addresses count as one.
fn subscriber(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(trusted: &str, addr: &str, forwarded: &[&'static str]) -> String {
        let trusted: TrustedProxies = trusted.parse().unwrap();
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, hyper::header::HeaderValue::from_static(value));
        }
        trusted.sender(addr.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_forwarded_address_is_believed_only_from_a_trusted_proxy() {
        let forwarded = &["203.0.113.7"];
        assert_eq!(sender("", "10.0.0.2:4000", forwarded), "10.0.0.2:4000");
        assert_eq!(sender("10.0.0.1", "10.0.0.2:4000", forwarded), "10.0.0.2:4000");
        assert_eq!(sender("10.0.0.0/8", "10.0.0.2:4000", forwarded), "203.0.113.7");
        assert_eq!(sender("10.0.0.0/8", "[::ffff:10.0.0.2]:4000", forwarded), "203.0.113.7");
        assert_eq!(sender("fd00::/8", "[fd00::1]:4000", &["2001:db8::7"]), "2001:db8::7");
    }

    #[test]
    fn a_sender_cannot_choose_its_own_address() {
        let by_proxy = |forwarded| sender("10.0.0.0/8", "10.0.0.2:4000", forwarded);
        assert_eq!(by_proxy(&["198.51.100.1, 203.0.113.7"]), "203.0.113.7");
        assert_eq!(by_proxy(&["198.51.100.1", "203.0.113.7"]), "203.0.113.7");
        assert_eq!(by_proxy(&["203.0.113.7, 10.0.0.9"]), "203.0.113.7", "a chain of trusted proxies");
        assert_eq!(by_proxy(&["203.0.113.7, unknown"]), "10.0.0.2:4000");
        assert_eq!(by_proxy(&["203.0.113.7:55000"]), "203.0.113.7");
        assert_eq!(by_proxy(&[]), "10.0.0.2:4000");
    }

    #[test]
    fn a_list_of_proxies_has_addresses_and_ranges() {
        let list: TrustedProxies = "127.0.0.1,172.16.0.0/12 ::1".parse().unwrap();
        for (ip, trusted) in
            [("127.0.0.1", true), ("127.0.0.2", false), ("172.31.255.1", true), ("::1", true)]
        {
            assert_eq!(list.contains(ip.parse().unwrap()), trusted, "{ip}");
        }
        let error = "caddy".parse::<TrustedProxies>().unwrap_err();
        assert!(error.to_string().contains("\"caddy\""), "{error}");
    }

    #[test]
    fn a_subscriber_is_counted_as_one_until_its_connections_end() {
        let connections = PeerCounts::default();
        let admit = |ip: &str| connections.admit(ip.parse().unwrap(), 2);
        let (first, second) = (admit("2001:db8::1"), admit("2001:db8::2"));
        assert!(first.is_some() && second.is_some());
        assert!(admit("2001:db8::3").is_none());
        assert!(admit("2001:db8:0:1::1").is_some(), "another subscriber");
        drop(first);
        assert!(admit("2001:db8::3").is_some());
        drop(second);
        assert!(connections.counts().is_empty());
    }
}
