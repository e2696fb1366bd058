//! What is installed beside the program: units, containers, accounts. Read as text, and tried where that is possible here.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::Value;
use tolov_domain::{
    EventId,
    ports::bus::{
        BusAdmin, Consumer, OutgoingMessage, Published, Publisher, Queue, Route, RoutingKey, Verdict,
    },
};
use tolov_kit::http::Limits;
use tolov_rabbitmq::{RabbitBus, RabbitOptions};

use crate::processes::{PrivateRabbitMq, repository};

fn file(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The lines of each service of docker-compose.yml.
fn services() -> BTreeMap<String, String> {
    let compose = file("docker-compose.yml");
    let (_, services) = compose.split_once("\nservices:\n").unwrap();
    let mut blocks: BTreeMap<String, String> = BTreeMap::new();
    let mut name = None;
    for line in services.lines().take_while(|line| !line.starts_with("networks:")) {
        let is_name = line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':');
        if is_name && !line.trim_start().starts_with('#') {
            name = Some(line.trim().trim_end_matches(':').to_owned());
        } else if let Some(name) = &name {
            let block = blocks.entry(name.clone()).or_default();
            block.push_str(line);
            block.push('\n');
        }
    }
    assert!(blocks.len() > 10, "{:?}", blocks.keys());
    blocks
}

/// The one whose settings ours begin with.
const SERVICE: &str = "<<: *service";

#[test]
fn systemd_and_compose_start_a_service_again_for_ever_with_growing_pauses() {
    let unit = file("deploy/systemd/tolov.service");
    for line in ["StartLimitIntervalSec=0", "Restart=always", "RestartSteps=8", "RestartMaxDelaySec=60"] {
        assert!(unit.lines().any(|found| found == line), "{line} is missing in\n{unit}");
    }
    // Docker's own pauses grow to a minute.
    let shared = file("docker-compose.yml");
    assert!(shared.contains("x-service: &service") && shared.contains("\n  restart: unless-stopped\n"));
    for (name, block) in services() {
        let own = block.lines().find_map(|line| line.trim().strip_prefix("restart: "));
        let exits_by_itself = ["sandbox", "seed", "tools"].contains(&name.as_str());
        let is_restarted = own == Some("unless-stopped") || own.is_none() && block.contains(SERVICE);
        assert!(is_restarted || exits_by_itself, "{name}: {own:?}");
    }
}

/// A minute for PostgreSQL to start, and a quarter of an hour for the migrations, before it answers. Until it is healthy nothing
/// starts that depends on it, and when it is unhealthy nothing does at all.
#[test]
fn compose_waits_for_a_webhook_service_that_brings_its_ledger_up_to_date() {
    let webhook = &services()["webhook"];
    let period = webhook.lines().find_map(|line| line.trim().strip_prefix("start_period: ")).unwrap();
    let minutes: u32 = period.strip_suffix('m').unwrap().parse().unwrap();
    assert!(minutes > 16, "{webhook}");
}

/// A command that cannot enter what it is about to do does nothing.
#[test]
fn every_container_that_runs_operators_commands_reaches_their_journal_beside_the_ledger() {
    let services = services();
    for name in ["seed", "backup", "audit", "tools"] {
        let block = &services[name];
        assert!(block.lines().any(|line| line.trim() == "- ledger:/data"), "{name}:\n{block}");
    }
}

#[test]
fn operators_commands_in_a_container_name_the_person_who_runs_them() {
    let tools = &services()["tools"];
    assert!(tools.contains("USER: ${SUDO_USER:-${USER:-}}"), "{tools}");
}

/// `restore` registers orders again; without these their receipts would be missing.
#[test]
fn whoever_registers_orders_knows_what_their_receipts_say() {
    let services = services();
    let of_receipts = |name: &str| -> Vec<String> {
        let is_receipts = |line: &&str| line.starts_with("CLICK_RECEIPTS:") || line.starts_with("RECEIPT_");
        services[name].lines().map(str::trim).filter(is_receipts).map(str::to_owned).collect()
    };
    assert_eq!(of_receipts("bot").len(), 6);
    assert_eq!(of_receipts("tools"), of_receipts("bot"));
}

