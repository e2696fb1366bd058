//! Known reasons for which MongoDB and RabbitMQ do not start in containers of this machine. They are looked for only where
//! one of them is away: it may be on another machine.

use super::report::Finding;

/// A container that inherits a limit beyond this makes RabbitMQ prepare for as many files.
const OPEN_FILES_MAX: u64 = 10_000_000;

/// MongoDB 5 and newer ends with exit code 132 on a CPU without AVX, or in a virtual machine that hides it.
pub(super) fn check_avx() -> Option<Finding> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    lacks_avx(&cpu).then(|| Finding::doubtful("cpu-no-avx"))
}

fn lacks_avx(cpu: &str) -> bool {
    let flags = cpu.lines().find(|line| line.starts_with("flags"));
    flags.is_some_and(|flags| !flags.split_whitespace().any(|flag| flag == "avx"))
}

pub(super) fn check_open_files() -> Option<Finding> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let limit = open_files(&limits)?;
    (limit > OPEN_FILES_MAX).then(|| Finding::doubtful("open-files-unlimited").with("limit", limit))
}

/// The hard limit; `unlimited` counts as the largest number.
fn open_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let hard = line.split_whitespace().nth(1)?;
    Some(hard.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cpu_without_avx_is_found() {
        assert!(lacks_avx("processor: 0\nflags\t\t: fpu sse4_2 avx512_fake\n"));
        assert!(!lacks_avx("processor: 0\nflags\t\t: fpu sse4_2 avx avx2\n"));
        assert!(!lacks_avx("processor: 0\nFeatures: fp asimd\n"), "another architecture says it otherwise");
    }

    #[test]
    fn the_hard_limit_of_open_files_is_read() {
        let line = "Max open files            1024                 1073741816           files\n";
        assert_eq!(open_files(line), Some(1_073_741_816));
        assert_eq!(open_files("Max open files  unlimited  unlimited  files"), Some(u64::MAX));
        assert_eq!(open_files("Max processes 1 1 processes"), None);
    }
}
