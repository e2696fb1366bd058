//! Text that must not be printed.

use std::fmt;

/// A token, a key or a password. Its `Debug` shows nothing of it.
///
/// Not the secrecy crate: what that adds is zeroing memory on drop, and these values stay in the process's environment
/// and in the clients that are made with them.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Never put it into a log line, an error or an answer.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// An address without its password, for logs and for errors.
pub fn redact_url(address: &str) -> String {
    let hosts: Vec<_> = each_host(address).collect();
    if let [first, _, ..] = hosts.as_slice() {
        return format!("{} and {} more", redact_url(first), hosts.len() - 1);
    }
    match url::Url::parse(address) {
        Ok(mut url) => {
            if url.password().is_some() && url.set_password(Some("…")).is_err() {
                return "an address that cannot be shown".to_owned();
            }
            url.set_query(None);
            url.to_string().replace("%E2%80%A6", "…")
        }
        Err(_) => "an address that cannot be read".to_owned(),
    }
}

/// The address of each host of `scheme://user:password@host:port,host:port/path`, in its order.
pub fn each_host(address: &str) -> impl Iterator<Item = String> {
    // A password may have any other letter than this one and a slash, which are escaped.
    let hosts_at = address.rfind('@').or_else(|| Some(address.find("://")? + 2)).map_or(0, |at| at + 1);
    let (before, rest) = address.split_at(hosts_at);
    let (hosts, after) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    hosts.split(',').map(move |host| format!("{before}{host}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_several_hosts_is_one_of_each() {
        let each = |address| each_host(address).collect::<Vec<_>>();
        assert_eq!(each("amqp://u:p,w@a:1,b/v?x=1"), ["amqp://u:p,w@a:1/v?x=1", "amqp://u:p,w@b/v?x=1"]);
        assert_eq!(each("amqp://a,b:2"), ["amqp://a", "amqp://b:2"]);
        assert_eq!(each("nothing"), ["nothing"]);
    }

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
        assert_eq!(redact_url("amqp://shop:hunter2@mq:5672/v"), "amqp://shop:…@mq:5672/v");
        assert_eq!(redact_url("mongodb://u:p@h1:27017/db?authSource=x"), "mongodb://u:…@h1:27017/db");
        assert_eq!(redact_url("mongodb://u:hunter2@h1:1,h2:2/db"), "mongodb://u:…@h1:1/db and 1 more");
    }
}
