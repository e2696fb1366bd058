//! `tolov healthcheck`: is the service of this container or unit alive? For whoever starts services.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tolov_kit::env::Env;
use url::Url;

use crate::status_page;

/// Shorter than what compose and systemd wait.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Asks `url`, else /health on METRICS_ADDR.
pub(crate) async fn run(env: &Env, url: Option<Url>) -> Result<()> {
    let addr = status_page::address(env);
    env.finish()?;
    let url = match (url, addr) {
        (Some(url), _) => url,
        (None, Some(addr)) => format!("http://{}/health", reachable(addr)).parse()?,
        (None, None) => anyhow::bail!("set METRICS_ADDR, as the service has it, or name an address to ask"),
    };
    let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build()?;
    let answer = http.get(url).send().await.context("no answer")?;
    ensure!(answer.status().is_success(), "the answer is {}", answer.status());
    Ok(())
}

/// A service that listens everywhere is asked on the loopback address.
fn reachable(addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() {
        return SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), addr.port());
    }
    addr
}
