//! The accounts of deploy/mongodb/users.js, with passwords asked for.

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use anyhow::Context;
use mongodb::{
    Client,
    bson::{Document, doc},
};
use tempfile::TempDir;
use tolov_contract::{documents, notifications};
use tolov_mongodb::MongoOptions;

use crate::world::{World, shop_at};

/// A private server that will ask for passwords.
struct Server {
    folder: TempDir,
    port: u16,
}

impl Server {
    async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = tokio::net::TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let server = Self { folder, port };
        server.script("start", &[&port.to_string()])?;
        Ok(server)
    }

    /// With what it has, and from now on only for those who have an account.
    fn start_again_with_passwords(&self) -> anyhow::Result<()> {
        self.script("stop", &[])?;
        self.script("start", &[&self.port.to_string(), "--auth"])
    }

    fn url(&self) -> String {
        format!("mongodb://127.0.0.1:{}/", self.port)
    }

    /// The address for an account of a database, whose password is `pw`.
    fn url_of(&self, account: &str, database: &str) -> String {
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
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.script("kill", &[]));
    }
}

/// What each account may do, as users.js says it: a line for each.
fn actions() -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../deploy/mongodb/users.js");
    let script = std::fs::read_to_string(path)?;
    let (_, table) = script.split_once("const actions = {\n").context("users.js has no table")?;
    let (table, _) = table.split_once("};").context("the table of users.js has no end")?;
    let line = |line: &str| {
        let (name, list) =
            line.trim().trim_end_matches(',').split_once(": ").context("a line of the table")?;
        Ok((name.to_owned(), serde_json::from_str(list)?))
    };
    table.lines().map(line).collect()
}

/// Starts a server, makes the accounts, and starts it again so that it asks for their passwords.
async fn guarded_server(actions: &BTreeMap<String, Vec<String>>) -> anyhow::Result<Server> {
    let server = Server::start().await?;
    let open = Client::with_uri_str(server.url()).await?;
    let root = doc! { "createUser": "root", "pwd": "pw", "roles": [{ "role": "root", "db": "admin" }] };
    open.database("admin").run_command(root).await?;
    let shop = open.database("tolov");
    for (name, actions) in actions {
        let privilege = doc! { "resource": { "db": "tolov", "collection": "" }, "actions": actions };
        shop.run_command(doc! { "createRole": name, "privileges": [privilege], "roles": [] }).await?;
        let role = doc! { "role": name, "db": "tolov" };
        shop.run_command(doc! { "createUser": name, "pwd": "pw", "roles": [role] }).await?;
    }
    server.start_again_with_passwords()?;
    Ok(server)
}

/// Every kind of command that the adapter sends.
async fn use_everything(world: &World, name: &str) -> anyhow::Result<()> {
    let diagnosis = world.shop().await.diagnose().await.context("diagnosis")?;
    assert!(diagnosis.missing_indexes.is_empty(), "{name}: {diagnosis:?}");
    documents::a_batch_creates_and_replaces_and_answers_in_the_order_given(world).await?;
    documents::a_write_that_saw_another_version_conflicts_and_changes_nothing(world).await?;
    documents::pages_continue_in_both_directions_without_gaps_or_repetitions(world).await?;
    documents::a_count_ignores_skip_and_limit(world).await?;
    documents::a_number_is_greater_than_every_one_that_is_known_to_be_used(world).await?;
    notifications::a_released_claim_counts_no_attempt(world).await?;
    notifications::the_first_outcome_stays(world).await
}

/// What no program does.
async fn is_refused(url: &str, command: Document) -> anyhow::Result<bool> {
    let client = Client::with_uri_str(url).await?;
    let target = if command.contains_key("insert") { "another" } else { "tolov" };
    let answer = client.database(target).run_command(command).await;
    Ok(answer.is_err_and(|error| error.to_string().contains("not authorized")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_account_can_do_the_work_of_its_service_and_nothing_else() -> anyhow::Result<()> {
    let actions = actions()?;
    assert_eq!(actions.keys().collect::<Vec<_>>(), ["bot", "projector", "tools"]);
    let server = guarded_server(&actions).await?;
    let root = Client::with_uri_str(server.url_of("root", "admin")).await?;
    for name in actions.keys() {
        let url = server.url_of(name, "tolov");
        // A notification is an entry for ever, and so is an order: each account begins with an empty database.
        let world = World { url: url.clone(), database: root.database("tolov") };
        use_everything(&world, name).await.with_context(|| format!("as {name}"))?;
        let removed = documents::a_removal_needs_the_current_version(&world).await;
        assert_eq!(
            removed.is_ok(),
            name != "projector",
            "{name}: the projector removes nothing: {removed:?}"
        );
        for command in [
            doc! { "drop": "users" },
            doc! { "dropDatabase": 1 },
            doc! { "dropIndexes": "users", "index": "*" },
            doc! { "createUser": "another", "pwd": "pw", "roles": [] },
            doc! { "insert": "users", "documents": [{ "_id": 1 }] },
        ] {
            assert!(is_refused(&url, command.clone()).await?, "{name}: {command}");
        }
        for collection in root.database("tolov").list_collection_names().await? {
            root.database("tolov").collection::<Document>(&collection).drop().await?;
        }
    }
    let stranger = server.url_of("bot", "tolov").replace("pw@", "guess@");
    let error = shop_at(&stranger, MongoOptions::default()).await.diagnose().await.unwrap_err();
    assert!(!error.to_string().contains("guess"), "{error}");
    Ok(())
}
