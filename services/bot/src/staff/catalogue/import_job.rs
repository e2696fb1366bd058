//! Carries out imports of the catalogue: reads the file, shows what it would change, and writes that once it is confirmed.

use std::{sync::Arc, time::Duration};

use time::Duration as Span;
use tokio::time::Instant;
use tolov_domain::{
    Language,
    ports::PortError,
    time::{Timestamp, in_whole_ms},
};
use tolov_kit::{
    availability::Availability,
    lifecycle::{Stop, pause},
};
use tolov_shop::{
    catalogue::Catalogue,
    csv::{self, Application, ImportJob, ImportState, Plan, imports_in_state},
    records,
    staff::{self, Action},
};

use crate::{
    broadcast::progress_message,
    conversation::screen::Screen,
    deps::HandlerDeps,
    staff::catalogue::{
        exchange::ask_screen,
        import_texts::{
            broken_off, done_screen, errors_html, fingerprint, nothing_new, plan_screen, progress,
        },
    },
    telegram::files::DownloadFailed,
    texts::{l, t},
};

/// How often imports to work on are looked for.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// Far above what reading a file or writing one chunk may take.
const LEASE: Span = Span::seconds(90);
const PROGRESS_EVERY: Duration = Duration::from_secs(3);
/// How long a confirmed file is asked for while Telegram does not give it.
const FILE_PATIENCE: Span = Span::hours(1);

/// Runs until `stop`. An import that is under way then is continued by the next process.
pub(crate) async fn run(deps: Arc<HandlerDeps>, stop: Stop) {
    let store = Availability::new("the shop store (imports)");
    while pause(&stop, POLL_EVERY).await {
        store.mark(work_once(&deps, &stop).await);
    }
}

async fn work_once(deps: &HandlerDeps, stop: &Stop) -> Result<(), PortError> {
    for state in [ImportState::Reading, ImportState::Applying] {
        for waiting in imports_in_state(deps.documents(), state).await? {
            let (now, until) = (deps.now(), later(deps.now()));
            let leased = records::change(deps.documents(), waiting.id.get(), |job: &mut ImportJob| {
                job.lease(now, until)
            });
            let Some((job, true)) = leased.await? else { continue };
            let language = deps.language_of(job.id).await;
            let import = Import { deps, language, lease: until, job };
            tokio::select! {
                biased;
                // What is half written is found by the next process, which makes the plan again.
                () = stop.cancelled() => return Ok(()),
                ended = import.work() => ended?,
            }
        }
    }
    Ok(())
}

fn later(now: Timestamp) -> Timestamp {
    in_whole_ms(now + LEASE)
}

/// An import while this process holds its lease.
struct Import<'a> {
    deps: &'a HandlerDeps,
    language: Language,
    lease: Timestamp,
    job: ImportJob,
}

/// A file compared with the catalogue.
enum Read {
    Plan(Box<Plan>),
    /// It cannot be imported, for this reason.
    Wrong(String),
    Unavailable,
}

