//! Which backups of a folder are kept: the newest of each of the last days that have one, and the newest of each hour of
//! the last day's worth of hours. Days are counted in backups and not from now, so a clock that is wrong, or a pause of a
//! month, deletes nothing.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use time::{PrimitiveDateTime, macros::format_description};
use tolov_domain::time::Timestamp;
use tolov_kit::env::Env;

const KEEP_DAYS: usize = 14;
const KEEP_HOURS: usize = 24;

/// BACKUP_KEEP_DAYS
pub(super) fn keep_days(env: &Env) -> usize {
    let days = env.parsed("BACKUP_KEEP_DAYS").unwrap_or(KEEP_DAYS);
    if days == 0 {
        env.problem("BACKUP_KEEP_DAYS", "is 0: write how many days have a backup each, for example 14");
    }
    days
}

/// Deletes what is not kept. Files with names that are no backup's stay.
pub(super) fn prune(folder: &Path, keep_days: usize) -> Result<()> {
    let mut backups = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if let Some(made_at) = path.file_name().and_then(|name| name.to_str()).and_then(made_at) {
            backups.push((made_at, path));
        }
    }
    for path in surplus(backups, keep_days) {
        std::fs::remove_file(&path).with_context(|| format!("cannot delete {}", path.display()))?;
        tracing::info!(path = %path.display(), "deleted an old backup");
    }
    Ok(())
}

fn surplus(mut backups: Vec<(Timestamp, PathBuf)>, keep_days: usize) -> Vec<PathBuf> {
    backups.sort();
    let (mut days, mut hours) = (BTreeSet::new(), BTreeSet::new());
    let mut surplus = Vec::new();
    for (made_at, path) in backups.into_iter().rev() {
        let is_newest_of_its_day = days.len() < keep_days && days.insert(made_at.date());
        let is_newest_of_its_hour =
            hours.len() < KEEP_HOURS && hours.insert((made_at.date(), made_at.hour()));
        if !is_newest_of_its_day && !is_newest_of_its_hour {
            surplus.push(path);
        }
    }
    surplus
}

/// From `tolov-2026-11-28T033000Z.tar.gz`, and the names that earlier releases gave.
fn made_at(name: &str) -> Option<Timestamp> {
    let rest = name.strip_prefix("tolov-")?;
    let (time, ending) = rest.split_at_checked(17)?;
    let is_backup = [".tar", ".tar.gz", ".tar.gz.age"].iter().any(|known| ending.ends_with(known));
    let form = format_description!("[year]-[month]-[day]T[hour][minute][second]");
    let time = PrimitiveDateTime::parse(time, form).ok()?;
    is_backup.then(|| time.assume_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(names: &[String], keep_days: usize) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        prune(folder.path(), keep_days).unwrap();
        let mut left: Vec<String> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        left
    }

    #[test]
    fn many_backups_in_an_hour_do_not_push_out_those_of_other_days() {
        let mut names: Vec<String> =
            (1..=9).map(|day| format!("tolov-2026-11-0{day}T033000Z.tar.gz")).collect();
        let of_one_hour = (0..30).map(|minute| format!("tolov-2026-11-09T12{minute:02}00Z.tar.gz"));
        names.extend(of_one_hour);
        let left = kept(&names, 14);
        assert_eq!(left.len(), 10, "{left:?}");
        assert!(left.contains(&"tolov-2026-11-01T033000Z.tar.gz".to_owned()), "{left:?}");
        assert!(left.contains(&"tolov-2026-11-09T122900Z.tar.gz".to_owned()), "the newest: {left:?}");
    }

    #[test]
    fn the_newest_of_each_day_is_kept_for_as_many_days_as_are_wanted() {
        let names: Vec<String> = (10..=28)
            .flat_map(|day| (0..24).map(move |hour| format!("tolov-2026-11-{day}T{hour:02}0000Z.tar.gz.age")))
            .collect();
        let left = kept(&names, 7);
        // 24 hours, of which the last is also the newest of its day, and 6 days before.
        assert_eq!(left.len(), 24 + 6, "{left:?}");
        assert_eq!(left[0], "tolov-2026-11-22T230000Z.tar.gz.age");
    }

    #[test]
    fn a_month_without_a_backup_deletes_nothing() {
        let names: Vec<String> =
            ["2025-01-01T033000Z.tar", "2025-01-02T033000.123Z.tar", "2026-11-28T033000Z.tar.gz"]
                .map(|rest| format!("tolov-{rest}"))
                .into();
        assert_eq!(kept(&names, 14), names);
    }

    #[test]
    fn what_is_no_backup_is_never_deleted() {
        let names: Vec<String> =
            ["notes.txt", "tolov-2026-11-28T033000Z.txt", "tolov-before-the-upgrade.tar"]
                .map(str::to_owned)
                .into();
        assert_eq!(kept(&names, 1), names);
    }
}
