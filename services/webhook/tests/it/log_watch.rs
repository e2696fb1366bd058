//! Reads every line that the service logs, in every test, and remembers those that contain a secret.

use std::{
    io,
    sync::{
        Mutex, Once, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::click::{API_TOKEN, SECRET_KEY};

static INSTALLED: Once = Once::new();
static LINES: AtomicUsize = AtomicUsize::new(0);
static ANSWERS: AtomicUsize = AtomicUsize::new(0);
static LEAKS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Everything that Tolov and the routes log, at the finest level.
const FILTER: &str = "off,tolov_webhook=trace,tolov_click=trace,tolov_kit=trace,tolov_domain=trace,warp=trace,it=trace,postgres=trace";

pub(crate) fn install() {
    INSTALLED.call_once(|| {
        let layer = fmt::layer().with_ansi(false).with_writer(|| Watch);
        tracing_subscriber::registry().with(EnvFilter::new(FILTER)).with(layer).init();
    });
}

pub(crate) fn lines() -> usize {
    LINES.load(Ordering::Relaxed)
}

/// Lines about answers to unverified callbacks, of all tests of this process.
pub(crate) fn answers_logged() -> usize {
    ANSWERS.load(Ordering::Relaxed)
}

/// The lines that contained a secret so far, without those that a test planted.
pub(crate) fn leaks() -> Vec<String> {
    let leaks = LEAKS.lock().unwrap_or_else(PoisonError::into_inner);
    leaks.iter().filter(|line| !line.contains(PLANTED)).cloned().collect()
}

/// Marks a line that a test logs to see that leaks are found.
pub(crate) const PLANTED: &str = "planted by a test";

pub(crate) fn planted_leaks() -> usize {
    let leaks = LEAKS.lock().unwrap_or_else(PoisonError::into_inner);
    leaks.iter().filter(|line| line.contains(PLANTED)).count()
}

struct Watch;

impl io::Write for Watch {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LINES.fetch_add(1, Ordering::Relaxed);
        let text = String::from_utf8_lossy(line);
        if text.contains("callback answered") && text.contains("verified=false") {
            ANSWERS.fetch_add(1, Ordering::Relaxed);
        }
        if tells_a_secret(&text) {
            LEAKS.lock().unwrap_or_else(PoisonError::into_inner).push(text.into_owned());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The secret key, the API token, or a run of 32 hexadecimal digits, which is what every signature looks like.
pub(crate) fn tells_a_secret(text: &str) -> bool {
    let mut run = 0;
    let has_signature = text.bytes().any(|byte| {
        run = if byte.is_ascii_hexdigit() { run + 1 } else { 0 };
        run == 32
    });
    has_signature || text.contains(SECRET_KEY) || text.contains(API_TOKEN)
}