impl Import<'_> {
    async fn work(self) -> Result<(), PortError> {
        let read = self.read().await?;
        match (self.job.state, read) {
            (ImportState::Applying, Read::Plan(plan)) => {
                if self.job.is_begun || fingerprint(&plan) == self.job.plan {
                    return self.apply(&plan).await;
                }
                self.offer(&plan, true).await
            }
            (ImportState::Applying, Read::Unavailable)
                if self.deps.now() < self.job.created_at + FILE_PATIENCE =>
            {
                // Tried again when the lease is over.
                Ok(())
            }
            (ImportState::Applying, Read::Unavailable) => {
                let reason = l!(self.language, "import-no-telegram");
                self.break_off(&reason).await
            }
            (_, Read::Plan(plan)) => self.offer(&plan, false).await,
            (_, Read::Wrong(wrong)) => self.refuse(wrong).await,
            (_, Read::Unavailable) => {
                let wrong = t!(self.language, "import-not-now");
                self.refuse(wrong).await
            }
        }
    }

    async fn read(&self) -> Result<Read, PortError> {
        let content = match self.deps.telegram.fetch(&self.job.file_id, csv::FILE_MAX_BYTES).await {
            Ok(content) => content,
            Err(DownloadFailed::TooLarge) => return Ok(Read::Wrong(t!(self.language, "import-too-large"))),
            Err(DownloadFailed::Unavailable) => return Ok(Read::Unavailable),
            Err(DownloadFailed::NotServed) => return Ok(Read::Wrong(t!(self.language, "import-not-served"))),
        };
        let catalogue = Catalogue::read(self.deps.documents()).await?;
        // A large file takes a second of computing.
        let planned = tokio::task::spawn_blocking(move || csv::plan(&content, &catalogue)).await;
        Ok(match planned {
            Ok(Ok(plan)) => Read::Plan(Box::new(plan)),
            Ok(Err(errors)) => Read::Wrong(errors_html(self.language, &errors)),
            Err(error) => {
                tracing::error!(%error, "reading a catalogue panicked");
                Read::Unavailable
            }
        })
    }

    /// Shows what the file would change, to be confirmed.
    async fn offer(mut self, plan: &Plan, has_changed: bool) -> Result<(), PortError> {
        let Some(screen) = plan_screen(self.language, plan, has_changed) else {
            let screen = nothing_new(self.language);
            return self.end(ImportState::Done, &screen).await;
        };
        let message_id = self.show(&screen, true).await;
        self.change(|job| {
            job.state = ImportState::Planned;
            job.plan = fingerprint(plan);
            job.message_id = message_id;
            job.leased_until_at = None;
        })
        .await?;
        Ok(())
    }

    async fn refuse(self, wrong: String) -> Result<(), PortError> {
        let screen = ask_screen(self.language, Some(wrong));
        self.end(ImportState::Failed, &screen).await
    }

    async fn break_off(self, reason: &str) -> Result<(), PortError> {
        tracing::warn!(staff.id = %self.job.id, reason, "an import of the catalogue broke off");
        let screen = broken_off(self.language, &self.job, reason);
        self.end(ImportState::Failed, &screen).await
    }

    async fn apply(mut self, plan: &Plan) -> Result<(), PortError> {
        let counts = plan.counts();
        let to_write = counts.products_new.saturating_add(counts.products_changed);
        let total = self.job.done().saturating_add(u64::try_from(to_write).unwrap_or(u64::MAX));
        let is_ours = self.change(|job| {
            job.is_begun = true;
            job.total = total;
        });
        if !is_ours.await? {
            return Ok(());
        }
        let before = self.job.clone();
        let mut application = Application::begin(self.deps.documents(), plan).await?;
        let mut shown_at: Option<Instant> = None;
        loop {
            if shown_at.is_none_or(|at| at.elapsed() >= PROGRESS_EVERY) {
                shown_at = Some(Instant::now());
                let message_id = self.show(&progress(self.language, &self.job), false).await;
                self.job.message_id = message_id;
            }
            let (message_id, until) = (self.job.message_id, later(self.deps.now()));
            match application.next(self.deps.documents()).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error @ PortError::Refused(_)) => return self.break_off(&error.to_string()).await,
                Err(error) => return Err(error),
            }
            let applied = application.applied.clone();
            let is_ours = self.change(|job| {
                job.count(&before, &applied);
                job.message_id = message_id;
                job.leased_until_at = Some(until);
            });
            if !is_ours.await? {
                return Ok(());
            }
            self.lease = until;
        }
        self.job.count(&before, &application.applied);
        self.finish().await
    }

    async fn finish(mut self) -> Result<(), PortError> {
        if !self.change(|_| {}).await? {
            return Ok(());
        }
        let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let ImportJob { id, products_new, products_changed, categories_new, .. } = self.job;
        let action = Action::CatalogueImported {
            products_new: number(products_new),
            products_changed: number(products_changed),
            categories_new: number(categories_new),
        };
        staff::record(self.deps.documents(), id, self.deps.now(), action).await?;
        tracing::info!(staff.id = %id, products_new, products_changed, "a catalogue was imported");
        let screen = done_screen(self.language, &self.job);
        self.end(ImportState::Done, &screen).await
    }

    async fn end(mut self, state: ImportState, screen: &Screen) -> Result<(), PortError> {
        let ended = self.job.clone();
        let is_ours = self.change(|job| {
            *job = ImportJob { state, leased_until_at: None, ..ended.clone() };
        });
        if is_ours.await? {
            self.show(screen, true).await;
        }
        Ok(())
    }

    /// Changes the record while the lease is this process's. `false`: another one has taken over, or another file was sent.
    async fn change(&mut self, change: impl Fn(&mut ImportJob)) -> Result<bool, PortError> {
        let lease = self.lease;
        let changed = records::change(self.deps.documents(), self.job.id.get(), |job: &mut ImportJob| {
            let is_ours = job.leased_until_at == Some(lease);
            if is_ours {
                change(job);
            }
            is_ours
        });
        let Some((job, true)) = changed.await? else { return Ok(false) };
        self.job = job;
        Ok(true)
    }

    /// In the message of the import. Returns the message that shows it.
    async fn show(&self, screen: &Screen, matters: bool) -> Option<i32> {
        progress_message::show(self.deps, self.job.id, self.job.message_id, screen, matters).await
    }
}
