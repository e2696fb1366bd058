//! `parse_mode` MarkdownV2: every reserved character is a mark or is escaped.

use super::{Entity, Output, is_link};

/// Characters that mean something even where they are no mark.
const RESERVED: &str = "_*[]()~`>#+-=|{}.!";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Bold,
    Italic,
    Underline,
    Strikethrough,
    Spoiler,
    Code,
    Pre,
    Link,
    CustomEmoji,
    Blockquote,
}

impl Mark {
    /// The type of the entity, and the name that Telegram's errors use.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Bold => ("bold", "Bold"),
            Self::Italic => ("italic", "Italic"),
            Self::Underline => ("underline", "Underline"),
            Self::Strikethrough => ("strikethrough", "Strikethrough"),
            Self::Spoiler => ("spoiler", "Spoiler"),
            Self::Code => ("code", "Code"),
            Self::Pre => ("pre", "Pre"),
            Self::Link => ("text_link", "TextUrl"),
            Self::CustomEmoji => ("custom_emoji", "CustomEmoji"),
            Self::Blockquote => ("blockquote", "BlockQuote"),
        }
    }
}

struct Open {
    mark: Mark,
    position: usize,
    entity: Entity,
}

struct Parser<'a> {
    raw: &'a str,
    position: usize,
    output: Output,
    open: Vec<Open>,
}

/// Plain text and entities, or Telegram's words for what is wrong.
pub(super) fn parse(raw: &str) -> Result<(String, Vec<Entity>), String> {
    let mut parser = Parser { raw, position: 0, output: Output::default(), open: Vec::new() };
    while let Some(character) = parser.rest().chars().next() {
        parser.step(character)?;
    }
    if parser.top() == Some(Mark::Blockquote) {
        parser.close("blockquote");
    }
    match parser.open.pop() {
        Some(open) => Err(unclosed(&open)),
        None => Ok((parser.output.text, parser.output.entities)),
    }
}

