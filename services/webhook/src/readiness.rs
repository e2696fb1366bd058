//! Whether payments can be accepted. A report is made every few seconds; whoever asks is answered from the newest one, so
//! that no number of questions costs the ledger or the bus anything.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle, time::Instant};
use tolov_domain::{ports::bus::Publisher, time::unix_ms};
use tolov_kit::{
    clock::Clock,
    lifecycle::{Stop, pause},
    status::{Dependency, Report, Waiting, within_check_timeout},
};

use crate::{
    Deps,
    ledger::{Ledger, OutboxStatus},
};

/// How often a report is made.
const REPORT_EVERY: Duration = Duration::from_secs(2);
/// A report that is older proves that the ledger's disk hangs.
const REPORT_AGE_MAX: Duration = Duration::from_secs(10);
/// A writer that is at work on one batch for longer hangs: a commit takes milliseconds.
const WRITER_BUSY_MAX: Duration = Duration::from_secs(2);
/// How often the age of the oldest attempt is looked up, in reports: it reads every pending order.
const PENDING_EVERY: u32 = 8;

/// The newest report. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Readiness {
    newest: watch::Receiver<(Report, Instant)>,
    ledger: Ledger,
}

/// Makes the reports, and sets the gauges that belong to them.
#[derive(Debug)]
pub(crate) struct Reporter {
    ledger: Ledger,
    bus: Arc<dyn Publisher>,
    clock: Arc<dyn Clock>,
    newest: watch::Sender<(Report, Instant)>,
    disk_check: Option<JoinHandle<()>>,
    pending_check: Option<JoinHandle<()>>,
}

impl Readiness {
    /// While the writer hangs, and when the report is too old to be true, it says that the ledger is not reachable.
    pub(crate) fn report(&self) -> Report {
        let (mut report, made_at) = self.newest.borrow().clone();
        if made_at.elapsed() > REPORT_AGE_MAX || self.ledger.writer_busy() > WRITER_BUSY_MAX {
            report
                .dependencies
                .iter_mut()
                .filter(|one| one.name == "ledger")
                .for_each(|one| one.reachable = false);
        }
        report
    }
}

impl Reporter {
    /// Until the first report the ledger, which was opened, counts as reachable and the bus does not.
    pub(crate) fn new(ledger: Ledger, Deps { bus, clock }: Deps) -> (Self, Readiness) {
        let report = Report {
            dependencies: dependencies(true, false),
            waiting: vec![waiting(OutboxStatus::default(), unix_ms(clock.now()))],
        };
        let (newest, readiness) = watch::channel((report, Instant::now()));
        let readiness = Readiness { newest: readiness, ledger: ledger.clone() };
        (Self { ledger, bus, clock, newest, disk_check: None, pending_check: None }, readiness)
    }

    /// Runs until `stop`.
    pub(crate) async fn run(mut self, stop: Stop) {
        for round in (0..PENDING_EVERY).cycle() {
            let report = self.report().await;
            self.newest.send_replace((report, Instant::now()));
            if round == 0 {
                self.measure_pending();
            }
            self.measure_disk();
            if !pause(&stop, REPORT_EVERY).await {
                return;
            }
        }
    }

    async fn report(&self) -> Report {
        let now = self.clock.now();
        let writer_busy = self.ledger.writer_busy();
        metrics::gauge!("tolov_ledger_writer_busy_seconds").set(writer_busy);
        let writable = async { writer_busy < WRITER_BUSY_MAX && self.ledger.is_writable(now).await };
        let (outbox, writable, bus) = tokio::join!(
            self.ledger.outbox_status(),
            writable,
            within_check_timeout(self.bus.is_reachable())
        );
        let is_ledger_reachable = outbox.is_ok() && writable;
        let outbox = outbox.unwrap_or_default();
        let waiting = waiting(outbox, unix_ms(now));
        metrics::gauge!("tolov_outbox_depth").set(whole(outbox.depth));
        metrics::gauge!("tolov_outbox_refused").set(whole(outbox.refused));
        metrics::gauge!("tolov_outbox_lag_seconds").set(duration(waiting.oldest_age_ms));
        Report { dependencies: dependencies(is_ledger_reachable, bus), waiting: vec![waiting] }
    }

    /// In a task of its own: among millions of unpaid orders it takes longer than a report may.
    fn measure_pending(&mut self) {
        if self.pending_check.as_ref().is_none_or(JoinHandle::is_finished) {
            let (ledger, clock) = (self.ledger.clone(), Arc::clone(&self.clock));
            self.pending_check = Some(tokio::spawn(async move {
                if let Ok(prepared_at) = ledger.oldest_prepared_at().await {
                    let age_ms = prepared_at.map_or(0, |prepared_at| unix_ms(clock.now()) - prepared_at);
                    metrics::gauge!("tolov_payment_pending_age_seconds").set(duration(age_ms));
                }
            }));
        }
    }

    /// In a thread of its own: a disk that hangs blocks that one and no other.
    fn measure_disk(&mut self) {
        if self.disk_check.as_ref().is_none_or(JoinHandle::is_finished) {
            let Some(disk) = self.ledger.disk() else { return };
            self.disk_check = Some(tokio::task::spawn_blocking(move || disk.measure()));
        }
    }
}

fn dependencies(ledger: bool, bus: bool) -> Vec<Dependency> {
    vec![
        // Without it no payment can be accepted.
        Dependency { name: "ledger", reachable: ledger, needed: true },
        // Without it payments are accepted and their events wait.
        Dependency { name: "bus", reachable: bus, needed: false },
    ]
}

fn waiting(outbox: OutboxStatus, now_ms: i64) -> Waiting {
    let oldest_age_ms = outbox.oldest_at.map_or(0, |oldest_at| (now_ms - oldest_at).max(0));
    Waiting { name: "outbox", depth: outbox.depth, oldest_age_ms, refused: Some(outbox.refused) }
}

fn whole(count: i64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn duration(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