#[test]
fn each_container_holds_its_own_secrets_alone() {
    let holders = |value: &str| -> Vec<String> {
        let holds = |(name, block): (String, String)| block.contains(value).then_some(name);
        services().into_iter().filter_map(holds).collect()
    };
    for (value, wanted) in [
        ("${BOT_TOKEN:-", &["alertmanager", "bot"][..]),
        ("${CLICK_SECRET_KEY:-", &["reconciler", "webhook"]),
        ("${API_TOKEN:-", &["bot", "reconciler", "tools", "webhook"]),
        ("${RABBITMQ_ADMIN_PASSWORD:-", &["rabbitmq"]),
        ("${RABBITMQ_WEBHOOK_PASSWORD:-", &["rabbitmq", "webhook"]),
        ("${RABBITMQ_PROJECTOR_PASSWORD:-", &["projector", "rabbitmq"]),
        ("${RABBITMQ_BOT_PASSWORD:-", &["bot", "rabbitmq"]),
        ("${RABBITMQ_TOOLS_PASSWORD:-", &["audit", "rabbitmq", "tools"]),
        ("${LEDGER_URL:-", &["webhook"]),
        ("${LEDGER_TOOLS_URL:-", &["audit", "tools"]),
        ("${POSTGRES_PASSWORD:-", &["postgres"]),
        ("${POSTGRES_WEBHOOK_PASSWORD:-", &["postgres"]),
        ("${POSTGRES_TOOLS_PASSWORD:-", &["postgres"]),
        ("${MONGO_ROOT_PASSWORD:-", &["mongo"]),
        ("${MONGO_PROJECTOR_PASSWORD:-", &["mongo", "projector"]),
        ("${MONGO_BOT_PASSWORD:-", &["bot", "mongo"]),
        ("${MONGO_TOOLS_PASSWORD:-", &["audit", "mongo", "seed", "tools"]),
    ] {
        assert_eq!(holders(value), wanted, "{value}");
    }
    assert!(!services()["backup"].contains("PASSWORD") && !services()["backup"].contains("TOKEN"));
}

#[test]
fn every_container_is_hardened_and_every_image_has_an_exact_version() {
    for (name, block) in services() {
        let is_hardened =
            ["cap_drop:\n      - ALL", "no-new-privileges:true"].iter().all(|line| block.contains(line));
        assert!(is_hardened || block.contains(SERVICE), "{name} keeps capabilities");
        let is_read_only = block.contains("read_only: true") || block.contains(SERVICE);
        assert!(is_read_only || name == "grafana", "{name} can write to its root");
        if let Some(image) = block.lines().find_map(|line| line.trim().strip_prefix("image: ")) {
            assert!(is_exact(image), "{name}: {image}");
        }
    }
    for line in file("deploy/Dockerfile").lines().filter_map(|line| line.strip_prefix("FROM ")) {
        assert!(is_exact(line.split(' ').next().unwrap()), "{line}");
    }
}

#[test]
fn migrations_and_scripts_have_the_same_bytes_on_every_checkout() {
    let attributes = file(".gitattributes");
    for pattern in ["*.sql", "*.sh", "scripts/**", "deploy/**"] {
        assert!(attributes.lines().any(|line| line == format!("{pattern} text eol=lf")), "{pattern}");
    }
    for folder in ["migrations", "migrations/postgres"] {
        for migration in std::fs::read_dir(repository().join("services/webhook").join(folder)).unwrap() {
            let path = migration.unwrap().path();
            assert!(path.is_dir() || !std::fs::read(&path).unwrap().contains(&b'\r'), "{}", path.display());
        }
    }
}

