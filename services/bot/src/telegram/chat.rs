//! Conversation: showing, changing and removing messages in a chat where a person waits.

use std::time::Duration;

use teloxide::{
    ApiError, RequestError,
    payloads::{
        AnswerCallbackQuerySetters, EditMessageMediaSetters, EditMessageTextSetters, SendMessageSetters,
        SendPhotoSetters,
    },
    requests::{Request, Requester},
    types::{
        CallbackQueryId, ChatId, FileId, InputFile, InputMedia, InputMediaPhoto, LinkPreviewOptions,
        MessageId, ParseMode, Recipient, ReplyMarkup,
    },
};

use crate::{
    conversation::{dialogue::ShownMessage, screen::Screen},
    telegram::{client::Telegram, errors::SendError},
};

/// A person waits for an answer: a longer "retry after" is not waited out.
const RETRY_AFTER_LONGEST: Duration = Duration::from_secs(5);

const NO_PREVIEW: LinkPreviewOptions = LinkPreviewOptions {
    is_disabled: true,
    url: None,
    prefer_small_media: false,
    prefer_large_media: false,
    show_above_text: false,
};

/// What became of an edit.
enum Edited {
    /// It shows what it should.
    Yes,
    /// There is no such message any more, or it cannot be changed to this: a new one is needed.
    NotThere,
}

impl Telegram {
    /// Sends a new message.
    pub(crate) async fn show_new(&self, chat: ChatId, screen: &Screen) -> Result<ShownMessage, SendError> {
        let markup = screen.has_buttons().then(|| ReplyMarkup::InlineKeyboard(screen.markup()));
        self.say(chat, screen, markup).await
    }

    /// Sends a new message with a keyboard of another kind than a screen's own.
    pub(crate) async fn say(
        &self,
        chat: ChatId,
        screen: &Screen,
        markup: Option<ReplyMarkup>,
    ) -> Result<ShownMessage, SendError> {
        let html = screen.fitting_html();
        let sent = if let Some(photo) = &screen.photo {
            let request = self
                .listening
                .send_photo(chat, InputFile::file_id(FileId(photo.clone())))
                .caption(html)
                .parse_mode(ParseMode::Html);
            match markup {
                Some(markup) => patiently(request.reply_markup(markup)).await,
                None => patiently(request).await,
            }
        } else {
            let request = self
                .listening
                .send_message(chat, html)
                .parse_mode(ParseMode::Html)
                .link_preview_options(NO_PREVIEW);
            match markup {
                Some(markup) => patiently(request.reply_markup(markup)).await,
                None => patiently(request).await,
            }
        };
        match sent {
            Ok(message) => {
                self.availability.mark_up();
                Ok(ShownMessage { message_id: message.id.0, has_photo: screen.photo.is_some() })
            }
            // A picture that this bot cannot send (another bot's file, a file that is gone) must not hide the text.
            Err(RequestError::Api(error)) if screen.photo.is_some() && is_about_the_picture(&error) => {
                tracing::warn!(%error, "a picture cannot be sent; the text goes without it");
                let without = screen.clone().photo(None);
                Box::pin(self.show_new(chat, &without)).await
            }
            Err(error) => Err(self.sort(&error)),
        }
    }

    /// Shows a screen in the place of another one: edited where that is possible, else removed and sent anew.
    pub(crate) async fn show_in_place(
        &self,
        chat: ChatId,
        shown: ShownMessage,
        screen: &Screen,
    ) -> Result<ShownMessage, SendError> {
        // A text can become a picture, but nothing becomes a text again.
        let can_be_edited = screen.photo.is_some() || !shown.has_photo;
        if can_be_edited && matches!(self.edit(chat.into(), shown, screen).await?, Edited::Yes) {
            return Ok(ShownMessage { has_photo: screen.photo.is_some(), ..shown });
        }
        let new = self.show_new(chat, screen).await?;
        self.remove(chat, shown.message_id).await;
        Ok(new)
    }

    /// Changes a message where it is; `false` where there is none any more.
    pub(crate) async fn change(
        &self,
        chat: impl Into<Recipient>,
        shown: ShownMessage,
        screen: &Screen,
    ) -> Result<bool, SendError> {
        Ok(matches!(self.edit(chat.into(), shown, screen).await?, Edited::Yes))
    }

    async fn edit(&self, chat: Recipient, shown: ShownMessage, screen: &Screen) -> Result<Edited, SendError> {
        let id = MessageId(shown.message_id);
        let html = screen.fitting_html();
        let edited = if let Some(photo) = &screen.photo {
            let media = InputMediaPhoto::new(InputFile::file_id(FileId(photo.clone())))
                .caption(html)
                .parse_mode(ParseMode::Html);
            let request = self.listening.edit_message_media(chat, id, InputMedia::Photo(media));
            patiently(request.reply_markup(screen.markup())).await
        } else {
            let request = self
                .listening
                .edit_message_text(chat, id, html)
                .parse_mode(ParseMode::Html)
                .link_preview_options(NO_PREVIEW);
            patiently(request.reply_markup(screen.markup())).await
        };
        match edited {
            Ok(_) | Err(RequestError::Api(ApiError::MessageNotModified)) => {
                self.availability.mark_up();
                Ok(Edited::Yes)
            }
            Err(RequestError::Api(
                ApiError::MessageToEditNotFound | ApiError::MessageIdInvalid | ApiError::MessageCantBeEdited,
            )) => Ok(Edited::NotThere),
            // Shown with another kind of content than was thought: a new message says it just as well.
            Err(RequestError::Api(error)) if error.to_string().contains("to edit") => Ok(Edited::NotThere),
            Err(RequestError::Api(error)) if is_about_the_picture(&error) => Ok(Edited::NotThere),
            Err(error) => Err(self.sort(&error)),
        }
    }

    /// Removes a message. One that is gone already, or too old to be removed, is no error.
    pub(crate) async fn remove(&self, chat: ChatId, message_id: i32) {
        if let Err(error) = patiently(self.listening.delete_message(chat, MessageId(message_id))).await {
            tracing::debug!(%error, "a message stays where it is");
        }
    }

    /// Ends the waiting of a tapped button; with a text above it, or before everything else with `alert`.
    pub(crate) async fn answer_callback(&self, query: CallbackQueryId, text: Option<String>, alert: bool) {
        const TEXT_MAX_CHARS: usize = 200;
        let mut request = self.listening.answer_callback_query(query).show_alert(alert);
        if let Some(text) = text {
            request = request.text(text.chars().take(TEXT_MAX_CHARS).collect::<String>());
        }
        // Too late is too late: the shopper has seen the screen change.
        if let Err(error) = patiently(request).await {
            tracing::debug!(%error, "a tap could not be answered");
        }
    }
}

/// Sends a request, and once more after a short "retry after".
pub(crate) async fn patiently<R>(
    request: R,
) -> Result<<R::Payload as teloxide::requests::Payload>::Output, RequestError>
where
    R: Request<Err = RequestError> + Clone,
{
    match request.clone().send().await {
        Err(RequestError::RetryAfter(wait)) if wait.duration() <= RETRY_AFTER_LONGEST => {
            tokio::time::sleep(wait.duration()).await;
            request.send().await
        }
        sent => sent,
    }
}

fn is_about_the_picture(error: &ApiError) -> bool {
    let text = error.to_string().to_ascii_lowercase();
    ["wrong file", "file identifier", "wrong remote file", "photo_invalid", "media_empty", "file reference"]
        .iter()
        .any(|words| text.contains(words))
}
