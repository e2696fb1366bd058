//! `parse_mode` HTML: Telegram's tags, correctly nested and closed; anything else is refused in Telegram's words.

use std::{iter::Peekable, str::CharIndices};

use super::formatting::Entity;

const TAGS: [&str; 16] = [
    "b",
    "strong",
    "i",
    "em",
    "u",
    "ins",
    "s",
    "strike",
    "del",
    "tg-spoiler",
    "span",
    "code",
    "pre",
    "blockquote",
    "a",
    "tg-emoji",
];

fn unsupported(name: &str, position: usize) -> String {
    format!("Unsupported start tag \"{name}\" at byte offset {position}")
}

/// The plain text so far, and the closed entities.
#[derive(Debug, Default)]
struct Output {
    text: String,
    length_utf16: usize,
    entities: Vec<Entity>,
}

impl Output {
    fn push(&mut self, character: char) {
        self.text.push(character);
        self.length_utf16 += character.len_utf16();
    }

    /// Adds an entity from its offset to here, unless it is empty.
    fn close(&mut self, entity: Entity) {
        let length = self.length_utf16.saturating_sub(entity.offset);
        if length > 0 {
            self.entities.push(Entity { length, ..entity });
        }
    }
}

/// Whether Telegram keeps the link's target.
fn is_link(target: &str) -> bool {
    url::Url::parse(target)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "tg" | "tel" | "mailto"))
}

struct OpenTag {
    name: String,
    entity: Option<Entity>,
}

struct Parser<'a> {
    raw: &'a str,
    characters: Peekable<CharIndices<'a>>,
    output: Output,
    open: Vec<OpenTag>,
}

/// Plain text and entities, or Telegram's error text.
pub(super) fn parse(raw: &str) -> Result<(String, Vec<Entity>), String> {
    let mut parser = Parser {
        raw,
        characters: raw.char_indices().peekable(),
        output: Output::default(),
        open: Vec::new(),
    };
    while let Some((position, character)) = parser.characters.next() {
        match character {
            '&' => {
                let literal = parser.character_reference(position).unwrap_or('&');
                parser.output.push(literal);
            }
            '<' if parser.characters.peek().is_some_and(|(_, next)| *next == '/') => {
                parser.end_tag(position)?;
            }
            '<' => parser.start_tag(position)?,
            _ => parser.output.push(character),
        }
    }
    match parser.open.pop() {
        Some(tag) => Err(format!("Can't find end tag corresponding to start tag \"{}\"", tag.name)),
        None => Ok((parser.output.text, parser.output.entities)),
    }
}

