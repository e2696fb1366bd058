//! What this process takes: CPU, memory, the times that it waits for a disk, and the statements that SQLite runs.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};

/// `_SC_CLK_TCK` of every Linux that Rust runs on.
const TICKS_PER_S: u64 = 100;

/// Of all threads so far, the load's own included.
pub(super) fn cpu_time() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name of the program, in brackets, may hold spaces.
    let after_name = stat.rsplit(')').next().context("/proc/self/stat without a name")?;
    let ticks = |field: usize| -> Result<u64> {
        Ok(after_name.split_whitespace().nth(field).context("/proc/self/stat ends early")?.parse()?)
    };
    let (user, system) = (ticks(11)?, ticks(12)?);
    Ok(Duration::from_millis((user + system) * 1000 / TICKS_PER_S))
}

/// The most memory that this process ever had, in MiB.
pub(super) fn memory_max_mib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024)
}

/// Counts this process's fsyncs with strace, which slows every one of them.
pub(super) struct Fsyncs(Child);

impl Fsyncs {
    /// `None`: there is no strace here.
    pub(super) async fn count_into(file: &Path) -> Result<Option<Self>> {
        let pid = std::process::id().to_string();
        let strace = Command::new("strace")
            .args(["-f", "-q", "-e", "trace=fsync,fdatasync", "-p", &pid, "-o"])
            .arg(file)
            .stderr(Stdio::null())
            .spawn();
        let Ok(strace) = strace else { return Ok(None) };
        // It attaches to one thread after the other and says nothing of it.
        tokio::time::sleep(Duration::from_secs(2)).await;
        Ok(Some(Self(strace)))
    }

    pub(super) async fn end(self, file: &Path) -> Result<usize> {
        interrupt(self.0).await?;
        let log = std::fs::read_to_string(file)?;
        Ok(log.lines().filter(|line| line.contains("sync(") && !line.contains("resumed")).count())
    }
}

/// Of SQLite: runs once at the end of every statement, BEGIN and COMMIT too, but not at that of a trigger.
const STATEMENT_ENDS: &str = "sqlite3VdbeHalt";
const PROBE: &str = "tolov_bench:statement";

/// Counts the statements that SQLite runs with a probe of the kernel's, which perf sets where it may.
pub(super) struct Statements(Child);

impl Statements {
    /// `None`: there is no perf here, or it may not.
    pub(super) async fn count_into(file: &Path) -> Result<Option<Self>> {
        remove_probe();
        let probe = Command::new("perf")
            .args(["probe", "--quiet", "--exec"])
            .arg(std::env::current_exe()?)
            .args(["--add", &format!("{PROBE}={STATEMENT_ENDS}")])
            .stderr(Stdio::null())
            .status();
        if !probe.is_ok_and(|status| status.success()) {
            return Ok(None);
        }
        let pid = std::process::id().to_string();
        let perf = Command::new("perf")
            .args(["record", "--quiet", "--event", PROBE, "--pid", &pid, "--output"])
            .arg(file)
            .stderr(Stdio::null())
            .spawn()?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(Some(Self(perf)))
    }

    /// By the file that they were run on, as its threads are named.
    pub(super) async fn end(self, file: &Path) -> Result<BTreeMap<String, usize>> {
        interrupt(self.0).await?;
        let script =
            Command::new("perf").args(["script", "--fields", "comm", "--input"]).arg(file).output()?;
        remove_probe();
        let mut counts = BTreeMap::new();
        for thread in String::from_utf8_lossy(&script.stdout).lines() {
            let name = thread.trim().split(['-', ' ']).next().unwrap_or_default();
            *counts.entry(name.to_owned()).or_default() += 1;
        }
        Ok(counts)
    }
}

fn remove_probe() {
    let removing =
        Command::new("perf").args(["probe", "--quiet", "--del", PROBE]).stderr(Stdio::null()).status();
    drop(removing);
}

/// Ends a child as Ctrl-C does, so that it writes what it has.
async fn interrupt(mut child: Child) -> Result<()> {
    let pid = child.id().to_string();
    Command::new("kill").args(["-INT", &pid]).status()?;
    tokio::task::spawn_blocking(move || child.wait()).await??;
    Ok(())
}