/// Files outside of their crate that are compiled in, by their paths in the repository.
fn compiled_in() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in ["services", "shared"] {
        let sources = walk(&repository().join(folder));
        for source in sources.iter().filter(|path| path.extension().is_some_and(|end| end == "rs")) {
            let text = std::fs::read_to_string(source).unwrap();
            for named in
                ["include_str!(\"", "include_bytes!(\""].iter().flat_map(|call| text.split(call).skip(1))
            {
                let (path, _) = named.split_once('"').unwrap();
                let file = source.parent().unwrap().join(path).canonicalize();
                let file = file.unwrap_or_else(|error| panic!("{} names {path}: {error}", source.display()));
                let file = file.strip_prefix(repository().canonicalize().unwrap()).unwrap().to_owned();
                if !file.starts_with("services") && !file.starts_with("shared") {
                    found.insert(file.to_str().unwrap().to_owned());
                }
            }
        }
    }
    found
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn what_is_compiled_in_reaches_the_build_of_the_image() {
    let ignored = file(".dockerignore");
    let outside = compiled_in();
    assert!(outside.contains(".env.example"), "{outside:?}");
    for path in outside {
        let is_let_back_in = ignored.lines().any(|line| line == format!("!/{path}"));
        let top = path.split('/').next().unwrap();
        let may_be_ignored =
            ignored.lines().any(|line| line == format!("/{top}")) || path.starts_with(".env");
        assert!(is_let_back_in || !may_be_ignored, "{path} is compiled in and left out by .dockerignore");
    }
}

#[test]
fn cargo_can_read_the_empty_workspace_that_the_build_of_the_image_begins_with() {
    let folder = tempfile::tempdir().unwrap();
    let (all, made) = (folder.path().join("all"), folder.path().join("manifests"));
    let mut files = vec![repository().join("Cargo.toml"), repository().join("Cargo.lock")];
    files.extend(["services", "shared", "checks"].iter().flat_map(|folder| walk(&repository().join(folder))));
    let is_wanted = |path: &&PathBuf| {
        path.extension().is_some_and(|end| ["rs", "toml", "lock"].iter().any(|wanted| end == *wanted))
    };
    for path in files.iter().filter(is_wanted) {
        let copy = all.join(path.strip_prefix(repository()).unwrap());
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(path, copy).unwrap();
    }
    let dockerfile = file("deploy/Dockerfile");
    let script = dockerfile.split_once("\nRUN ").unwrap().1.split_once("\n\n").unwrap().0;
    let script = script.replace("\\\n", "").replace("/manifests", made.to_str().unwrap());
    assert!(Command::new("sh").args(["-c", &script]).current_dir(&all).status().unwrap().success());
    let mut cargo = Command::new(env!("CARGO"));
    let read = cargo.args(["metadata", "--no-deps", "--offline", "--format-version=1"]).current_dir(&made);
    let read = read.output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
}

#[test]
fn rabbitmq_starts_with_a_limit_of_open_files_that_it_can_walk_through() {
    let rabbitmq = &services()["rabbitmq"];
    assert!(rabbitmq.contains("nofile"), "{rabbitmq}");
    let mut limit = rabbitmq.split("nofile").nth(1).unwrap().split(|letter: char| !letter.is_ascii_digit());
    let limit: u32 = limit.find_map(|number| number.parse().ok()).unwrap();
    assert!(limit <= 1_048_576, "{limit}");
}

/// A version of three numbers, or a date. PostgreSQL's have two.
fn is_exact(image: &str) -> bool {
    let tag = image.split_once(':').map_or("", |(_, tag)| tag);
    let version = tag.trim_start_matches('v').split('-').next().unwrap_or_default();
    let numbers = if image.starts_with("postgres:") { 2 } else { 3 };
    version.split('.').filter(|part| part.parse::<u32>().is_ok()).count() == numbers
        || tag.split('-').any(|part| part.len() == 8 && part.parse::<u32>().is_ok())
}

#[test]
fn the_webhook_service_is_published_on_loopback_alone_unless_told_otherwise() {
    let webhook = &services()["webhook"];
    assert!(webhook.contains("${WEBHOOK_BIND:-127.0.0.1}:"), "{webhook}");
    let caddy = &services()["caddy"];
    let address = "${EDGE_NETWORK:-10.213.57}.2";
    assert!(webhook.contains(&format!("TRUSTED_PROXIES: {address}")), "{webhook}");
    assert!(caddy.contains(&format!("ipv4_address: {address}")) && !caddy.contains("- default"), "{caddy}");
    // Docker gives the lowest free address to whoever starts first, and Caddy starts last.
    let edge = file("docker-compose.yml").split_once("\n  edge:\n").unwrap().1.to_owned();
    assert!(edge.contains("ip_range: ${EDGE_NETWORK:-10.213.57}.8/29\n"), "{edge}");
}

