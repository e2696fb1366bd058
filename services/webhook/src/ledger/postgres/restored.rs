//! A ledger in PostgreSQL that PostgreSQL's own tools have put back to an earlier time.

use sqlx::{Connection, Executor};
use tolov_domain::time::unix_ms;
use tolov_kit::secret::Secret;

use super::{
    open::{Opener, refuse_closed},
    session::{Server, within_limit},
};
use crate::ledger::{
    LedgerPlace,
    backup::BackupError,
    copy::{
        CopyError,
        postgres::{connect_alone, exchange},
    },
    restore::{CLICK_INT_MAX, Numbers, Restore, floors_since},
};

/// Closes the ledger to services until [`finish_postgres`], and raises its numbers above everything that may have been given out
/// since the time that it is of. May be repeated. Returns the new floor of merchant_prepare_id. Refused while a service runs, and
/// where the floor is larger than CLICK's `int`, unless it may be.
pub async fn ready_postgres(url: &Secret, restore: Restore) -> Result<i64, CopyError> {
    let mut connection = connect_alone(&LedgerPlace::Postgres(url.clone()), url).await?;
    refuse_closed(&mut connection, Opener::Restore).await?;
    // Counted, so that a service that has started meanwhile reads its numbers anew.
    let mut transaction = within_limit(connection.begin()).await?;
    let close =
        "UPDATE ledger_state SET commits = commits + 1, restoring_since = coalesce(restoring_since, $1)";
    within_limit(sqlx::query(close).bind(unix_ms(restore.at)).execute(&mut *transaction)).await?;
    let numbers = sqlx::query_as(
        "SELECT greatest((SELECT coalesce(max(prepare_id), 0) FROM attempts),
                         (SELECT coalesce(max(prepare_id_floor), 0) FROM restores)),
                greatest((SELECT coalesce(max(order_id), 0) FROM orders),
                         (SELECT coalesce(max(order_id_floor), 0) FROM restores)),
                (SELECT coalesce(max(many), 0) FROM
                   (SELECT count(*) AS many FROM attempts GROUP BY prepared_at / 3600000) AS hours),
                (SELECT coalesce(max(many), 0) FROM
                   (SELECT count(*) AS many FROM orders GROUP BY created_at / 3600000) AS hours)",
    );
    // It looks at every order.
    let (prepare_id, order_id, attempts, orders): (i64, i64, i64, i64) =
        exchange(numbers.fetch_one(&mut *transaction)).await?;
    let floors = floors_since(Numbers { prepare_id, order_id }, (attempts, orders), &restore);
    if floors.prepare_id > CLICK_INT_MAX && !restore.beyond_click_int {
        return Err(BackupError::NumbersUsedUp { floor: floors.prepare_id }.into());
    }
    let record = sqlx::query(
        "INSERT INTO restores (restored_at, backup_made_at, prepare_id_floor, order_id_floor) VALUES ($1, $2, $3, $4)",
    );
    let record = record
        .bind(unix_ms(restore.at))
        .bind(unix_ms(restore.backup_made_at))
        .bind(floors.prepare_id)
        .bind(floors.order_id);
    within_limit(record.execute(&mut *transaction)).await?;
    within_limit(transaction.commit()).await?;
    within_limit(connection.close()).await?;
    Ok(floors.prepare_id)
}

/// Opens the ledger to services: it knows what others know.
pub async fn finish_postgres(url: &Secret) -> Result<(), CopyError> {
    let mut connection = Server::of(url)?.connect().await?;
    let open = connection.execute("UPDATE ledger_state SET restoring_since = NULL");
    within_limit(open).await?;
    Ok(within_limit(connection.close()).await?)
}
