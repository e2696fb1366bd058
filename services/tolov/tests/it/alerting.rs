//! An alert from its rule to Telegram: Prometheus and Alertmanager with the files of deploy/, and the sandbox's Bot API.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use crate::processes::{Role, free_port, repository};

const TOKEN: &str = "1000000001:sandbox-only-bot-token";
const STAFF_CHANNEL: &str = "-1001000000001";
/// Scraping, the pause in which Alertmanager collects alerts of one kind, and a slow machine.
const ARRIVAL_TIMEOUT_MS: u32 = 60_000;

fn configuration(variables: &[(&str, &str)]) -> Output {
    let mut script = Command::new("sh");
    script.arg(repository().join("deploy/alertmanager/start.sh")).arg("--print");
    let named =
        ["BOT_TOKEN", "ALERT_CHATS", "ADMIN_IDS", "DB_CHANNEL", "BOT_API_URL", "SANDBOX_URL", "PRODUCTION"];
    for name in named {
        script.env_remove(name);
    }
    script.envs(variables.iter().copied()).output().unwrap()
}

/// Each rule says what its test in alerts.test.yml expects.
#[test]
fn the_rules_of_alerts_hold_what_their_tests_say() {
    for arguments in [
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts.test.yml"],
        ["check", "config", "prometheus.yml"],
    ] {
        let mut promtool = Command::new("promtool");
        let told = promtool.args(arguments).current_dir(repository().join("deploy/prometheus")).output();
        let told = told.unwrap_or_else(|error| panic!("promtool (Debian's package prometheus): {error}"));
        assert!(told.status.success(), "{arguments:?}: {told:?}");
    }
}

/// A server of this test, killed at its end.
struct Server(Child);

