//! Bodies of requests to the HTTP API.

use bytes::Bytes;
use warp::{Filter, Rejection};

/// What no text of a body has: PostgreSQL cannot keep it, and SQLite's own tools show nothing behind it.
const NUL: &[u8] = b"\\u0000";
/// The letter that stands for what cannot be shown.
const REPLACEMENT: &[u8] = b"\\ufffd";

/// A body of JSON, in which U+FFFD stands for each NUL. What is checked, decided and kept is then the same on each engine.
pub(super) fn json() -> impl Filter<Extract = (Bytes,), Error = Rejection> + Clone {
    warp::body::bytes().map(without_nul)
}

fn without_nul(body: Bytes) -> Bytes {
    if !body.windows(NUL.len()).any(|text| text == NUL) {
        return body;
    }
    let (mut rest, mut replaced) = (&body[..], Vec::with_capacity(body.len()));
    while let Some(first) = rest.first() {
        // A backslash and what it escapes belong together: the second of two begins nothing.
        let whole = if *first == b'\\' { rest.len().min(2) } else { 1 };
        let (kept, taken) =
            if rest.starts_with(NUL) { (REPLACEMENT, NUL.len()) } else { (&rest[..whole], whole) };
        replaced.extend_from_slice(kept);
        rest = &rest[taken..];
    }
    replaced.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_replaced_and_what_only_looks_like_one_is_not() {
        for (body, kept) in [
            (r#"{"a": "b"}"#, r#"{"a": "b"}"#),
            (r#"{"a": "\u0000b\u0000"}"#, r#"{"a": "\ufffdb\ufffd"}"#),
            (r#"{"a": "\\u0000"}"#, r#"{"a": "\\u0000"}"#),
            (r#"{"a": "\\\u0000\n"}"#, r#"{"a": "\\\ufffd\n"}"#),
            (r#""\u0000\"#, r#""\ufffd\"#),
        ] {
            assert_eq!(without_nul(Bytes::from_static(body.as_bytes())), kept.as_bytes());
        }
    }
}
