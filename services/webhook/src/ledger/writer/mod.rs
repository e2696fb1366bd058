//! The writer: takes whatever waits, decides it on the rows that it touches, commits once, then answers everybody.

pub(super) mod adopt;
pub(super) mod import;
pub(super) mod job;
mod known;
pub(super) mod reconciliation;
pub(super) mod refund_rows;
pub(super) mod refunds;
pub(super) mod replay;
pub(super) mod rows;
pub(super) mod seen;
pub(super) mod unverified;
pub(super) mod working_set;

use std::{
    fs::File,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, SqliteConnection, query::Query,
    sqlite::SqliteConnectOptions,
};
use tokio::sync::mpsc;
use tolov_domain::time::unix_ms;
use tolov_kit::lifecycle::Stop;

use self::{
    job::{Job, Maintenance, Undecided},
    known::{Known, Needs, Numbers, ReadOrder},
    rows::{NewOrderRow, OrderRow, json},
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

/// The orders with these numbers, with an attempt of these numbers, or with one that these transactions have paid; each with
/// all its attempts and refunds.
const LOAD: &str = "
SELECT json_group_array(json_object('order_id', o.order_id, 'user_id', o.user_id, 'products', json(o.products),
    'amount_tiyin', o.amount_tiyin, 'status', o.status, 'changed_at', o.changed_at, 'paid_by', o.paid_by,
    'attempts', json((
      SELECT json_group_array(json_object('prepare_id', a.prepare_id, 'order_id', a.order_id,
          'click_trans_id', a.click_trans_id, 'click_paydoc_id', a.click_paydoc_id, 'amount_tiyin', a.amount_tiyin,
          'state', a.state, 'prepared_at', a.prepared_at, 'settled_at', a.settled_at, 'paid_trans_id', a.paid_trans_id,
          'paid_paydoc_id', a.paid_paydoc_id, 'click_error', a.click_error, 'paid_source', a.paid_source))
        FROM attempts AS a WHERE a.order_id = o.order_id)),
    'refunds', json((
      SELECT json_group_array(json(r.refund)) FROM refunds_as_json AS r WHERE r.order_id = o.order_id))))
  FROM (
    SELECT value AS order_id FROM json_each(?1)
    UNION
    SELECT a.order_id FROM json_each(?2) AS wanted CROSS JOIN attempts AS a ON a.prepare_id = wanted.value
    UNION
    SELECT a.order_id FROM json_each(?3) AS wanted CROSS JOIN attempts AS a
      ON a.paid_trans_id = wanted.value AND a.state = 'paid'
  ) CROSS JOIN orders AS o USING (order_id)";

/// What a transaction may do, in the order in which foreign keys want it; each with JSON as its parameter.
///
/// Parameters are `$n` and not `?n`: sqlx binds a text of several statements one by one, and where a statement names
/// only `?5`, it takes 1 to 4 for unnamed ones, counts them on from statement to statement, and in the end binds nothing.
const STORE: [&str; 16] = [
    "INSERT INTO orders (order_id, user_id, products, amount_tiyin, payment_method, status, created_at, changed_at)
  SELECT value ->> 'order_id', value ->> 'user_id', value -> 'products', value ->> 'amount_tiyin', 'click', 'pending',
    value ->> 'created_at', value ->> 'created_at'
  FROM jsonb_each($1);",
    "INSERT INTO attempts (prepare_id, order_id, click_trans_id, click_paydoc_id, amount_tiyin, state, prepared_at,
    settled_at, paid_trans_id, paid_paydoc_id, click_error, paid_source)
  SELECT value ->> 'prepare_id', value ->> 'order_id', value ->> 'click_trans_id', value ->> 'click_paydoc_id',
    value ->> 'amount_tiyin', value ->> 'state', value ->> 'prepared_at', value ->> 'settled_at',
    value ->> 'paid_trans_id', value ->> 'paid_paydoc_id', value ->> 'click_error', value ->> 'paid_source'
  FROM jsonb_each($2) WHERE true
  ON CONFLICT (prepare_id) DO UPDATE SET state = excluded.state, settled_at = excluded.settled_at,
    paid_trans_id = excluded.paid_trans_id, paid_paydoc_id = excluded.paid_paydoc_id,
    click_error = excluded.click_error, paid_source = excluded.paid_source,
    -- These never change; were the row another attempt's, the trigger refuses.
    order_id = excluded.order_id, click_trans_id = excluded.click_trans_id;",
    "UPDATE orders SET status = change.value ->> 'status', paid_by = change.value ->> 'paid_by',
    changed_at = change.value ->> 'changed_at'
  FROM jsonb_each($3) AS change WHERE orders.order_id = change.value ->> 'order_id';",
    "INSERT INTO callbacks (received_at, peer, order_id, fields, code, answer, unplaced, source)
  SELECT value ->> 'received_at', value ->> 'peer', value ->> 'order_id', value ->> 'fields', value ->> 'code',
    value ->> 'answer', value ->> 'unplaced', value ->> 'source'
  FROM jsonb_each($4);",
    "INSERT INTO unverified_callbacks (received_at, peer, fields, code)
  SELECT value ->> 'received_at', value ->> 'peer', value ->> 'fields', value ->> 'code' FROM jsonb_each($5);",
    "INSERT INTO outbox (event_id, order_id, routing_key, schema, body, created_at, sent_at)
  SELECT value ->> 'event_id', value ->> 'order_id', value ->> 'routing_key', value ->> 'schema', value ->> 'body',
    value ->> 'created_at', value ->> 'sent_at'
  FROM jsonb_each($6) WHERE true
  ON CONFLICT (event_id) DO NOTHING;",
    "-- Where the clock was set back in between, an event is not sent before it was written.
UPDATE outbox SET sent_at = max(created_at, mark.value ->> 'sent_at'), last_error = NULL
  FROM jsonb_each($7) AS mark WHERE outbox.id = mark.value ->> 'id';",
    "UPDATE outbox SET sent_at = NULL, refusals = 0, retry_at = 0 WHERE sent_at IS NOT NULL AND id IN
  (SELECT again.id FROM jsonb_each($8) AS range CROSS JOIN outbox AS again
     ON again.event_id >= range.value ->> 0 AND again.event_id < range.value ->> 1);",
    "UPDATE outbox SET refusals = refusals + 1, retry_at = mark.value ->> 'retry_at', last_error = mark.value ->> 'reason'
  FROM jsonb_each($9) AS mark WHERE outbox.id = mark.value ->> 'id';",
    "INSERT INTO refunds (refund_id, order_id, prepare_id, request_id, amount_tiyin, returned, requested_by, reason,
    requested_at, state, payment_id, click_code, click_note, why, decided_by, document, changed_at, step, tries,
    next_step_at)
  SELECT value ->> 'refund_id', value ->> 'order_id', value ->> 'prepare_id', value ->> 'request_id',
    value ->> 'amount_tiyin', value -> 'returned', value ->> 'requested_by', value ->> 'reason',
    value ->> 'requested_at', value ->> 'state', value ->> 'payment_id', value ->> 'click_code',
    value ->> 'click_note', value ->> 'why', value ->> 'decided_by', value ->> 'document', value ->> 'changed_at',
    value ->> 'step', value ->> 'tries', value ->> 'next_step_at'
  FROM jsonb_each($10) WHERE true
  ON CONFLICT (refund_id) DO UPDATE SET state = excluded.state, payment_id = excluded.payment_id,
    click_code = excluded.click_code, click_note = excluded.click_note, why = excluded.why,
    decided_by = excluded.decided_by, document = excluded.document, changed_at = excluded.changed_at,
    step = excluded.step, tries = excluded.tries, next_step_at = excluded.next_step_at,
    -- These never change; were the row another refund's, the trigger refuses.
    order_id = excluded.order_id, request_id = excluded.request_id;",
    "INSERT INTO refund_steps (refund_id, step, at, state, by, payment_id, click_code, click_note, why, document)
  SELECT value ->> 'refund_id', value ->> 'step', value ->> 'at', value ->> 'state', value ->> 'by',
    value ->> 'payment_id', value ->> 'click_code', value ->> 'click_note', value ->> 'why', value ->> 'document'
  FROM jsonb_each($11);",
    "INSERT INTO attempt_checks (prepare_id, times, checked_at, payment_id, status)
  SELECT value ->> 'prepare_id', value ->> 'times', value ->> 'checked_at', value ->> 'payment_id',
    value ->> 'status'
  FROM jsonb_each($12) WHERE true
  ON CONFLICT (prepare_id) DO UPDATE SET times = max(times, excluded.times), checked_at = excluded.checked_at,
    payment_id = excluded.payment_id, status = excluded.status;",
    "INSERT INTO merchant_api_calls (at, order_id, method, path, outcome, code, note)
  SELECT value ->> 'at', value ->> 'order_id', value ->> 'method', value ->> 'path', value ->> 'outcome',
    value ->> 'code', value ->> 'note'
  FROM jsonb_each($13);",
    "INSERT INTO payment_reports (prepare_id, at, source, by, payment_id)
  SELECT value ->> 'prepare_id', value ->> 'at', value ->> 'source', value ->> 'by', value ->> 'payment_id'
  FROM jsonb_each($14);",
    "INSERT INTO compared_days (day, compared_at, click)
  SELECT value ->> 'day', value ->> 'compared_at', json(value -> 'click') FROM jsonb_each($15) WHERE true
  ON CONFLICT (day) DO NOTHING;",
    "INSERT INTO restore_checks (restore_id, checked_at)
  SELECT value ->> 'restore_id', value ->> 'checked_at' FROM jsonb_each($16) WHERE true ON CONFLICT DO NOTHING;",
];

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
                Job::Maintain(maintenance, caller) => match self.maintain(maintenance).await {
                    Ok(rows) => {
                        self.signals.writer().last_commit_failed = false;
                        // A caller that has gone away needs no answer.
                        let _ = caller.send(rows);
                    }
                    Err(error) => {
                        self.recover(&error).await;
                        tracing::error!(
                            error = error.chain(),
                            ?maintenance,
                            "maintenance of the ledger failed"
                        );
                    }
                },
            }
        }
        undecided.sort_by_key(|job| job.phase());
        if !undecided.is_empty() {
            self.commit_all(undecided).await;
        }
        self.signals.writer().busy_since = None;
    }

    async fn commit_all(&mut self, mut jobs: Vec<Box<dyn Undecided>>) {
        let started = Instant::now();
        match self.commit(&mut jobs).await {
            Ok(()) => {
                self.signals.writer().last_commit_failed = false;
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
        let committed = self.decide_and_store(jobs).await;
        if committed.is_err() {
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
            .bind(json(&needs.transactions));
        let orders: String = query.fetch_one(&mut self.connection).await?;
        serde_json::from_str::<Vec<OrderRow>>(&orders)?.into_iter().map(TryFrom::try_from).collect()
    }

    /// Commits what changed. Statements without rows are left out.
    async fn store(&mut self, writes: &Writes) -> Result<(), LedgerError> {
        let new_orders: Vec<NewOrderRow<'_>> = writes.new_orders.iter().map(NewOrderRow::from).collect();
        let rows = [
            rows(&new_orders),
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
            rows(&writes.reconciliation.reports),
            rows(&writes.reconciliation.days),
            rows(&writes.reconciliation.restore_checks),
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
        self.signals.writer().last_commit_failed = true;
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
        sqlx::query_scalar("SELECT coalesce(max(paid_trans_id), 0) FROM attempts WHERE state = 'paid'")
            .fetch_one(&mut *connection)
            .await?;
    let last_refund_id =
        sqlx::query_scalar("SELECT coalesce(max(refund_id), 0) FROM refunds").fetch_one(connection).await?;
    Ok(Numbers {
        last_refund_id,
        next_prepare_id,
        highest_order_id,
        highest_paid_transaction,
        forgotten_up_to: highest_paid_transaction,
    })
}