impl Server {
    fn start(program: &str, folder: &Path, arguments: &[String]) -> Self {
        let log = File::create(folder.join(format!("{program}.log"))).unwrap();
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).stdin(Stdio::null());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn();
        Self(child.unwrap_or_else(|error| panic!("{program} (Debian's package of this name): {error}")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The body of an answer to GET, whatever its code.
fn get(address: &str, path: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

/// Answers every request with a parked payment event, until the test ends.
fn metrics_of_a_parked_payment() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { continue };
            let _ = connection.read(&mut [0; 4096]);
            let body = "tolov_dlq_depth{queue=\"projector.payments\"} 1\n";
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close";
            let _ = write!(connection, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    address
}

/// prometheus.yml with other addresses and a second in the place of a quarter of a minute.
fn prometheus_configuration(alertmanager: &str, metrics: &str) -> String {
    let deploy = repository().join("deploy/prometheus");
    let text = std::fs::read_to_string(deploy.join("prometheus.yml")).unwrap();
    let (text, _) = text.split_once("scrape_configs:").unwrap();
    let rules = deploy.join("alerts.yml");
    assert!(text.contains("alertmanager:9093") && text.contains("- alerts.yml"), "{text}");
    let text = text
        .replace("alertmanager:9093", alertmanager)
        .replace("- alerts.yml", &format!("- {}", rules.display()))
        .replace("15s", "1s");
    format!(
        "{text}scrape_configs:\n  - job_name: tolov\n    static_configs:\n      - targets: [\"{metrics}\"]\n"
    )
}

#[test]
fn an_alert_goes_from_its_rule_to_the_chat_in_telegram() {
    let folder = tempfile::tempdir().unwrap();
    let address = || format!("127.0.0.1:{}", free_port());
    let (sandbox, alertmanager, prometheus) = (address(), address(), address());
    let environment = BTreeMap::from(
        [
            ("SANDBOX_ADDR", sandbox.as_str()),
            ("METRICS_ADDR", "127.0.0.1:0"),
            ("WEBHOOK_URL", "http://127.0.0.1:1/"),
            ("CLICK_SERVICE_ID", "12345"),
            ("CLICK_MERCHANT_ID", "6789"),
            ("CLICK_SECRET_KEY", "sandbox-only-click-key"),
            ("DB_CHANNEL", STAFF_CHANNEL),
            ("BOT_TOKEN", TOKEN),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let role = Role::start("sandbox", folder.path(), &environment);
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(&sandbox).is_err() {
        assert!(Instant::now() < deadline, "{}", role.log_tail());
        std::thread::sleep(Duration::from_millis(20));
    }

    let sandbox_url = format!("http://{sandbox}");
    let printed =
        configuration(&[("BOT_TOKEN", TOKEN), ("DB_CHANNEL", STAFF_CHANNEL), ("SANDBOX_URL", &sandbox_url)]);
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let deploy = repository().join("deploy/alertmanager");
    let text = String::from_utf8(printed.stdout).unwrap().replace("/etc/tolov", deploy.to_str().unwrap());
    std::fs::write(folder.path().join("alertmanager.yml"), text).unwrap();
    let text = prometheus_configuration(&alertmanager, &metrics_of_a_parked_payment());
    std::fs::write(folder.path().join("prometheus.yml"), text).unwrap();
    let _alertmanager = Server::start(
        "prometheus-alertmanager",
        folder.path(),
        &[
            "--config.file=alertmanager.yml".to_owned(),
            "--storage.path=alertmanager".to_owned(),
            "--cluster.listen-address=".to_owned(),
            format!("--web.listen-address={alertmanager}"),
        ],
    );
    let _prometheus = Server::start(
        "prometheus",
        folder.path(),
        &[
            "--config.file=prometheus.yml".to_owned(),
            "--storage.tsdb.path=prometheus".to_owned(),
            format!("--web.listen-address={prometheus}"),
        ],
    );

    let path = format!(
        "/sandbox/telegram/chats/{STAFF_CHANNEL}/wait?contains=TolovPaymentParked&timeout_ms={ARRIVAL_TIMEOUT_MS}"
    );
    let message = get(&sandbox, &path);
    let logs = ["prometheus", "prometheus-alertmanager"]
        .map(|name| std::fs::read_to_string(folder.path().join(format!("{name}.log"))).unwrap());
    assert!(message.contains("🔴 1 payment events were given up"), "{message}\n{}", logs.join("\n"));
    assert!(message.contains("parked list"), "what to do is missing in {message}");
}

#[test]
fn alerts_go_to_the_chats_named_for_them_else_to_the_owners_else_to_the_staff_channel() {
    let chats = |variables: &[(&str, &str)]| -> Vec<String> {
        let output = configuration(&[&[("BOT_TOKEN", "1:AAE-real_token")], variables].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.lines().filter(|line| line.contains("chat_id")).all(|line| {
            line.contains("\"1:AAE-real_token\"") && line.contains("\"https://api.telegram.org\"")
        }));
        let chats = text.split("chat_id: ").skip(1);
        chats.map(|rest| rest.split(',').next().unwrap().to_owned()).collect()
    };
    let all = [("ALERT_CHATS", "-100777"), ("ADMIN_IDS", "11, 12"), ("DB_CHANNEL", "-1001")];
    assert_eq!(chats(&all), ["-100777"]);
    assert_eq!(chats(&all[1..]), ["11", "12"]);
    assert_eq!(chats(&all[2..]), ["-1001"]);
    for wrong in [
        &[("BOT_TOKEN", "1:AAE-real_token")][..],
        &[("DB_CHANNEL", "-1001")],
        &[("BOT_TOKEN", "1:a\"b"), ("DB_CHANNEL", "-1001")],
        &[("BOT_TOKEN", "1:AAE-real_token"), ("DB_CHANNEL", "@channel")],
        &[("BOT_TOKEN", TOKEN), ("DB_CHANNEL", "-1001"), ("PRODUCTION", "true")],
    ] {
        let output = configuration(wrong);
        assert_eq!(output.status.code(), Some(1), "{wrong:?}");
        assert!(String::from_utf8(output.stderr).unwrap().starts_with("alertmanager: "));
    }
    // Alertmanager takes no name of a channel.
    let named = configuration(&[("BOT_TOKEN", "1:AAE-real_token"), ("DB_CHANNEL", "@channel")]);
    let told = String::from_utf8(named.stderr).unwrap();
    assert!(told.contains("not to @channel: set ALERT_CHATS or ADMIN_IDS"), "{told}");
}
