//! The writer: takes whatever waits, decides it on the rows that it touches, commits once, then answers everybody.

pub(super) mod adopt;
pub(super) mod import;
pub(super) mod invoices;
pub(super) mod job;
mod known;
pub(super) mod receipts;
pub(super) mod reconciliation;
pub(super) mod refund_rows;
pub(super) mod refunds;
pub(super) mod replay;
pub(super) mod rows;
pub(super) mod seen;
mod statements;
pub(super) mod unverified;
pub(super) mod working_set;

use std::{
    collections::{BTreeSet, HashMap},
    fs::File,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, SqliteConnection, query::Query,
    sqlite::SqliteConnectOptions,
};
use tokio::sync::{mpsc, oneshot};
use tolov_domain::{OrderId, receipt::Receipt, time::unix_ms};
use tolov_kit::lifecycle::Stop;

use self::{
    job::{Job, Maintenance, Undecided, commit_spans},
    known::{Known, Needs, Numbers, ReadOrder},
    receipts::ReceiptRow,
    rows::{NewOrderRow, OrderRow},
    statements::{LOAD, LOAD_RECEIPTS, STORE, json},
    working_set::{WorkingSet, Writes},
};
use super::{
    LedgerError, Signals,
    file::{
        open::{OpenError, close},
        restore::{highest_order_id, last_given_prepare_id},
    },
    metrics::{self, Counts},
};

/// The most jobs of one transaction.
const BATCH_MAX: usize = 256;
/// The most outbox rows that one pruning deletes.
const PRUNE_MAX: i64 = 1000;

/// How long work that nobody waits for waits for other work to share a transaction with.
const LINGER: Duration = Duration::from_millis(3);

pub(crate) struct Writer {
    connection: SqliteConnection,
    options: SqliteConnectOptions,
    /// Keeps other processes out for as long as the writer lives.
    _lock: File,
    signals: Arc<Signals>,
    set: WorkingSet,
}

impl Writer {
    pub(crate) async fn new(
        mut connection: SqliteConnection,
        options: SqliteConnectOptions,
        lock: File,
        signals: Arc<Signals>,
    ) -> Result<Self, OpenError> {
        let set = WorkingSet::new(Known::new(numbers(&mut connection).await?));
        Ok(Self { connection, options, _lock: lock, signals, set })
    }