impl<'a> Parser<'a> {
    /// `&lt;`, `&#39;`, `&#x27;`; an unknown one is left as text.
    fn character_reference(&mut self, position: usize) -> Option<char> {
        let after = self.raw.get(position + 1..)?;
        let (name, _) = after.split_once(';')?;
        let character = match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            _ => {
                let number = name.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code).filter(|character| *character != '\0')?
            }
        };
        // The ASCII name and the semicolon.
        for _ in 0..=name.len() {
            self.characters.next();
        }
        Some(character)
    }

    /// Everything up to the closing `>` outside of quotes.
    fn until_close(&mut self, position: usize) -> Result<&'a str, String> {
        let start = position + 1;
        let mut quote = None;
        for (at, character) in self.characters.by_ref() {
            match (quote, character) {
                (None, '>') => return Ok(self.raw.get(start..at).unwrap_or_default()),
                (None, '"' | '\'') => quote = Some(character),
                (Some(open), _) if open == character => quote = None,
                _ => {}
            }
        }
        Err(format!("Unclosed start tag at byte offset {position}"))
    }

    /// Checks the name before the rest of the tag: Telegram reports a lone `<` as an unknown tag.
    fn require_known_name(&self, position: usize) -> Result<(), String> {
        let after = self.raw.get(position + 1..).unwrap_or_default();
        let Some(end) = after.find(|c: char| c.is_whitespace() || c == '>') else {
            return Err(format!("Unclosed start tag at byte offset {position}"));
        };
        let name = after.get(..end).unwrap_or_default().to_ascii_lowercase();
        if TAGS.contains(&name.as_str()) { Ok(()) } else { Err(unsupported(&name, position)) }
    }

    fn start_tag(&mut self, position: usize) -> Result<(), String> {
        self.require_known_name(position)?;
        let inside = self.until_close(position)?;
        let (name, attributes) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
        let name = name.to_ascii_lowercase();
        let attribute = |wanted: &str| attribute(attributes, wanted);
        let plain = |kind: &str| Ok(Some(Entity { kind: kind.to_owned(), ..Entity::default() }));
        let entity: Result<Option<Entity>, String> = match name.as_str() {
            "b" | "strong" => plain("bold"),
            "i" | "em" => plain("italic"),
            "u" | "ins" => plain("underline"),
            "s" | "strike" | "del" => plain("strikethrough"),
            "tg-spoiler" => plain("spoiler"),
            "span" if attribute("class").as_deref() == Some("tg-spoiler") => plain("spoiler"),
            "span" => Err(format!("Tag \"span\" must have class \"tg-spoiler\" at byte offset {position}")),
            "code" => Ok(Some(Entity {
                kind: "code".to_owned(),
                language: attribute("class")
                    .and_then(|class| class.strip_prefix("language-").map(str::to_owned)),
                ..Entity::default()
            })),
            "pre" => plain("pre"),
            "blockquote" if has_attribute(attributes, "expandable") => plain("expandable_blockquote"),
            "blockquote" => plain("blockquote"),
            "a" => Ok(attribute("href").filter(|target| is_link(target)).map(|target| Entity {
                kind: "text_link".to_owned(),
                url: Some(target),
                ..Entity::default()
            })),
            "tg-emoji" => match attribute("emoji-id") {
                Some(id) => Ok(Some(Entity {
                    kind: "custom_emoji".to_owned(),
                    custom_emoji_id: Some(id),
                    ..Entity::default()
                })),
                None => Err(format!(
                    "Tag \"tg-emoji\" must have attribute \"emoji-id\" at byte offset {position}"
                )),
            },
            _ => Err(unsupported(&name, position)),
        };
        let entity = entity?.map(|entity| Entity { offset: self.output.length_utf16, ..entity });
        self.open.push(OpenTag { name, entity });
        Ok(())
    }

    fn end_tag(&mut self, position: usize) -> Result<(), String> {
        let found = self.until_close(position)?.trim_start_matches('/').trim().to_ascii_lowercase();
        let Some(tag) = self.open.pop() else {
            return Err(format!("Unexpected end tag at byte offset {position}"));
        };
        if !found.is_empty() && found != tag.name {
            let expected = tag.name;
            return Err(format!(
                "Unmatched end tag at byte offset {position}, expected \"</{expected}>\", found \"</{found}>\""
            ));
        }
        let Some(entity) = tag.entity else { return Ok(()) };
        if entity.kind == "pre" {
            self.close_pre(entity);
        } else {
            self.output.close(entity);
        }
        Ok(())
    }

    /// `<pre><code class="language-x">…</code></pre>` is one `pre` entity with a language.
    fn close_pre(&mut self, pre: Entity) {
        let end = self.output.length_utf16;
        let inner = self.output.entities.pop_if(|inner| {
            inner.kind == "code" && inner.offset == pre.offset && inner.offset + inner.length == end
        });
        self.output.close(Entity { language: inner.and_then(|code| code.language), ..pre });
    }
}

fn has_attribute(attributes: &str, wanted: &str) -> bool {
    attributes.split_whitespace().any(|word| word.split('=').next() == Some(wanted))
}

/// The value of `name="value"`, `name='value'` or `name=value`.
fn attribute(attributes: &str, wanted: &str) -> Option<String> {
    let mut rest = attributes.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, next) = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => after.get(1..)?.split_once(quote)?,
            _ => after.split_once(char::is_whitespace).unwrap_or((after, "")),
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(
                value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"),
            );
        }
        rest = next.trim_start();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_entities_counted_in_utf16() {
        let (text, entities) =
            parse("😀 <b>To'lov</b> &lt;1 &amp; <a href=\"https://t.me/x?a=1&amp;b=2\">link</a> & co")
                .unwrap();
        assert_eq!(text, "😀 To'lov <1 & link & co");
        assert_eq!((entities[0].kind.as_str(), entities[0].offset, entities[0].length), ("bold", 3, 6));
        assert_eq!(entities[1].url.as_deref(), Some("https://t.me/x?a=1&b=2"));
    }

    #[test]
    fn code_in_pre_is_a_pre_with_a_language() {
        let (_, entities) = parse("<pre><code class=\"language-rust\">let x;</code></pre>").unwrap();
        assert_eq!(entities.len(), 1);
        assert_eq!(entities[0].language.as_deref(), Some("rust"));
    }

    #[test]
    fn invalid_html_is_refused_with_telegrams_error_texts() {
        for (raw, words) in [
            ("<b>x", "Can't find end tag corresponding to start tag \"b\""),
            ("<b>x</i>", "Unmatched end tag at byte offset 4, expected \"</b>\", found \"</i>\""),
            ("x</b>", "Unexpected end tag at byte offset 1"),
            ("<div>x</div>", "Unsupported start tag \"div\" at byte offset 0"),
            ("1 < 2", "Unsupported start tag \"\" at byte offset 2"),
            ("x <b", "Unclosed start tag at byte offset 2"),
            ("<b><i>x</b></i>", "Unmatched end tag at byte offset 7, expected \"</i>\", found \"</b>\""),
            ("<span>x</span>", "Tag \"span\" must have class \"tg-spoiler\" at byte offset 0"),
        ] {
            assert_eq!(parse(raw), Err(words.to_owned()), "{raw}");
        }
    }
}
