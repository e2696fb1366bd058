//! `tolov healthcheck`, for Docker and for whoever else restarts what does not answer.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tolov_kit::env::{Env, EnvError};
use url::Url;

use crate::roles::status_page;

/// Shorter than compose waits for this command.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Asks `url`, or /health on METRICS_ADDR.
pub(crate) async fn run(env: &Env, url: Option<Url>) -> Result<()> {
    let addr = status_page::address(env);
    env.finish()?;
    let url = match (url, addr) {
        (Some(url), _) => url,
        (None, Some(addr)) => format!("http://{}/health", reachable(addr)).parse()?,
        (None, None) => {
            let problem = "METRICS_ADDR is missing: set it to the service's, or name a URL";
            return Err(EnvError(vec![problem.to_owned()]).into());
        }
    };
    let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build()?;
    let answer = http.get(url.clone()).send().await.with_context(|| format!("{url} does not answer"))?;
    ensure!(answer.status().is_success(), "{url} answers {}", answer.status());
    Ok(())
}

/// A service that listens on every address is asked on loopback.
fn reachable(addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() {
        return SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), addr.port());
    }
    addr
}