/// One port cannot be published twice, and one file has one writer.
#[test]
fn several_webhook_services_of_compose_publish_no_port_and_need_a_ledger_in_postgresql() {
    let several = file("deploy/several-webhooks.yml");
    let lines: Vec<&str> = several.lines().map(str::trim).collect();
    for wanted in ["webhook:", "ports: !reset []", "replicas: 2"] {
        assert!(lines.contains(&wanted), "{wanted} is missing in\n{several}");
    }
    assert!(lines.iter().any(|line| line.starts_with("LEDGER_URL: ${LEDGER_URL:?")), "{several}");
}

/// All callers would have the proxy's address otherwise, and share the limits of one.
#[test]
fn settings_for_a_server_behind_a_proxy_name_the_proxy() {
    for path in ["deploy/debian/tolov.env", "deploy/install.sh"] {
        let text = file(path);
        assert!(text.contains("WEBHOOK_ADDR=127.0.0.1:8000"), "{path} is for a server behind a proxy");
        assert!(text.contains("TRUSTED_PROXIES=127.0.0.1,::1"), "{path}");
    }
}

/// A migration that fails, or a ledger that the new program cannot read, must not stop the running one.
#[test]
fn an_upgrade_tries_the_new_program_on_a_copy_before_it_is_the_current_one() {
    let script = file("deploy/install.sh");
    let upgrade = script.split_once("\nupgrade() {\n").unwrap().1.split_once("\n}\n").unwrap().0;
    let (before, after) = upgrade.split_once("    try_on_copy \"$release\"\n").expect("the copy is tried");
    assert!(before.contains("    back_up\n") && !before.contains("restart_and_wait"), "{before}");
    assert!(after.contains("point current \"$release\"\n  if restart_and_wait"), "{after}");
    let tried = script.split_once("\ntry_on_copy() {").unwrap().1.split_once("\n}\n").unwrap().0;
    assert!(tried.contains("fail "), "what fails on the copy ends the upgrade: {tried}");
}

/// Caddy forgets what a proxy says that it does not know, and the services behind it do too.
#[test]
fn a_proxy_before_caddy_is_believed_by_caddy_and_by_the_services() {
    let caddyfile = file("deploy/Caddyfile");
    assert!(caddyfile.contains("trusted_proxies static {$CADDY_TRUSTED_PROXIES:"), "{caddyfile}");
    let services = services();
    let given = "CADDY_TRUSTED_PROXIES: ${CADDY_TRUSTED_PROXIES:-";
    assert!(services["caddy"].contains(given), "{}", services["caddy"]);
    for name in ["webhook", "bot"] {
        let block = &services[name];
        assert!(block.contains("}.2 ${CADDY_TRUSTED_PROXIES:-}\n"), "{name}:\n{block}");
    }
}

/// What follows a directive of the Caddyfile, as a number of this unit.
fn directive(caddyfile: &str, name: &str, unit: &str) -> u64 {
    let mut lines = caddyfile.lines().map(str::trim);
    let value = lines.find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(unit)?.parse().ok());
    value.unwrap_or_else(|| panic!("{name} is no number of {unit} in\n{caddyfile}"))
}

#[test]
fn caddy_takes_the_address_with_a_slash_too_and_cuts_no_callback_off_before_its_answer() {
    let caddyfile = file("deploy/Caddyfile");
    assert!(caddyfile.contains("path_regexp ^/payments/click/webhook/?$"), "{caddyfile}");
    let limits = Limits::default();
    let seconds = |name| Duration::from_secs(directive(&caddyfile, name, "s"));
    // Whoever forgets an idle connection first must be the one that sends: a call could meet its end otherwise.
    assert!(seconds("keepalive ") < limits.idle_timeout);
    assert!(seconds("response_header_timeout ") > limits.request_timeout + limits.write_timeout);
    // By default Caddy limits neither reading nor writing.
    let longest_answer = seconds("lb_try_duration ") + seconds("response_header_timeout ");
    assert!(seconds("write ") > longest_answer + seconds("read_body "), "{caddyfile}");
    assert!(
        seconds("read_header ") >= Duration::from_secs(10) && caddyfile.contains("idle 2m"),
        "{caddyfile}"
    );
    // A larger body than a callback is refused by the service, with CLICK's own code.
    let kilobytes = usize::try_from(directive(&caddyfile, "max_size ", "KB")).unwrap();
    assert!(kilobytes * 1000 > limits.body_max_bytes);
    assert_eq!(directive(&caddyfile, "request_buffers ", "KB"), directive(&caddyfile, "max_size ", "KB"));
    // A call waits for a service that restarts, and is then answered: longer than systemd's and Docker's first pauses.
    assert!(seconds("lb_try_duration ") > limits.stop_timeout + Duration::from_secs(10));
}

