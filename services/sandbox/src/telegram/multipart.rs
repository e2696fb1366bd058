//! `multipart/form-data` (RFC 7578), as HTTP clients send it with files.

/// One part: a field, or a file when it has a file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) content: &'a [u8],
}

/// More parts than a call of the Bot API could need are refused.
const MAX_PARTS: usize = 200;

/// The boundary that a Content-Type names, if it is `multipart/form-data`.
pub(crate) fn boundary_of(content_type: &str) -> Option<String> {
    let mut pieces = content_type.split(';');
    if !pieces.next()?.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    pieces.find_map(|piece| {
        let (name, value) = piece.trim().split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case("boundary") && !value.is_empty()).then(|| value.to_owned())
    })
}

/// Reads every part, or nothing if the body is not whole.
pub(crate) fn parse<'a>(body: &'a [u8], boundary: &str) -> Option<Vec<Part<'a>>> {
    let delimiter = format!("--{boundary}");
    let separator = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(delimiter.as_bytes()).or_else(|| {
        let start = find(body, separator.as_bytes())?;
        body.get(start + separator.len()..)
    })?;
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Some(parts);
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let end = find(rest, separator.as_bytes())?;
        parts.push(parse_part(rest.get(..end)?)?);
        if parts.len() > MAX_PARTS {
            return None;
        }
        rest = rest.get(end + separator.len()..)?;
    }
}

fn parse_part(part: &[u8]) -> Option<Part<'_>> {
    let border = find(part, b"\r\n\r\n")?;
    let (headers, content) = (part.get(..border)?, part.get(border + 4..)?);
    let disposition = std::str::from_utf8(headers).ok()?.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    Some(Part {
        name: parameter(disposition, "name")?,
        file_name: parameter(disposition, "filename"),
        content,
    })
}

/// A parameter of `form-data; name="a"; filename="b.png"`. Browsers write a quote inside as %22, others as \".
fn parameter(disposition: &str, wanted: &str) -> Option<String> {
    let mut rest = disposition.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, next) = quoted(after.trim_start())?;
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.replace("%22", "\""));
        }
        rest = next.split_once(';')?.1;
    }
}

/// A quoted or bare value and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let Some(inside) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        let (value, next) = text.split_at_checked(end)?;
        return Some((value.trim().to_owned(), next));
    };
    let mut value = String::new();
    let mut characters = inside.char_indices();
    while let Some((position, character)) = characters.next() {
        match character {
            '"' => return Some((value, inside.get(position + 1..)?)),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_files_are_read() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n5\r\n--x\r\n\
            content-disposition: form-data; name=\"photo\"; filename=\"a;b.png\"\r\nContent-Type: image/png\r\n\r\n\
            \x89PNG\r\n--\r\n--x--\r\n";
        let parts = parse(body, "x").unwrap();
        assert_eq!(parts[0], Part { name: "chat_id".into(), file_name: None, content: b"5" });
        assert_eq!(parts[1].file_name.as_deref(), Some("a;b.png"));
        assert_eq!(parts[1].content, b"\x89PNG\r\n--");
    }

    #[test]
    fn a_body_that_is_cut_off_is_refused() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n5\r\n";
        for length in 0..body.len() {
            assert_eq!(parse(&body[..length], "x"), None, "{length}");
        }
    }

    #[test]
    fn the_boundary_comes_from_the_content_type() {
        assert_eq!(boundary_of("multipart/form-data; boundary=\"a b\"").as_deref(), Some("a b"));
        assert_eq!(boundary_of("Multipart/Form-Data;charset=x; Boundary=q1").as_deref(), Some("q1"));
        assert_eq!(boundary_of("application/json"), None);
    }
}
