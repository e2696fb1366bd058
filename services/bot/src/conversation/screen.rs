//! What one message shows: text, perhaps a photo, and buttons.

use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup};
use tolov_shop::catalogue::FileId;
use url::Url;

use crate::conversation::callback::CallbackData;

/// Telegram takes 1024 characters under a photo, 4096 without one.
const CAPTION_MAX_UNITS: usize = 1024;
const TEXT_MAX_UNITS: usize = 4096;
/// A longer label does not fit on a button of a phone.
const LABEL_MAX_CHARS: usize = 60;

/// As much of a text as fits on a screen beside other texts, as HTML. Markup is counted too, as in
/// [`Screen::fitting_html`].
pub(crate) fn fitting_beside(text: &str, others: &str, has_photo: bool) -> String {
    let units = |character: char| match character {
        '&' => "&amp;".len(),
        '<' | '>' => "&lt;".len(),
        other => other.len_utf16(),
    };
    let room = most_units(has_photo).saturating_sub(others.encode_utf16().count());
    if text.chars().map(units).sum::<usize>() <= room {
        return text.to_owned();
    }
    let Some(mut room) = room.checked_sub(1) else { return String::new() };
    let mut fitting = String::new();
    for character in text.chars() {
        let Some(rest) = room.checked_sub(units(character)) else { break };
        room = rest;
        fitting.push(character);
    }
    let fitting = fitting.trim_end();
    if fitting.is_empty() { String::new() } else { format!("{fitting}…") }
}

/// Whether a text with markup is shown whole.
pub(crate) fn fits(html: &str, has_photo: bool) -> bool {
    html.encode_utf16().count() <= most_units(has_photo)
}

const fn most_units(has_photo: bool) -> usize {
    if has_photo { CAPTION_MAX_UNITS } else { TEXT_MAX_UNITS }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Screen {
    /// Telegram's HTML.
    pub(crate) html: String,
    pub(crate) photo: Option<FileId>,
    rows: Vec<Vec<Button>>,
}

/// A button under a message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Button {
    Callback {
        label: String,
        callback: CallbackData,
    },
    Link {
        label: String,
        url: Url,
    },
    /// Opens the inline search in this chat.
    SearchHere {
        label: String,
    },
    /// Lets the person pick a chat to send an inline result to.
    Share {
        label: String,
        query: String,
    },
}

impl Button {
    pub(crate) fn callback(label: impl Into<String>, callback: impl Into<CallbackData>) -> Self {
        Self::Callback { label: label.into(), callback: callback.into() }
    }

    fn build(&self) -> InlineKeyboardButton {
        let short = |label: &str| label.chars().take(LABEL_MAX_CHARS).collect::<String>();
        match self {
            Self::Callback { label, callback } => {
                InlineKeyboardButton::callback(short(label), callback.data())
            }
            Self::Link { label, url } => InlineKeyboardButton::url(short(label), url.clone()),
            Self::SearchHere { label } => {
                InlineKeyboardButton::switch_inline_query_current_chat(short(label), "")
            }
            Self::Share { label, query } => InlineKeyboardButton::switch_inline_query(short(label), query),
        }
    }
}

impl Screen {
    pub(crate) fn new(html: impl Into<String>) -> Self {
        Self { html: html.into(), photo: None, rows: Vec::new() }
    }

    /// With a photo the text is a caption, whose limit is lower.
    #[must_use]
    pub(crate) fn photo(mut self, photo: Option<FileId>) -> Self {
        self.photo = photo;
        self
    }

    #[must_use]
    pub(crate) fn row(mut self, row: impl IntoIterator<Item = Button>) -> Self {
        let row: Vec<Button> = row.into_iter().collect();
        if !row.is_empty() {
            self.rows.push(row);
        }
        self
    }

    /// The same without its links; `None` where it has none.
    pub(crate) fn without_links(&self) -> Option<Self> {
        let is_link = |button: &Button| matches!(button, Button::Link { .. });
        if !self.rows.iter().flatten().any(is_link) {
            return None;
        }
        let mut without = Self { rows: Vec::new(), ..self.clone() };
        for row in &self.rows {
            without = without.row(row.iter().filter(|button| !is_link(button)).cloned());
        }
        Some(without)
    }

    #[must_use]
    pub(crate) fn rows(self, rows: impl IntoIterator<Item = Vec<Button>>) -> Self {
        rows.into_iter().fold(self, Self::row)
    }

    /// The text within Telegram's limit. A longer one is cut as plain text, so that no tag stays open.
    pub(crate) fn fitting_html(&self) -> String {
        let max = most_units(self.photo.is_some());
        if fits(&self.html, self.photo.is_some()) {
            return self.html.clone();
        }
        let mut plain = String::new();
        let mut is_tag = false;
        let mut units = 0;
        for character in self.html.chars() {
            match character {
                '<' => is_tag = true,
                '>' if is_tag => is_tag = false,
                _ if is_tag => {}
                // Room for the longest entity (`&quot;`) and the ellipsis.
                _ if units + character.len_utf16() + 8 > max => break,
                _ => {
                    units += character.len_utf16();
                    plain.push(character);
                }
            }
        }
        // Telegram refuses an entity that is cut in two.
        if let Some(at) = plain.rfind('&')
            && !plain.get(at..).is_some_and(|rest| rest.contains(';'))
        {
            plain.truncate(at);
        }
        plain.push('…');
        plain
    }

    pub(crate) fn markup(&self) -> InlineKeyboardMarkup {
        InlineKeyboardMarkup::new(
            self.rows.iter().map(|row| row.iter().map(Button::build).collect::<Vec<_>>()),
        )
    }

    pub(crate) fn has_buttons(&self) -> bool {
        !self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caption_that_is_too_long_is_cut_without_open_tags_or_broken_entities() {
        let html = format!("<b>{}</b>", "&amp;".repeat(1_000));
        let cut = Screen::new(html.clone()).photo(Some("file".to_owned())).fitting_html();
        assert!(cut.encode_utf16().count() <= CAPTION_MAX_UNITS, "{}", cut.len());
        assert!(!cut.contains('<') && cut.ends_with("&amp;…"), "{cut}");
        let short = Screen::new("<b>short</b>");
        assert_eq!(short.fitting_html(), "<b>short</b>");
    }

    #[test]
    fn a_long_text_is_cut_to_what_fits_beside_the_others() {
        let others = "x".repeat(CAPTION_MAX_UNITS - 10);
        assert_eq!(fitting_beside("ten chars.", &others, true), "ten chars.");
        assert_eq!(fitting_beside("eleven char", &others, true), "eleven ch…");
        assert_eq!(fitting_beside("<<>>", &others, true), "<<…", "they are escaped");
        assert_eq!(fitting_beside("<>", &others, false), "<>");
        assert_eq!(fitting_beside("a", &"x".repeat(CAPTION_MAX_UNITS), true), "");
    }
}
