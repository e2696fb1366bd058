//! Processes of the built program, each with its log in a file, killed at the end of the test.

use std::{
    collections::BTreeMap,
    fs::File,
    net::TcpListener,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

/// A free port below those of outgoing connections (from 32768 on), one of which could take the port of a service that
/// was killed.
pub(crate) fn free_port() -> u16 {
    free_port_from(14_000, 5_000)
}

fn free_port_from(first: u16, count: u16) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % u32::from(count)).unwrap();
    for _ in 0..count {
        let port = first + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % count;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port from {first} on");
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// The program with these variables only.
pub(crate) fn tolov(role: &str, folder: &Path, environment: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tolov"));
    command.arg(role).current_dir(folder).env_clear().envs(environment).stdin(Stdio::null());
    command
}

/// One role of the shop, which can be killed and restarted.
pub(crate) struct Role {
    name: &'static str,
    folder: PathBuf,
    environment: BTreeMap<String, String>,
    child: Option<Child>,
    pub(crate) kills: u32,
}

impl Role {
    pub(crate) fn start(name: &'static str, folder: &Path, environment: &BTreeMap<String, String>) -> Self {
        let (folder, environment) = (folder.to_owned(), environment.clone());
        let mut role = Self { name, folder, environment, child: None, kills: 0 };
        role.spawn();
        role
    }

    pub(crate) fn spawn(&mut self) {
        let log = File::options().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = tolov(self.name, &self.folder, &self.environment);
        if self.name == "sandbox" {
            // The tests plant secrets of their own.
            command.arg("--real-key");
        }
        self.child = Some(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
    }

    pub(crate) fn kill_9(&mut self) {
        let Some(child) = &mut self.child else { return };
        assert!(child.try_wait().unwrap().is_none(), "{} ended by itself: {}", self.name, self.log_tail());
        child.kill().unwrap();
        child.wait().unwrap();
        self.child = None;
        self.kills += 1;
    }

    /// Starts it again when a fault has killed it.
    pub(crate) fn spawn_after_death(&mut self) {
        let ended = self.child.take().unwrap().wait().unwrap();
        assert_eq!(ended.signal(), Some(9), "{}: {}", self.name, self.log_tail());
        self.kills += 1;
        self.spawn();
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Sends SIGTERM and waits for the exit.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "{} did not stop: {}", self.name, self.log_tail());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn log_path(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }

    pub(crate) fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A RabbitMQ of one test, which may be killed.
pub(crate) struct PrivateRabbitMq {
    folder: PathBuf,
    port: u16,
}

/// A server of MongoDB's protocol of one test.
pub(crate) struct PrivateMongo {
    folder: PathBuf,
    port: u16,
}

impl PrivateMongo {
    pub(crate) fn start(folder: &Path) -> Self {
        let server = Self { folder: folder.join("mongodb"), port: free_port() };
        server.spawn();
        server
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("mongodb://127.0.0.1:{}/{database}?directConnection=true", self.port)
    }

    /// Its data, which may be copied while it is stopped.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.join("wt")
    }

    pub(crate) fn spawn(&self) {
        self.script("start", &[&self.port.to_string(), "--standalone"]);
    }

    pub(crate) fn stop(&self) {
        self.script("stop", &[]);
    }

    pub(crate) fn kill_9(&self) {
        self.script("kill", &[]);
    }

    fn script(&self, command: &str, more: &[&str]) {
        let mut script = Command::new(repository().join("scripts/private-mongodb"));
        if std::env::var_os("SECANTUS_VENV").is_none() {
            script.env("SECANTUS_VENV", repository().join("target/secantus"));
        }
        let status = script.arg(command).arg(&self.folder).args(more).stdin(Stdio::null()).status().unwrap();
        assert!(status.success(), "scripts/private-mongodb {command} failed");
    }
}

impl Drop for PrivateMongo {
    fn drop(&mut self) {
        self.kill_9();
    }
}

/// A PostgreSQL of one test, with the accounts of docker-compose.yml.
pub(crate) struct PrivatePostgres {
    folder: PathBuf,
    port: u16,
}

impl PrivatePostgres {
    pub(crate) fn start(folder: &Path) -> Self {
        let server = Self { folder: folder.join("postgres"), port: free_port() };
        server.spawn();
        let port = server.port.to_string();
        let accounts = Command::new("sh")
            .arg(repository().join("deploy/postgres/accounts.sh"))
            .envs([("PGHOST", "127.0.0.1"), ("PGPORT", &port), ("PGPASSWORD", "tests")])
            .envs([("POSTGRES_WEBHOOK_PASSWORD", "pw-webhook"), ("POSTGRES_TOOLS_PASSWORD", "pw-tools")])
            .output()
            .unwrap();
        assert!(accounts.status.success(), "{}", String::from_utf8_lossy(&accounts.stderr));
        server
    }

    /// LEDGER_URL of an account.
    pub(crate) fn url(&self, account: &str) -> String {
        format!("postgres://{account}:pw-{account}@127.0.0.1:{}/tolov", self.port)
    }

    /// As the owner of the ledger. Returns what is answered.
    pub(crate) fn sql(&self, statement: &str) -> String {
        self.tool("psql", &["-qtAX", "-v", "ON_ERROR_STOP=1", "-c", statement])
    }

    /// One of PostgreSQL's programs, as the owner of the ledger: the address is the last argument.
    pub(crate) fn tool(&self, program: &str, arguments: &[&str]) -> String {
        let output = Command::new(program).args(arguments).arg(self.url("webhook")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn spawn(&self) {
        self.script("start", &[&self.port.to_string()]);
    }

    pub(crate) fn kill_9(&self) {
        self.script("kill", &[]);
    }

    /// It was killed, and only reads when it is back.
    pub(crate) fn becomes_a_standby(&self) {
        self.script("standby", &[]);
    }

    fn script(&self, command: &str, more: &[&str]) {
        let mut script = Command::new(repository().join("scripts/private-postgres"));
        let status = script.arg(command).arg(&self.folder).args(more).stdin(Stdio::null()).status().unwrap();
        assert!(status.success(), "scripts/private-postgres {command} failed");
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        self.script("kill", &[]);
        self.script("stop", &[]);
    }
}

impl PrivateRabbitMq {
    pub(crate) fn start(folder: &Path) -> Self {
        let broker = Self::new(folder);
        broker.spawn();
        broker
    }

    /// With accounts, exchanges and queues of its own.
    pub(crate) fn start_with(folder: &Path, definitions: &[u8]) -> Self {
        let broker = Self::new(folder);
        std::fs::create_dir_all(&broker.folder).unwrap();
        std::fs::write(broker.folder.join("definitions.json"), definitions).unwrap();
        broker.spawn();
        broker
    }

    /// Whoever holds a message for a second loses its channel.
    pub(crate) fn start_impatient(folder: &Path) -> Self {
        let broker = Self::new(folder);
        std::fs::create_dir_all(&broker.folder).unwrap();
        let limits = "-rabbit consumer_timeout 1000 -rabbit channel_tick_interval 200";
        std::fs::write(broker.folder.join("erl_args"), limits).unwrap();
        broker.spawn();
        broker
    }

    /// One more node for the cluster of this one.
    pub(crate) fn start_beside(&self, folder: &Path) -> Self {
        let node = Self::new(folder);
        std::fs::create_dir_all(&node.folder).unwrap();
        std::fs::write(node.folder.join("joins"), self.folder.to_str().unwrap()).unwrap();
        node.spawn();
        node
    }

    /// Whether every queue could lose this node and go on.
    pub(crate) fn can_be_missed(&self) -> bool {
        self.try_script(&["missed"], &[])
    }

    fn new(folder: &Path) -> Self {
        // The node's other two ports are 10000 and 10001 above, still below those of outgoing connections. With even ports
        // two nodes never share one.
        let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        let is_usable =
            |port: &u16| port.is_multiple_of(2) && is_free(port + 10_000) && is_free(port + 10_001);
        let port = (0..100).map(|_| free_port_from(20_000, 2_700)).find(is_usable);
        let port = port.unwrap();
        Self { folder: folder.join("rabbitmq"), port }
    }

    /// What is on its disk is gone. It must be stopped or killed before.
    pub(crate) fn lose_files(&self) {
        std::fs::remove_dir_all(self.folder.join("mnesia")).unwrap();
    }

    pub(crate) fn url(&self) -> String {
        self.url_with(&[])
    }

    /// Of all nodes of a cluster.
    pub(crate) fn url_with(&self, nodes: &[Self]) -> String {
        let ports = std::iter::once(self).chain(nodes).map(|node| node.port);
        let hosts: Vec<_> = ports.map(|port| format!("127.0.0.1:{port}")).collect();
        format!("amqp://guest:guest@{}/%2f", hosts.join(","))
    }

    pub(crate) fn spawn(&self) {
        self.script(&["start"], &[&self.port.to_string()]);
    }

    pub(crate) fn kill_9(&self) {
        self.script(&["kill"], &[]);
    }

    /// `rabbitmqctl` with these arguments.
    pub(crate) fn ctl(&self, arguments: &[&str]) {
        self.script(&["ctl"], arguments);
    }

    fn script(&self, before: &[&str], after: &[&str]) {
        assert!(self.try_script(before, after), "scripts/private-rabbitmq {before:?} failed");
    }

    fn try_script(&self, before: &[&str], after: &[&str]) -> bool {
        let script = repository().join("scripts/private-rabbitmq");
        let status = Command::new(script)
            .args(before)
            .arg(&self.folder)
            .args(after)
            .stdin(Stdio::null())
            .status()
            .unwrap();
        status.success()
    }
}

impl Drop for PrivateRabbitMq {
    fn drop(&mut self) {
        self.script(&["kill"], &[]);
        self.script(&["stop"], &[]);
    }
}