#[test]
fn a_real_shop_does_not_start_its_broker_or_its_store_with_local_defaults() {
    let start = |script: &str, production: &str| {
        let mut command = Command::new("sh");
        command.arg(repository().join(script)).arg("--print").env("PRODUCTION", production);
        for account in ["ADMIN", "WEBHOOK", "PROJECTOR", "BOT", "TOOLS"] {
            command.env(format!("RABBITMQ_{account}_PASSWORD"), "sandbox-only-password");
        }
        for name in ["MONGO_INITDB_ROOT", "MONGO_PROJECTOR", "MONGO_BOT", "MONGO_TOOLS"] {
            command.env(format!("{name}_PASSWORD"), "sandbox-only-password");
        }
        for name in ["POSTGRES", "POSTGRES_WEBHOOK", "POSTGRES_TOOLS"] {
            command.env(format!("{name}_PASSWORD"), "sandbox-only-password");
        }
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for script in ["deploy/rabbitmq/start.sh", "deploy/mongodb/start.sh", "deploy/postgres/start.sh"] {
        for production in ["true", "1", "yes"] {
            let (code, told) = start(script, production);
            assert!(code == Some(1) && told.contains("is a local default"), "{script}: {told}");
            assert!(!told.contains("sandbox-only"), "{told}");
        }
    }
    assert_eq!(start("deploy/rabbitmq/start.sh", "false").0, Some(0));
}

/// The broker of docker-compose.yml, as far as this machine has one.
struct Broker {
    server: PrivateRabbitMq,
    _folder: tempfile::TempDir,
}

impl Broker {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut print = Command::new("sh");
        print.arg(repository().join("deploy/rabbitmq/start.sh")).arg("--print");
        for account in ["ADMIN", "WEBHOOK", "PROJECTOR", "BOT", "TOOLS"] {
            print.env(format!("RABBITMQ_{account}_PASSWORD"), format!("pw-{}", account.to_lowercase()));
        }
        let definitions = print.output().unwrap();
        assert!(definitions.status.success(), "{}", String::from_utf8_lossy(&definitions.stderr));
        let server = PrivateRabbitMq::start_with(folder.path(), &definitions.stdout);
        Self { server, _folder: folder }
    }

    fn of(&self, account: &str) -> RabbitBus {
        let address = self.server.url().replace("guest:guest", &format!("{account}:pw-{account}"));
        let options = RabbitOptions { request_timeout: Duration::from_secs(10), ..RabbitOptions::default() };
        RabbitBus::try_new(&address, options).unwrap()
    }
}

fn message(route: Route, number: u32) -> OutgoingMessage {
    OutgoingMessage {
        id: EventId::new(format!("payment.completed:{number}")),
        route,
        schema: "payment.completed/1".to_owned(),
        body: b"{}".to_vec(),
        traceparent: None,
    }
}

fn payment(number: u32) -> OutgoingMessage {
    message(Route::Payments(RoutingKey::try_new("payment.completed").unwrap()), number)
}

fn notification(number: u32) -> OutgoingMessage {
    message(Route::Notifications, number)
}

async fn is_published(bus: &RabbitBus, message: OutgoingMessage) -> bool {
    let outcome = bus.publisher().publish(&[message]).await;
    matches!(outcome.as_deref(), Ok([Published::Confirmed]))
}

/// Takes a message off a queue. `None`: the account may not.
async fn take(bus: &RabbitBus, queue: Queue) -> Option<String> {
    let consumer = bus.consumer(queue);
    let received = tokio::time::timeout(Duration::from_secs(5), consumer.receive(1)).await.ok()?.ok()?;
    let delivery = received.into_iter().next()?;
    let id = delivery.id.to_string();
    consumer.settle(vec![(delivery, Verdict::Done)]).await.ok()?;
    Some(id)
}

