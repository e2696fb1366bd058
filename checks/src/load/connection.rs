//! One keep-alive HTTP/1.1 connection, small enough to cost less than the service under load.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// A callback that takes longer ends the run.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The proxy that the service trusts.
pub const PROXY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// How requests come to the service.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    /// From this address of the machine.
    Direct(Ipv4Addr),
    /// From [`PROXY`], which names this address as their sender.
    Proxied(Ipv4Addr),
}

pub(super) struct Connection {
    stream: TcpStream,
    /// Headers of every request.
    headers: String,
    read: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(addr: SocketAddr, way: Way) -> Result<Self> {
        let (from, headers) = match way {
            Way::Direct(from) => (from, String::new()),
            Way::Proxied(sender) => (PROXY, format!("x-forwarded-for: {sender}\r\n")),
        };
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(from.into(), 0))?;
        let stream = socket.connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, headers, read: Vec::with_capacity(1024) })
    }

    /// Posts a form and returns the body of a 200 and the time it took.
    pub(super) async fn post(&mut self, path: &str, form: &str) -> Result<(Vec<u8>, Duration)> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: shop\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             {}content-length: {}\r\n\r\n{form}",
            self.headers,
            form.len()
        );
        let started = Instant::now();
        self.stream.write_all(request.as_bytes()).await?;
        let body = tokio::time::timeout(ANSWER_TIMEOUT, self.response()).await.context("no answer")??;
        Ok((body, started.elapsed()))
    }

    async fn response(&mut self) -> Result<Vec<u8>> {
        self.read.clear();
        let head_end = loop {
            if let Some(end) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.fill().await?;
        };
        let head = std::str::from_utf8(&self.read[..head_end])?.to_ascii_lowercase();
        ensure!(head.starts_with("http/1.1 200"), "not 200: {head}");
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .context("an answer without content-length")?
            .trim()
            .parse()?;
        while self.read.len() < head_end + length {
            self.fill().await?;
        }
        Ok(self.read[head_end..head_end + length].to_vec())
    }

    async fn fill(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.read).await? == 0 {
            bail!("the connection was closed in the middle of an answer");
        }
        Ok(())
    }
}
