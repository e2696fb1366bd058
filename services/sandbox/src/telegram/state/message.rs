//! A message, and its object in the Bot API.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    chat::{BotProfile, Chat, bot_user},
    files::FileRecord,
    formatting::{FormattedText, MAX_CAPTION_UTF16, MAX_TEXT_UTF16},
    keyboard::{self, Button},
    payments::{Invoice, SuccessfulPayment},
};

/// A message with its history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub chat_id: i64,
    pub message_id: i64,
    pub from: Sender,
    pub sent_at_ms: i64,
    #[serde(flatten)]
    pub body: Body,
    /// As the bot sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_markup: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to_message_id: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward_origin: Option<Value>,
    /// What each edit replaced, oldest first; the last [`MAX_EARLIER`].
    pub earlier: Vec<Version>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at_ms: Option<i64>,
    pub pinned: bool,
    /// Of the last change; revisions grow with every change of any chat.
    pub revision: u64,
}

pub const MAX_EARLIER: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    Bot,
    /// The shopper of the private chat, or staff in a channel.
    Person,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    Text {
        #[serde(flatten)]
        text: FormattedText,
    },
    Photo {
        photo: FileRecord,
        #[serde(flatten)]
        caption: FormattedText,
    },
    Document {
        document: FileRecord,
        #[serde(flatten)]
        caption: FormattedText,
    },
    Location {
        latitude: f64,
        longitude: f64,
    },
    Contact {
        contact: Contact,
    },
    Invoice {
        invoice: Invoice,
    },
    /// In a shopper's chat, and in the update that the bot gets.
    SuccessfulPayment {
        successful_payment: SuccessfulPayment,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub phone_number: String,
    pub first_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Whose number it is: not always the sender's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<i64>,
}

/// What an edit replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    pub replaced_at_ms: i64,
    #[serde(flatten)]
    pub body: Body,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_markup: Option<Value>,
}

impl Body {
    /// The text or the caption, without markup.
    pub fn text(&self) -> &str {
        if let Self::Invoice { invoice } = self {
            return &invoice.title;
        }
        self.formatted().map_or("", |formatted| &formatted.text)
    }

    pub(crate) fn formatted(&self) -> Option<&FormattedText> {
        match self {
            Self::Text { text } => Some(text),
            Self::Photo { caption, .. } | Self::Document { caption, .. } => Some(caption),
            Self::Location { .. }
            | Self::Contact { .. }
            | Self::Invoice { .. }
            | Self::SuccessfulPayment { .. } => None,
        }
    }

    pub(crate) fn max_utf16(&self) -> usize {
        match self {
            Self::Text { .. } => MAX_TEXT_UTF16,
            Self::Photo { .. }
            | Self::Document { .. }
            | Self::Location { .. }
            | Self::Contact { .. }
            | Self::Invoice { .. }
            | Self::SuccessfulPayment { .. } => MAX_CAPTION_UTF16,
        }
    }

    fn write_to(&self, message: &mut Value) {
        match self {
            Self::Text { text } => {
                message["text"] = text.text.clone().into();
                if !text.entities.is_empty() {
                    message["entities"] = json!(text.entities);
                }
            }
            Self::Photo { photo, caption } => {
                message["photo"] = json!([photo.to_photo_size()]);
                write_caption(caption, message);
            }
            Self::Document { document, caption } => {
                message["document"] = document.to_json();
                message["document"]["file_name"] = document.file_name.clone().into();
                write_caption(caption, message);
            }
            Self::Location { latitude, longitude } => {
                message["location"] = json!({ "latitude": latitude, "longitude": longitude });
            }
            Self::Contact { contact } => message["contact"] = json!(contact),
            Self::Invoice { invoice } => {
                message["invoice"] = json!({
                    "title": invoice.title, "description": invoice.description, "start_parameter": "",
                    "currency": invoice.currency, "total_amount": invoice.total_amount,
                });
            }
            Self::SuccessfulPayment { successful_payment } => {
                message["successful_payment"] = json!(successful_payment);
            }
        }
    }
}

fn write_caption(caption: &FormattedText, message: &mut Value) {
    if caption.text.is_empty() {
        return;
    }
    message["caption"] = caption.text.clone().into();
    if !caption.entities.is_empty() {
        message["caption_entities"] = json!(caption.entities);
    }
}

impl Message {
    /// The current text or caption.
    pub fn text(&self) -> &str {
        self.body.text()
    }

    pub fn is_deleted(&self) -> bool {
        self.deleted_at_ms.is_some()
    }

    /// The buttons of the inline or reply keyboard, row by row.
    pub fn buttons(&self) -> Vec<Button> {
        keyboard::buttons(self.reply_markup.as_ref())
    }

    pub(crate) fn has_inline_keyboard(&self) -> bool {
        self.reply_markup.as_ref().is_some_and(|markup| markup.get("inline_keyboard").is_some())
    }

    /// Replaces the content, and keeps the old one in `earlier`.
    pub(crate) fn edit(&mut self, body: Body, reply_markup: Option<Value>, now_ms: i64) {
        let body = std::mem::replace(&mut self.body, body);
        let reply_markup = std::mem::replace(&mut self.reply_markup, reply_markup);
        self.earlier.push(Version { replaced_at_ms: now_ms, body, reply_markup });
        if self.earlier.len() > MAX_EARLIER {
            self.earlier.remove(0);
        }
        self.edited_at_ms = Some(now_ms);
    }

    /// The Message object of the Bot API.
    pub(crate) fn to_json(&self, chat: &Chat, bot_id: i64, bot: &BotProfile) -> Value {
        let mut message =
            json!({ "message_id": self.message_id, "date": self.sent_at_ms / 1000, "chat": chat.to_json() });
        match (chat.shopper(), self.from) {
            (None, _) => message["sender_chat"] = chat.to_json(),
            (Some(_), Sender::Bot) => message["from"] = bot_user(bot_id, bot),
            (Some(shopper), Sender::Person) => message["from"] = shopper.to_json(),
        }
        self.body.write_to(&mut message);
        if let Some(edited_at_ms) = self.edited_at_ms {
            message["edit_date"] = (edited_at_ms / 1000).into();
        }
        if let Some(origin) = &self.forward_origin {
            message["forward_origin"] = origin.clone();
        }
        if let Some(markup) = self.reply_markup.as_ref().filter(|_| self.has_inline_keyboard()) {
            message["reply_markup"] = markup.clone();
        }
        let replied = self.reply_to_message_id.and_then(|id| chat.messages.get(&id));
        if let Some(replied) = replied {
            // Telegram nests one level only.
            let replied = Self { reply_to_message_id: None, ..replied.clone() };
            message["reply_to_message"] = replied.to_json(chat, bot_id, bot);
        }
        message
    }
}