fn later() -> Verdict {
    Verdict::Later { after: Duration::from_secs(1) }
}

fn park() -> Verdict {
    Verdict::Park { reason: "nobody can read it".to_owned() }
}

/// Whether as many messages as there are verdicts were moved.
async fn moves(bus: &RabbitBus, queue: Queue, verdicts: &[Verdict]) -> bool {
    let consumer = bus.consumer(queue);
    let mut received = Vec::new();
    while received.len() < verdicts.len() {
        received.extend(consumer.receive(10).await.unwrap());
    }
    consumer.settle(received.into_iter().zip(verdicts.iter().cloned()).collect()).await.unwrap()
        == verdicts.len()
}

#[test]
fn no_service_may_publish_through_the_default_exchange_which_reaches_every_queue() {
    let definitions: Value = serde_json::from_str(&file("deploy/rabbitmq/definitions.json")).unwrap();
    let rights = definitions["permissions"].as_array().unwrap();
    for account in ["webhook", "projector", "bot"] {
        let right = rights.iter().find(|right| right["user"] == account).unwrap();
        assert!(!right["write"].as_str().unwrap().contains("default"), "{account}: {right}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_account_at_the_broker_can_do_its_own_work_and_nothing_else() {
    let broker = Broker::start();
    let [webhook, projector, bot, tools] =
        ["webhook", "projector", "bot", "tools"].map(|account| broker.of(account));

    assert!(is_published(&webhook, payment(1)).await, "the relay publishes events");
    assert!(!is_published(&webhook, notification(1)).await);
    assert_eq!(take(&webhook, Queue::ProjectorPayments).await, None);

    assert_eq!(take(&bot, Queue::ProjectorPayments).await, None);
    assert!(!is_published(&bot, payment(2)).await, "the bot can make no payment");
    assert!(!is_published(&bot, notification(2)).await);

    assert_eq!(take(&projector, Queue::ProjectorPayments).await.as_deref(), Some("payment.completed:1"));
    assert!(!is_published(&projector, payment(3)).await);
    assert!(is_published(&projector, notification(3)).await, "the projector asks for notifications");
    assert_eq!(take(&projector, Queue::BotNotifications).await, None);

    assert_eq!(take(&bot, Queue::BotNotifications).await.as_deref(), Some("payment.completed:3"));

    // What cannot be handled just now, and what never can, goes its way with the rights of its reader.
    assert!(
        is_published(&projector, notification(4)).await && is_published(&projector, notification(5)).await
    );
    assert!(moves(&bot, Queue::BotNotifications, &[later(), park()]).await, "the bot moves its messages");
    let depth = tools.admin().depth(Queue::BotNotifications).await.unwrap();
    assert_eq!((depth.ready + depth.retrying, depth.parked), (1, 1));
    // Owners see in the bot what was parked of an order, of the bot's own queue.
    let ids = async |bus: &RabbitBus, queue| {
        let mut ids = Vec::new();
        bus.admin().each_parked(queue, &mut |message| ids.push(message.id.to_string())).await.map(|()| ids)
    };
    assert_eq!(ids(&bot, Queue::BotNotifications).await, Ok(vec!["payment.completed:5".to_owned()]));
    assert!(ids(&bot, Queue::ProjectorPayments).await.is_err());
    for id in ["payment.completed:4", "payment.completed:5"] {
        tools.admin().drop_parked(Queue::BotNotifications, &EventId::new(id)).await.unwrap();
    }
    assert_eq!(take(&bot, Queue::BotNotifications).await.as_deref(), Some("payment.completed:4"));

    // Whoever works by hand declares everything, and so compares the definitions with what the program wants.
    tools.declare().await.unwrap();
    for bus in [&webhook, &projector, &bot, &tools] {
        for queue in Queue::ALL {
            let depth = bus.admin().depth(queue).await.unwrap();
            assert_eq!((depth.ready, depth.retrying, depth.parked), (0, 0, 0), "{queue:?}");
        }
    }
}