    /// Runs until it is told to close and what waited then is committed. Handles that are still held hear `Closed`.
    pub(crate) async fn run(mut self, mut jobs: mpsc::Receiver<Job>, closing: Stop) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        loop {
            tokio::select! {
                biased;
                () = closing.cancelled(), if !jobs.is_closed() => jobs.close(),
                taken = jobs.recv_many(&mut batch, BATCH_MAX) => {
                    if taken == 0 {
                        break;
                    }
                    linger(&mut jobs, &mut batch).await;
                    self.work_off(&mut batch).await;
                }
            }
        }
        close(self.connection).await;
    }

    async fn work_off(&mut self, jobs: &mut Vec<Job>) {
        self.signals.writer().busy_since = Some(Instant::now());
        let mut undecided = Vec::with_capacity(jobs.len());
        for job in jobs.drain(..) {
            match job {
                Job::Decide(job) => undecided.push(job),
                Job::Maintain(maintenance, caller) => {
                    let done = self.maintain(maintenance).await;
                    self.finish(done, caller).await;
                }
            }
        }
        undecided.sort_by_key(|job| job.phase());
        if !undecided.is_empty() {
            self.commit_all(undecided).await;
        }
        self.signals.writer().busy_since = None;
    }

    /// Answers a job that had a transaction of its own.
    async fn finish(&mut self, done: Result<u64, LedgerError>, caller: oneshot::Sender<u64>) {
        match done {
            Ok(rows) => {
                // What changed no row proves nothing of the disk.
                if rows > 0 {
                    self.signals.writer().committed_at = Some(Instant::now());
                }
                // A caller that has gone away needs no answer.
                let _ = caller.send(rows);
            }
            Err(error) => {
                self.recover(&error).await;
                tracing::error!(error = error.chain(), "a change of the ledger failed");
            }
        }
    }

    async fn commit_all(&mut self, mut jobs: Vec<Box<dyn Undecided>>) {
        let started = Instant::now();
        match self.commit(&mut jobs).await {
            Ok(()) => {
                self.signals.writer().committed_at = Some(Instant::now());
                tracing::debug!(jobs = jobs.len(), commit_us = started.elapsed().as_micros(), "committed");
                metrics::transaction(jobs.len(), started.elapsed());
                jobs.into_iter().for_each(Undecided::answer);
            }
            Err(error) => {
                self.recover(&error).await;
                if jobs.len() > 1 && is_about_one_row(&error) {
                    tracing::error!(
                        error = error.chain(),
                        "a job broke a rule of the schema; its batch is committed one by one"
                    );
                    for job in jobs {
                        Box::pin(self.commit_all(vec![job])).await;
                    }
                } else {
                    // The waiting callers see their sender dropped and answer -7.
                    tracing::error!(error = error.chain(), jobs = jobs.len(), "cannot commit");
                }
            }
        }
    }

    async fn commit(&mut self, jobs: &mut [Box<dyn Undecided>]) -> Result<(), LedgerError> {
        let before = self.set.known.numbers;
        let mut spans = commit_spans(jobs);
        let committed = self.decide_and_store(jobs).await;
        if committed.is_err() {
            for span in &mut spans {
                span.fail("not_committed");
            }
            // A number that was given out in a transaction that failed is not lost: nobody has seen it. What the
            // transaction paid may be stored all the same.
            let highest_paid_transaction = self.set.known.numbers.highest_paid_transaction;
            self.set = WorkingSet::new(Known::new(Numbers { highest_paid_transaction, ..before }));
        }
        self.set.known.limit();
        committed
    }

    async fn decide_and_store(&mut self, jobs: &mut [Box<dyn Undecided>]) -> Result<(), LedgerError> {
        let mut needs = Needs::default();
        for job in &*jobs {
            job.needs(&mut needs);
        }
        self.set.known.receipts = self.load_receipts(&needs.receipts).await?;
        let missing = self.set.known.missing(needs);
        if !missing.is_empty() {
            let read = self.load(&missing).await?;
            self.set.known.learn(read, missing);
        }
        for job in &mut *jobs {
            job.decide(&mut self.set);
        }
        let writes = self.set.take_writes();
        self.store(&writes).await?;
        Counts::of(&writes).record();
        if !writes.events.is_empty() || !writes.sent_again.is_empty() {
            self.signals.outbox_grew.notify_one();
        }
        Ok(())
    }

    async fn load(&mut self, needs: &Needs) -> Result<Vec<ReadOrder>, LedgerError> {
        let query = sqlx::query_scalar(LOAD)
            .bind(json(&needs.orders))
            .bind(json(&needs.attempts))
            .bind(json(&needs.transactions))
            .bind(json(&needs.charges));
        let orders: String = query.fetch_one(&mut self.connection).await?;
        serde_json::from_str::<Vec<OrderRow>>(&orders)?.into_iter().map(TryFrom::try_from).collect()
    }

    async fn load_receipts(
        &mut self,
        orders: &BTreeSet<OrderId>,
    ) -> Result<HashMap<OrderId, Receipt>, LedgerError> {
        if orders.is_empty() {
            return Ok(HashMap::new());
        }
        let query = sqlx::query_scalar(LOAD_RECEIPTS).bind(json(orders));
        let rows: String = query.fetch_one(&mut self.connection).await?;
        let receipts = serde_json::from_str::<Vec<ReceiptRow>>(&rows)?.into_iter().map(Receipt::from);
        Ok(receipts.map(|receipt| (receipt.order_id, receipt)).collect())
    }

    /// Commits what changed. Statements without rows are left out.
    async fn store(&mut self, writes: &Writes) -> Result<(), LedgerError> {
        let new_orders: Vec<NewOrderRow<'_>> = writes.new_orders.iter().map(NewOrderRow::from).collect();
        let rows = [
            rows(&new_orders),
            rows(&writes.receipts.kept),
            rows(&writes.attempts),
            rows(&writes.orders),
            rows(&writes.callbacks),
            rows(&writes.unverified),
            rows(&writes.events),
            rows(&writes.sent),
            rows(&writes.sent_again),
            rows(&writes.refused),
            rows(&writes.refunds),
            rows(&writes.refund_steps),
            rows(&writes.checks),
            rows(&writes.calls),
            rows(&writes.telegram_payments),
            rows(&writes.phone_invoices),
            rows(&writes.reconciliation.reports),
            rows(&writes.reconciliation.days),
            rows(&writes.reconciliation.restore_checks),
            rows(&writes.receipts.steps),
        ];
        let mut statements = String::from("BEGIN IMMEDIATE;");
        for (statement, _) in STORE.iter().zip(&rows).filter(|(_, rows)| rows.is_some()) {
            statements.push_str(statement);
        }
        statements.push_str("COMMIT;");
        // Made of constants alone; parameters carry everything else.
        let query = sqlx::query(AssertSqlSafe(statements));
        let query = rows.into_iter().fold(query, Query::bind);
        self.connection.execute(query).await?;
        Ok(())
    }

    /// After a failure: ends the transaction, and after trouble with the disk also the connection, which can no
    /// longer be trusted to know what is stored.
    async fn recover(&mut self, error: &LedgerError) {
        // SQLite may have rolled back by itself (disk full, I/O error); then there is nothing to end.
        if let Err(error) = self.connection.execute("ROLLBACK").await {
            tracing::debug!(%error, "nothing to roll back");
        }
        if is_about_one_row(error) {
            // Perhaps the next number is taken, by a row that another program has written.
            match numbers(&mut self.connection).await {
                Ok(numbers) => self.set = WorkingSet::new(Known::new(numbers)),
                Err(error) => tracing::warn!(%error, "cannot read the last numbers of the ledger"),
            }
            return;
        }
        self.signals.writer().committed_at = None;
        match self.options.connect().await {
            Ok(connection) => close(std::mem::replace(&mut self.connection, connection)).await,
            Err(error) => {
                tracing::error!(%error, "the ledger cannot be opened again; the next request tries once more");
            }
        }
    }

    /// Returns how many rows it changed.
    async fn maintain(&mut self, maintenance: Maintenance) -> Result<u64, LedgerError> {
        let connection = &mut self.connection;
        let done = match maintenance {
            Maintenance::Probe { now } => {
                let query = sqlx::query("UPDATE ledger_state SET probed_at = ?1").bind(unix_ms(now));
                query.execute(connection).await?
            }
            Maintenance::NoteClock { now } => {
                let query = sqlx::query("UPDATE ledger_state SET clock_believed_at = ?1").bind(unix_ms(now));
                query.execute(connection).await?
            }
            Maintenance::PruneOutbox { sent_before } => {
                let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
                let query = sqlx::query(
                    "DELETE FROM outbox WHERE id IN
                       (SELECT id FROM outbox WHERE sent_at < ?1 ORDER BY sent_at LIMIT +?2)",
                );
                let query = query.bind(unix_ms(sent_before)).bind(PRUNE_MAX);
                let done = query.execute(&mut *transaction).await?;
                if done.rows_affected() > 0 {
                    sqlx::query(
                        "UPDATE ledger_state SET outbox_pruned_before = max(outbox_pruned_before, ?1)",
                    )
                    .bind(unix_ms(sent_before))
                    .execute(&mut *transaction)
                    .await?;
                }
                transaction.commit().await?;
                done
            }
            Maintenance::ReplayUnplaced { since, until } => {
                let query = sqlx::query(
                    "UPDATE outbox SET sent_at = NULL, refusals = 0, retry_at = 0
                     WHERE order_id IS NULL AND sent_at IS NOT NULL AND created_at BETWEEN ?1 AND ?2",
                );
                query.bind(unix_ms(since)).bind(unix_ms(until)).execute(connection).await?
            }
            Maintenance::PruneUnverified { received_before, rows_max } => {
                let query = sqlx::query(
                    "DELETE FROM unverified_callbacks WHERE id IN
                       (SELECT id FROM unverified_callbacks WHERE received_at < ?1
                        UNION
                        SELECT id FROM (SELECT id FROM unverified_callbacks ORDER BY id DESC LIMIT -1 OFFSET ?2))",
                );
                query.bind(unix_ms(received_before)).bind(rows_max).execute(connection).await?
            }
        };
        Ok(done.rows_affected())
    }
}

