//! One relay at a time, over all processes: the one whose session holds an advisory lock sends, and the others stand by until
//! the server has ended that session.

use std::{convert::Infallible, time::Duration};

use sqlx::{
    Connection, Executor, FromRow, PgConnection,
    postgres::{PgListener, PgPoolOptions, PgRow},
    query::QueryAs,
};
use tokio::sync::Mutex;

use super::session::{OUTBOX_CHANNEL, Server, within_limit};

/// The advisory lock of this database that whoever relays holds.
const RELAY_LOCK: i64 = 0x746f_6c6f_7601;
const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Whoever only listens hears nothing of a server that has gone silent: after so much silence it is asked.
const SILENT_FOR: Duration = Duration::from_mins(1);

/// The session that may hold the lock. The window to send is read through it: what it reads, it reads while the lock is its.
#[derive(Debug)]
pub(crate) struct RelaySession {
    server: Server,
    session: Mutex<Option<Session>>,
}

#[derive(Debug)]
struct Session {
    connection: PgConnection,
    has_turn: bool,
}

impl RelaySession {
    pub(super) const fn new(server: Server) -> Self {
        Self { server, session: Mutex::const_new(None) }
    }

    /// The rows of this statement, while it is this process's turn; none otherwise.
    pub(crate) async fn read<R>(
        &self,
        statement: &'static str,
        parameters: [i64; 3],
    ) -> Result<Vec<R>, sqlx::Error>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let mut held = self.session.lock().await;
        let rows = self.read_through(&mut held, statement, parameters).await;
        if rows.is_err() {
            // Ends the session, and with it the turn.
            *held = None;
        }
        rows
    }

    async fn read_through<R>(
        &self,
        held: &mut Option<Session>,
        statement: &'static str,
        parameters: [i64; 3],
    ) -> Result<Vec<R>, sqlx::Error>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let Session { connection, has_turn } = match held {
            Some(session) => session,
            None => held.insert(Session { connection: self.server.connect().await?, has_turn: false }),
        };
        if !*has_turn {
            let try_lock = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(RELAY_LOCK);
            *has_turn = within_limit(try_lock.fetch_one(&mut *connection)).await?;
            if !*has_turn {
                return Ok(Vec::new());
            }
            tracing::info!("this process relays the events of the ledger");
        }
        let query = parameters.into_iter().fold(sqlx::query_as(statement), QueryAs::bind);
        within_limit(query.fetch_all(connection)).await
    }

    /// Another process takes the turn.
    pub(crate) async fn close(&self) {
        if let Some(Session { connection, .. }) = self.session.lock().await.take()
            && let Err(error) = within_limit(connection.close()).await
        {
            tracing::debug!(%error, "the relay's session did not close cleanly");
        }
    }
}

/// Calls `grew` when any process has added events, until it is dropped. A notification that is lost costs a moment: the relay
/// looks by itself, too.
pub(crate) async fn listen(server: Server, grew: impl Fn()) {
    loop {
        let error = match listen_once(&server, &grew).await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        tracing::debug!(%error, "not told of events that other processes write; tried again");
        tokio::time::sleep(LISTEN_AGAIN_AFTER).await;
    }
}

async fn listen_once(server: &Server, grew: &impl Fn()) -> Result<Infallible, sqlx::Error> {
    let begin = async {
        let pool = PgPoolOptions::new().max_connections(1).connect_with(server.options()).await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(OUTBOX_CHANNEL).await?;
        Ok::<_, sqlx::Error>(listener)
    };
    let mut listener = within_limit(begin).await?;
    loop {
        match tokio::time::timeout(SILENT_FOR, listener.recv()).await {
            Ok(notification) => {
                notification?;
                grew();
            }
            Err(_elapsed) => _ = within_limit(listener.execute("SELECT 1")).await?,
        }
    }
}
