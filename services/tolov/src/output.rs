//! Standard output, where commands answer. Whoever reads it may stop at any moment, as `head` does: what is printed from then on is
//! dropped, the work that was begun goes on to its end, and the exit code is the one of a program that SIGPIPE ended.

use std::{
    fmt,
    io::{self, ErrorKind, Write as _, stdout},
    sync::OnceLock,
};

/// 128 and the number of SIGPIPE, as shells report it.
const EXIT_CLOSED: u8 = 141;

/// Why nothing more is written.
static FAILURE: OnceLock<ErrorKind> = OnceLock::new();

/// Instead of the standard library's, which panics when nobody reads.
macro_rules! print {
    ($($arguments:tt)*) => { $crate::output::write(format_args!($($arguments)*)) };
}

/// As [`print`].
macro_rules! println {
    () => { $crate::output::write(format_args!("\n")) };
    ($($arguments:tt)*) => { $crate::output::write(format_args!("{}\n", format_args!($($arguments)*))) };
}

pub(crate) fn write(text: fmt::Arguments<'_>) {
    attempt(|out| out.write_fmt(text));
}

pub(crate) fn write_bytes(bytes: &[u8]) {
    attempt(|out| out.write_all(bytes));
}

fn attempt(write: impl FnOnce(&mut io::StdoutLock<'static>) -> io::Result<()>) {
    if FAILURE.get().is_some() {
        return;
    }
    let mut out = stdout().lock();
    // At once: a question waits for its answer, and a failure is known while there is somebody to tell.
    if let Err(error) = write(&mut out).and_then(|()| out.flush()) {
        FAILURE.get_or_init(|| error.kind());
    }
}

/// To be called between a question and its answer: what nobody can read, nobody answers.
pub(crate) fn check() -> io::Result<()> {
    FAILURE.get().map_or(Ok(()), |failure| Err((*failure).into()))
}

/// What a command that went well ends with instead: nobody has read all of its answer.
pub(crate) fn failed() -> Option<u8> {
    let failure = *FAILURE.get()?;
    if failure == ErrorKind::BrokenPipe {
        return Some(EXIT_CLOSED);
    }
    write_error(format_args!("standard output cannot be written: {failure}"));
    Some(1)
}

/// Says why the process fails, on standard error, which nobody may read either.
pub(crate) fn write_error(reason: fmt::Arguments<'_>) {
    writeln!(io::stderr(), "tolov: {reason}").ok();
}