/// A rule of the schema was broken: only one job of the batch can be at fault. Everything else is the disk's.
fn is_about_one_row(error: &LedgerError) -> bool {
    matches!(error, LedgerError::Constraint(_))
}

/// The JSON of rows, where there are any.
fn rows<R: Serialize>(rows: &[R]) -> Option<String> {
    (!rows.is_empty()).then(|| json(rows))
}

/// Lets a batch for which nobody waits take in what comes within a moment: a commit costs the same for both.
async fn linger(jobs: &mut mpsc::Receiver<Job>, batch: &mut Vec<Job>) {
    let more = async {
        while batch.len() < BATCH_MAX && batch.iter().all(Job::can_wait) {
            if jobs.recv_many(batch, BATCH_MAX - batch.len()).await == 0 {
                return;
            }
        }
    };
    // What has come until then is in the batch.
    drop(tokio::time::timeout(LINGER, more).await);
}

async fn numbers(connection: &mut SqliteConnection) -> Result<Numbers, sqlx::Error> {
    let next_prepare_id = last_given_prepare_id(connection).await?.saturating_add(1);
    let highest_order_id = highest_order_id(&mut *connection).await?;
    let highest_paid_transaction =
        // Payments in Telegram have numbers above all of CLICK's.
        sqlx::query_scalar(
            "SELECT coalesce(max(paid_trans_id), 0) FROM attempts WHERE state = 'paid' AND paid_trans_id < 9007199254740992",
        )
            .fetch_one(&mut *connection)
            .await?;
    let last_refund_id = sqlx::query_scalar("SELECT coalesce(max(refund_id), 0) FROM refunds")
        .fetch_one(&mut *connection)
        .await?;
    let last_phone_invoice_id =
        sqlx::query_scalar("SELECT coalesce(max(phone_invoice_id), 0) FROM phone_invoices")
            .fetch_one(connection)
            .await?;
    Ok(Numbers {
        last_phone_invoice_id,
        last_refund_id,
        next_prepare_id,
        highest_order_id,
        highest_paid_transaction,
        forgotten_up_to: highest_paid_transaction,
    })
}
