//! Logs: text for people, JSON for machines. RUST_LOG says how much.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

impl std::str::FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("write text or json"),
        }
    }
}

/// Installs the subscriber for the whole process, once. A second call changes nothing.
///
/// `filter` is RUST_LOG's syntax. Lines go to standard error, so that standard output stays a program's answer.
pub fn install(format: LogFormat, filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    let installed = match format {
        LogFormat::Text => {
            // Colours are for a terminal; in a file or in a journal they are noise.
            let is_terminal = std::io::stderr().is_terminal();
            registry.with(fmt::layer().with_ansi(is_terminal).with_writer(std::io::stderr)).try_init()
        }
        LogFormat::Json => {
            registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).try_init()
        }
    };
    // A test binary may have installed one already; two processes never share one.
    drop(installed);
}
