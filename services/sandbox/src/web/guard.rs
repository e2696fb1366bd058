//! Which requests are answered at all. A developer's browser can reach the sandbox, and so can every page that is open
//! in it; the sandbox signs with CLICK's key. So no page of another origin may change or read anything here, whether it
//! asks directly or through a name that it has rebound to this address.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, Method, StatusCode, header, uri::Authority};
use url::Url;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The addresses under which this sandbox is known.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    listens_at: IpAddr,
    /// SANDBOX_URL: the address that browsers use where it differs from the one it listens at.
    public_url: Option<Url>,
}

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error(
        "the Host header does not name this sandbox: use a loopback address, or set SANDBOX_URL to the address in use"
    )]
    Host,
    #[error("a page of another origin may not use the sandbox")]
    Origin,
    #[error("a request that changes something must be sent as Content-Type: application/json")]
    ContentType,
}

impl Denied {
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::Host => StatusCode::MISDIRECTED_REQUEST,
            Self::Origin => StatusCode::FORBIDDEN,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }
}

impl Guard {
    pub(crate) fn new(listens_at: IpAddr, public_url: Option<Url>) -> Self {
        Self { listens_at, public_url }
    }

    pub(crate) fn check(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), Denied> {
        // Bots and merchants call these from wherever they run; people and their browsers call everything else.
        let is_for_services = ["/bot", "/file/", "/v2/"].iter().any(|prefix| path.starts_with(prefix));
        let host = only(headers, &header::HOST)
            .and_then(|host| host.parse::<Authority>().ok())
            .ok_or(Denied::Host)?;
        let name = host.host().trim_matches(['[', ']']).to_ascii_lowercase();
        let is_of_a_service = is_for_services && is_outside_public_dns(&name);
        if !is_of_a_service && !self.is_own(&name) {
            return Err(Denied::Host);
        }
        if headers.contains_key(header::ORIGIN) {
            let origin = only(headers, &header::ORIGIN).ok_or(Denied::Origin)?;
            if !self.is_own_origin(origin, host.as_str()) {
                return Err(Denied::Origin);
            }
        }
        let only_reads = matches!(*method, Method::GET | Method::HEAD) && !is_for_services;
        // Browsers send no Origin with a picture or a script, which is enough for a GET of the Bot API.
        let site = headers.get(SEC_FETCH_SITE).map(http::HeaderValue::as_bytes);
        if !only_reads && !matches!(site, None | Some(b"same-origin" | b"none")) {
            return Err(Denied::Origin);
        }
        // A form or a text that another page sends needs no permission from here (CORS); JSON does.
        if path.starts_with("/sandbox") && !only_reads && !is_json(headers) {
            return Err(Denied::ContentType);
        }
        Ok(())
    }

    fn is_own(&self, name: &str) -> bool {
        let is_loopback_name = name == "localhost" || name.ends_with(".localhost");
        let is_own_ip = name
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.is_loopback() || (ip == self.listens_at && !ip.is_unspecified()));
        let public =
            self.public_url.as_ref().and_then(Url::host_str).map(|host| host.trim_matches(['[', ']']));
        is_loopback_name || is_own_ip || public == Some(name)
    }

    /// `host` is known to be ours, with the port that the browser used.
    fn is_own_origin(&self, origin: &str, host: &str) -> bool {
        let public = self.public_url.as_ref().map(|url| url.origin().ascii_serialization());
        let of_host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        of_host.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
            || public.as_deref() == Some(origin)
    }
}

/// The header's value, unless it is missing, repeated or not text.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    values.next()?.to_str().ok().filter(|_| values.next().is_none())
}

/// A container's name or an IP address: no page can rebind these, because it cannot be loaded from a public name that
/// reads like them.
fn is_outside_public_dns(name: &str) -> bool {
    !name.contains('.') || name.parse::<IpAddr>().is_ok()
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = only(headers, &header::CONTENT_TYPE).and_then(|kind| kind.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str, headers: &[(&'static str, &str)]) -> Result<(), Denied> {
        let public_url = Some(Url::parse("https://sandbox.example/").unwrap());
        let guard = Guard::new([0, 0, 0, 0].into(), public_url);
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(name, value);
        }
        guard.check(&method.parse().unwrap(), path, &all)
    }

    #[test]
    fn only_the_sandboxs_own_names_are_answered() {
        for host in
            ["localhost", "LOCALHOST:8080", "a.localhost", "127.0.0.2:1", "[::1]:8080", "sandbox.example"]
        {
            assert_eq!(check("GET", "/", &[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "0.0.0.0:8080",
            "192.168.1.5",
            "sandbox",
            "",
            "localhost@evil.example",
        ] {
            assert_eq!(check("GET", "/", &[("host", host)]), Err(Denied::Host), "{host}");
        }
        assert_eq!(check("GET", "/", &[]), Err(Denied::Host));
        assert_eq!(check("GET", "/", &[("host", "localhost"), ("host", "evil.example")]), Err(Denied::Host));
    }

    #[test]
    fn services_may_know_it_by_a_name_that_no_page_can_have() {
        for host in ["sandbox:8080", "192.168.1.5:8080", "127.0.0.1"] {
            assert_eq!(check("GET", "/bot1:abc/getMe", &[("host", host)]), Ok(()), "{host}");
        }
        assert_eq!(check("GET", "/bot1:abc/getMe", &[("host", "evil.example")]), Err(Denied::Host));
    }

    #[test]
    fn an_origin_that_is_sent_must_be_the_sandboxs_own() {
        let from =
            |origin| check("POST", "/services/pay/card", &[("host", "127.0.0.1:8080"), ("origin", origin)]);
        assert_eq!(from("http://127.0.0.1:8080"), Ok(()));
        assert_eq!(from("https://sandbox.example"), Ok(()));
        for origin in ["http://127.0.0.1:3000", "https://evil.example", "null", "", "file://"] {
            assert_eq!(from(origin), Err(Denied::Origin), "{origin}");
        }
    }

    #[test]
    fn control_calls_that_change_something_are_json() {
        let post = |kind| check("POST", "/sandbox/reset", &[("host", "localhost"), ("content-type", kind)]);
        assert_eq!(post("application/json"), Ok(()));
        assert_eq!(post("Application/JSON; charset=utf-8"), Ok(()));
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json-patch+json",
            "text/plain; application/json",
        ] {
            assert_eq!(post(kind), Err(Denied::ContentType), "{kind}");
        }
        assert_eq!(check("DELETE", "/sandbox/load", &[("host", "localhost")]), Err(Denied::ContentType));
        assert_eq!(check("GET", "/sandbox", &[("host", "localhost")]), Ok(()));
    }
}
