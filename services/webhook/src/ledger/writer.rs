//! The writer: takes whatever waits, decides it against the books, commits it once, then answers everybody.

use std::{
    fs::File,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use futures_util::TryStreamExt;
use serde::de::DeserializeOwned;
use sqlx::{ConnectOptions, Either, Executor, Row, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::mpsc;
use tolov_domain::{
    OrderId,
    time::{Timestamp, unix_ms},
};
use tolov_kit::lifecycle::Stop;

use super::{
    Job, LedgerError, RelayMarks, Signals,
    batch::{Answered, Batch, Wanted},
    books::{Books, Writes},
    counted::{self, Counted},
    open::{OpenError, close},
    restore::last_given_prepare_id,
    rows::{AttemptRow, CallbackRow, OrderRow},
};

/// The most jobs of one transaction.
const BATCH_MAX: usize = 256;
/// The most orders that expire in one transaction.
const EXPIRE_MAX: i64 = 200;
/// The most outbox rows that one pruning deletes.
const PRUNE_MAX: i64 = 1000;

/// Orders by number; attempts by number, by transaction of an order, and by the transaction that paid (one row each), and
/// the open ones of orders that may end.
const LOAD: &str = "BEGIN IMMEDIATE;
SELECT json_group_array(json_array(o.order_id, o.user_id, o.products, o.amount_tiyin, o.status, o.changed_at, o.paid_by))
  FROM json_each($1) AS wanted CROSS JOIN orders AS o ON o.order_id = wanted.value;
SELECT json_group_array(json_array(prepare_id, order_id, click_trans_id, click_paydoc_id, amount_tiyin, state,
    prepared_at, settled_at, paid_trans_id, paid_paydoc_id, click_error))
  FROM (
    SELECT a.* FROM json_each($2) AS wanted CROSS JOIN attempts AS a ON a.prepare_id = wanted.value
    UNION
    SELECT a.* FROM json_each($3) AS wanted CROSS JOIN attempts AS a
      ON a.order_id = wanted.value ->> 0 AND a.click_trans_id = wanted.value ->> 1
    UNION
    SELECT a.* FROM json_each($4) AS wanted CROSS JOIN attempts AS a
      ON a.paid_trans_id = wanted.value AND a.state = 'paid'
    UNION
    SELECT a.* FROM json_each($5) AS wanted CROSS JOIN attempts AS a ON a.order_id = wanted.value
      WHERE a.state = 'prepared'
  );";

/// Parameters are `$n` and not `?n`: sqlx binds a text of several statements one by one, and where a statement names
/// only `?5`, it takes 1 to 4 for unnamed ones, counts them on from statement to statement, and in the end binds nothing.
const STORE: &str = "
INSERT INTO orders (order_id, user_id, products, amount_tiyin, payment_method, status, created_at, changed_at)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, 'click', 'pending', value ->> 4, value ->> 4
  FROM json_each($1);
INSERT INTO attempts (prepare_id, order_id, click_trans_id, click_paydoc_id, amount_tiyin, state, prepared_at,
    settled_at, paid_trans_id, paid_paydoc_id, click_error)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
    value ->> 7, value ->> 8, value ->> 9, value ->> 10
  FROM json_each($2) WHERE true
  ON CONFLICT (prepare_id) DO UPDATE SET state = excluded.state, settled_at = excluded.settled_at,
    paid_trans_id = excluded.paid_trans_id, paid_paydoc_id = excluded.paid_paydoc_id,
    click_error = excluded.click_error,
    -- These never change; were the row another attempt's, the trigger refuses.
    order_id = excluded.order_id, click_trans_id = excluded.click_trans_id;
UPDATE orders SET status = change.value ->> 1, paid_by = change.value ->> 2, changed_at = change.value ->> 3
  FROM json_each($3) AS change WHERE orders.order_id = change.value ->> 0;
INSERT INTO callbacks (received_at, peer, verified, order_id, fields, code, answer)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
  FROM json_each($4);
INSERT INTO outbox (event_id, order_id, routing_key, schema, body, created_at)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
  FROM json_each($5) WHERE true
  ON CONFLICT (event_id) DO NOTHING;
UPDATE outbox SET sent_at = $6, last_error = NULL WHERE id IN (SELECT value FROM json_each($7));
UPDATE outbox SET refusals = refusals + 1, retry_at = mark.value ->> 1, last_error = mark.value ->> 2
  FROM json_each($8) AS mark WHERE outbox.id = mark.value ->> 0;
COMMIT;";

pub(super) struct Writer {
    connection: SqliteConnection,
    options: SqliteConnectOptions,
    /// Keeps other processes out for as long as the writer lives.
    _lock: File,
    signals: Arc<Signals>,
    next_prepare_id: i64,
}

impl Writer {
    pub(super) async fn new(
        mut connection: SqliteConnection,
        options: SqliteConnectOptions,
        lock: File,
        signals: Arc<Signals>,
    ) -> Result<Self, OpenError> {
        let next_prepare_id = next_prepare_id(&mut connection).await?;
        Ok(Self { connection, options, _lock: lock, signals, next_prepare_id })
    }

    /// Runs until it is told to close and what waited then is committed. Handles that are still held hear `Closed`.
    pub(super) async fn run(
        mut self,
        mut jobs: mpsc::Receiver<Job>,
        mut unverified: mpsc::Receiver<Job>,
        closing: Stop,
    ) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        loop {
            // Verified work first: a flood of forgeries waits behind it, and fills only what is left of a batch.
            tokio::select! {
                biased;
                () = closing.cancelled(), if !jobs.is_closed() => {
                    jobs.close();
                    unverified.close();
                    continue;
                }
                taken = jobs.recv_many(&mut batch, BATCH_MAX) => if taken == 0 { break },
                Some(job) = unverified.recv() => batch.push(job),
            }
            while batch.len() < BATCH_MAX
                && let Ok(job) = unverified.try_recv()
            {
                batch.push(job);
            }
            self.commit_all(std::mem::take(&mut batch)).await;
        }
        close(self.connection).await;
    }

    async fn commit_all(&mut self, jobs: Vec<Job>) {
        let (mut batch, maintenance) = Batch::from_jobs(jobs);
        for job in maintenance {
            self.maintain(job).await;
        }
        if batch.is_empty() {
            return;
        }
        let started = Instant::now();
        match self.commit(&mut batch).await {
            Ok(answers) => {
                self.signals.last_commit_succeeded.store(true, Ordering::Relaxed);
                tracing::debug!(jobs = answers.len(), commit_us = started.elapsed().as_micros(), "committed");
                counted::transaction(answers.len(), started.elapsed());
                answers.into_iter().for_each(Answered::send);
            }
            Err(error) => {
                self.recover(&error).await;
                if batch.len() > 1 && is_about_one_row(&error) {
                    tracing::error!(%error, "a job broke a rule of the schema; its batch is committed one by one");
                    for job in batch.into_singles() {
                        Box::pin(self.commit_all(vec![job])).await;
                    }
                } else {
                    // The waiting callers see their sender dropped and answer -7.
                    tracing::error!(%error, jobs = batch.len(), "cannot commit");
                }
            }
        }
    }

    async fn commit(&mut self, batch: &mut Batch) -> Result<Vec<Answered>, LedgerError> {
        let mut books = self.load(&batch.wanted()).await?;
        let decided = batch.decide(&mut books);
        let next_prepare_id = books.next_prepare_id();
        let writes = books.into_writes();
        let outbox_grows = !writes.events.is_empty();
        let counted = Counted::of(&writes);
        self.store(writes, &decided.callbacks, &batch.marks).await?;
        counted.record();
        // A number that was handed out in a transaction that failed is not lost: nobody has seen it.
        self.next_prepare_id = next_prepare_id;
        if outbox_grows {
            self.signals.outbox_grew.notify_one();
        }
        Ok(batch.answers(decided))
    }

    async fn load(&mut self, wanted: &Wanted) -> Result<Books, LedgerError> {
        let query = sqlx::query(LOAD)
            .bind(json(&wanted.orders))
            .bind(json(&wanted.attempts))
            .bind(json(&wanted.transactions_of_orders))
            .bind(json(&wanted.transactions))
            .bind(json(&wanted.ending));
        let mut texts: Vec<String> = Vec::with_capacity(2);
        let mut rows = self.connection.fetch_many(query);
        while let Some(step) = rows.try_next().await? {
            if let Either::Right(row) = step {
                texts.push(row.try_get(0)?);
            }
        }
        drop(rows);
        let [orders, attempts] = texts.as_slice() else {
            return Err(LedgerError::Storage("the ledger's books could not be read".to_owned()));
        };
        let broken = || LedgerError::Storage("a row of the ledger breaks the schema's rules".to_owned());
        let orders: Option<Vec<_>> =
            parse::<Vec<OrderRow>>(orders)?.into_iter().map(OrderRow::into_order).collect();
        let attempts: Option<Vec<_>> =
            parse::<Vec<AttemptRow>>(attempts)?.into_iter().map(AttemptRow::into_attempt).collect();
        Ok(Books::new(orders.ok_or_else(broken)?, attempts.ok_or_else(broken)?, self.next_prepare_id))
    }

    async fn store(
        &mut self,
        writes: Writes,
        callbacks: &[CallbackRow],
        marks: &RelayMarks,
    ) -> Result<(), LedgerError> {
        let refused: Vec<_> = marks.refused.iter().map(|(id, at, why)| (id, unix_ms(*at), why)).collect();
        let query = sqlx::query(STORE)
            .bind(json(&writes.new_orders))
            .bind(json(&writes.attempts))
            .bind(json(&writes.orders))
            .bind(json(callbacks))
            .bind(json(&writes.events))
            .bind(marks.at_ms)
            .bind(json(&marks.sent))
            .bind(json(&refused));
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
            // Perhaps the next number is taken, by a row that a foreign hand has written.
            match next_prepare_id(&mut self.connection).await {
                Ok(next) => self.next_prepare_id = next,
                Err(error) => tracing::warn!(%error, "cannot read the last merchant_prepare_id"),
            }
            return;
        }
        self.signals.last_commit_succeeded.store(false, Ordering::Relaxed);
        match self.options.connect().await {
            Ok(connection) => close(std::mem::replace(&mut self.connection, connection)).await,
            Err(error) => {
                tracing::error!(%error, "the ledger cannot be opened anew; the next request tries again");
            }
        }
    }

    async fn maintain(&mut self, job: Job) {
        let outcome = match job {
            Job::Expire { created_before, now, expired } => {
                self.expire(created_before, now).await.map(|count| {
                    let _ = expired.send(count);
                })
            }
            Job::PruneOutbox { sent_before, pruned } => self.prune(sent_before).await.map(|count| {
                let _ = pruned.send(count);
            }),
            Job::Probe { now, written } => self.probe(now).await.map(|()| {
                self.signals.last_commit_succeeded.store(true, Ordering::Relaxed);
                let _ = written.send(());
            }),
            Job::Arrival(..) | Job::NewOrder(..) | Job::Cancel(..) | Job::RelayMarks(..) => Ok(()),
        };
        if let Err(error) = outcome {
            self.recover(&error).await;
            tracing::error!(%error, "the ledger's housekeeping failed; it is tried again later");
        }
    }

    async fn expire(&mut self, created_before: Timestamp, now: Timestamp) -> Result<usize, LedgerError> {
        let due: Vec<(i64,)> = sqlx::query_as(
            "SELECT order_id FROM orders WHERE status = 'pending' AND created_at < ?1 LIMIT ?2",
        )
        .bind(unix_ms(created_before))
        .bind(EXPIRE_MAX)
        .fetch_all(&mut self.connection)
        .await?;
        if due.is_empty() {
            return Ok(0);
        }
        let order_ids: Vec<OrderId> = due.into_iter().filter_map(|(id,)| OrderId::try_new(id).ok()).collect();
        let ending = order_ids.iter().copied().collect();
        let wanted = Wanted { orders: order_ids.iter().copied().collect(), ending, ..Wanted::default() };
        let mut books = self.load(&wanted).await?;
        let expired = books.expire(&order_ids, now);
        let writes = books.into_writes();
        let counted = Counted::of(&writes);
        self.store(writes, &[], &RelayMarks::default()).await?;
        counted.record();
        self.signals.outbox_grew.notify_one();
        Ok(expired)
    }

    async fn probe(&mut self, now: Timestamp) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO write_probe (id, probed_at) VALUES (1, ?1)
             ON CONFLICT (id) DO UPDATE SET probed_at = excluded.probed_at",
        )
        .bind(unix_ms(now))
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    async fn prune(&mut self, sent_before: Timestamp) -> Result<u64, LedgerError> {
        // The oldest rows come first by id, so that neither an index on sent_at nor a walk of the table is needed.
        let done = sqlx::query(
            "DELETE FROM outbox WHERE id IN
               (SELECT id FROM (SELECT id, sent_at FROM outbox ORDER BY id LIMIT ?2) WHERE sent_at < ?1)",
        )
        .bind(unix_ms(sent_before))
        .bind(PRUNE_MAX)
        .execute(&mut self.connection)
        .await?;
        Ok(done.rows_affected())
    }
}

/// A rule of the schema was broken: only one job of the batch can be at fault. Everything else is the disk's.
fn is_about_one_row(error: &LedgerError) -> bool {
    matches!(error, LedgerError::Rule(_))
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    // Integers, strings and arrays of them: serialising cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, LedgerError> {
    serde_json::from_str(text).map_err(|error| LedgerError::Storage(format!("unreadable row: {error}")))
}

async fn next_prepare_id(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    Ok(last_given_prepare_id(connection).await?.saturating_add(1))
}