fn unclosed(open: &Open) -> String {
    format!("Can't find end of {} entity at byte offset {}", open.mark.names().1, open.position)
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.raw.get(self.position..).unwrap_or_default()
    }

    fn top(&self) -> Option<Mark> {
        self.open.last().map(|open| open.mark)
    }

    fn at_line_start(&self) -> bool {
        self.position == 0 || self.raw.as_bytes().get(self.position - 1) == Some(&b'\n')
    }

    fn literal(&mut self, character: char) {
        self.output.push(character);
        self.position += character.len_utf8();
    }

    fn step(&mut self, character: char) -> Result<(), String> {
        if character == '\\'
            && let Some(escaped) = self.rest().chars().nth(1).filter(char::is_ascii)
        {
            self.position += 1;
            self.literal(escaped);
            return Ok(());
        }
        match self.top() {
            Some(Mark::Code) if character != '`' => self.literal(character),
            Some(Mark::Pre) if !self.rest().starts_with("```") => self.literal(character),
            _ if character == '\n' => self.line_end()?,
            _ if RESERVED.contains(character) => self.mark(character)?,
            _ => self.literal(character),
        }
        Ok(())
    }

    fn mark(&mut self, character: char) -> Result<(), String> {
        let rest = self.rest();
        let starts = |mark: &str| rest.starts_with(mark);
        match character {
            '*' if starts("**>") && self.at_line_start() => self.begin(Mark::Blockquote, 3),
            '>' if self.at_line_start() => self.begin(Mark::Blockquote, 1),
            '_' if starts("__") => self.toggle(Mark::Underline, 2),
            '_' => self.toggle(Mark::Italic, 1),
            '*' => self.toggle(Mark::Bold, 1),
            '~' => self.toggle(Mark::Strikethrough, 1),
            '|' if starts("||") && self.ends_expandable_quote() => {
                self.position += 2;
                self.close("expandable_blockquote");
            }
            '|' if starts("||") => self.toggle(Mark::Spoiler, 2),
            '`' if starts("```") => self.toggle_pre(),
            '`' => self.toggle(Mark::Code, 1),
            '[' => self.begin(Mark::Link, 1),
            '!' if starts("![") => self.begin(Mark::CustomEmoji, 2),
            ']' if matches!(self.top(), Some(Mark::Link | Mark::CustomEmoji)) => self.link_end()?,
            _ => {
                return Err(format!(
                    "Character '{character}' is reserved and must be escaped with the preceding '\\'"
                ));
            }
        }
        Ok(())
    }

    fn begin(&mut self, mark: Mark, length: usize) {
        let entity = Entity { offset: self.output.length_utf16, ..Entity::default() };
        self.open.push(Open { mark, position: self.position, entity });
        self.position += length;
    }

    fn toggle(&mut self, mark: Mark, length: usize) {
        if self.top() == Some(mark) {
            self.position += length;
            self.close(mark.names().0);
        } else {
            self.begin(mark, length);
        }
    }

    /// The word right after the opening marks is the language.
    fn toggle_pre(&mut self) {
        let opens = self.top() != Some(Mark::Pre);
        self.toggle(Mark::Pre, 3);
        if !opens {
            return;
        }
        let word: String = self.rest().chars().take_while(|c| !c.is_whitespace() && *c != '`').collect();
        if self.rest().get(word.len()..).is_some_and(|after| after.starts_with('\n')) {
            self.position += word.len() + 1;
            if let Some(open) = self.open.last_mut() {
                open.entity.language = Some(word).filter(|word| !word.is_empty());
            }
        }
    }

    /// `](target)`, or nothing after the bracket: then the text is its own target.
    fn link_end(&mut self) -> Result<(), String> {
        self.position += 1;
        let mut target = String::new();
        if let Some(inside) = self.rest().strip_prefix('(') {
            let mut length = 1;
            let mut escaped = false;
            let mut closed = false;
            for character in inside.chars() {
                length += character.len_utf8();
                match character {
                    '\\' if !escaped => escaped = true,
                    ')' if !escaped => {
                        closed = true;
                        break;
                    }
                    _ => {
                        escaped = false;
                        target.push(character);
                    }
                }
            }
            if !closed {
                return Err(format!("Can't find end of a URL at byte offset {}", self.position));
            }
            self.position += length;
        }
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        if open.mark == Mark::CustomEmoji {
            let id = target.strip_prefix("tg://emoji?id=").filter(|id| !id.is_empty());
            open.entity.custom_emoji_id =
                Some(id.ok_or("Custom emoji URL must have an emoji identifier")?.to_owned());
            self.close("custom_emoji");
        } else if is_link(&target) {
            open.entity.url = Some(target);
            self.close("text_link");
        } else {
            self.open.pop();
        }
        Ok(())
    }

    fn ends_expandable_quote(&self) -> bool {
        let after = self.rest().get(2..).unwrap_or_default();
        self.top() == Some(Mark::Blockquote) && (after.is_empty() || after.starts_with('\n'))
    }

    /// A quote goes on while the next line begins with `>`; marks inside must be closed before it ends.
    fn line_end(&mut self) -> Result<(), String> {
        let quoted = self.open.iter().any(|open| open.mark == Mark::Blockquote);
        let goes_on = self.rest().starts_with("\n>");
        if quoted && !goes_on {
            if let Some(open) = self.open.last().filter(|open| open.mark != Mark::Blockquote) {
                return Err(unclosed(open));
            }
            self.close("blockquote");
        }
        self.literal('\n');
        if quoted && goes_on {
            self.position += 1;
        }
        Ok(())
    }

    fn close(&mut self, kind: &str) {
        if let Some(open) = self.open.pop() {
            self.output.close(Entity { kind: kind.to_owned(), ..open.entity });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(raw: &str) -> (String, Vec<String>) {
        let (text, entities) = parse(raw).unwrap();
        (text, entities.into_iter().map(|entity| entity.kind).collect())
    }

    #[test]
    fn marks_become_entities() {
        assert_eq!(
            kinds("*b* _i_ __u__ ~s~ ||h|| `c` [l](https://a.uz/\\)x)"),
            (
                "b i u s h c l".to_owned(),
                ["bold", "italic", "underline", "strikethrough", "spoiler", "code", "text_link"]
                    .map(str::to_owned)
                    .into()
            )
        );
        assert_eq!(kinds("```rust\nx.y()\n```").0, "x.y()\n");
        assert_eq!(kinds(">a\n>b\nc"), ("a\nb\nc".to_owned(), vec!["blockquote".to_owned()]));
        assert_eq!(kinds("1\\.5\\!"), ("1.5!".to_owned(), vec![]));
    }

    #[test]
    fn a_bare_reserved_character_is_refused() {
        assert_eq!(
            parse("15.00"),
            Err("Character '.' is reserved and must be escaped with the preceding '\\'".to_owned())
        );
        assert_eq!(parse("*b"), Err("Can't find end of Bold entity at byte offset 0".to_owned()));
        for raw in ["a-b", "(x)", "a!", "|", "[a](b", "#1", "]"] {
            assert!(parse(raw).is_err(), "{raw}");
        }
    }
}
