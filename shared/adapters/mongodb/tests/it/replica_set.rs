//! A replica set, where the driver opens sessions and retries writes by itself. The other tests run on a standalone.

use std::{path::PathBuf, process::Command};

use anyhow::Context;
use tempfile::TempDir;
use tolov_contract::{
    documents::{self, DocumentsWorld},
    notifications::{self, NotificationsWorld},
};

use crate::world::World;

/// A private server that calls itself the primary of a replica set.
pub(crate) struct Server {
    folder: TempDir,
    port: u16,
}

impl Server {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = tokio::net::TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let server = Self { folder, port };
        server.script("start", &[&port.to_string()])?;
        Ok(server)
    }

    /// With what it has, and from now on only for those who have an account.
    pub(crate) fn start_again_with_passwords(&self) -> anyhow::Result<()> {
        self.script("stop", &[])?;
        self.script("start", &[&self.port.to_string(), "--auth"])
    }

    pub(crate) fn url(&self) -> String {
        format!("mongodb://127.0.0.1:{}/", self.port)
    }

    /// The address for an account of a database, whose password is `pw`.
    pub(crate) fn url_of(&self, account: &str, database: &str) -> String {
        format!("mongodb://{account}:pw@127.0.0.1:{}/{database}?directConnection=true", self.port)
    }

    fn script(&self, command: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../scripts/private-mongodb");
        let status = Command::new(script).arg(command).arg(self.folder.path()).args(arguments).status()?;
        anyhow::ensure!(
            status.success(),
            "the private server did not {command}: run ./scripts/test, which installs SecantusDB and sets SECANTUS_VENV"
        );
        Ok(())
    }

    async fn fresh_world(&self) -> anyhow::Result<World> {
        World::at(&self.url()).await
    }

    async fn documents(
        &self,
        behaviour: impl AsyncFnOnce(&dyn DocumentsWorld) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let world = self.fresh_world().await?;
        behaviour(&world).await?;
        world.remove().await
    }

    async fn notifications(
        &self,
        behaviour: impl AsyncFnOnce(&dyn NotificationsWorld) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let world = self.fresh_world().await?;
        behaviour(&world).await?;
        world.remove().await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.script("kill", &[]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_keep_their_promises_on_a_replica_set() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let diagnosis = server.fresh_world().await?.shop().await.diagnose().await.context("diagnosis")?;
    assert!(diagnosis.is_replica_set, "{diagnosis:?}");
    server.documents(documents::no_increment_of_parallel_writers_that_retry_is_lost).await?;
    server.documents(documents::a_batch_creates_and_replaces_and_answers_in_the_order_given).await?;
    server.documents(documents::losers_of_a_batch_are_told_and_the_others_are_written).await?;
    server.documents(documents::a_batch_that_is_repeated_conflicts_and_changes_nothing).await?;
    server.documents(documents::of_overlapping_batches_each_document_has_one_winner).await?;
    server.documents(documents::a_batch_of_hundreds_is_written_whole).await?;
    server.documents(documents::a_number_is_greater_than_every_one_that_is_known_to_be_used).await?;
    server.notifications(notifications::one_of_many_parallel_claims_sends).await?;
    server.notifications(notifications::several_claims_are_answered_in_the_order_given).await?;
    server.notifications(notifications::a_released_claim_counts_no_attempt).await
}
