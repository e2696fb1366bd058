//! Messages in a chat where a person waits: sent, edited, deleted.

use std::time::Duration;

use teloxide::{
    ApiError, RequestError,
    payloads::{
        AnswerCallbackQuerySetters, EditMessageMediaSetters, EditMessageTextSetters, SendMessageSetters,
        SendPhotoSetters,
    },
    requests::{HasPayload, Payload, Request, Requester},
    types::{
        CallbackQueryId, ChatId, FileId, InputFile, InputMedia, InputMediaPhoto, MessageId, ParseMode,
        Recipient, ReplyMarkup,
    },
};

use tolov_kit::spans;

use crate::{
    conversation::{dialogue::ShownMessage, screen::Screen},
    telegram::{
        client::{NO_PREVIEW, Telegram},
        errors::{SendError, description},
    },
};

/// The longest "retry after" that is waited out while a person waits.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(5);

/// The result of an edit.
enum Edited {
    Done,
    /// The message was deleted, or cannot be edited in this way: a new one is needed.
    Impossible,
}

impl Telegram {
    /// Sends a new message.
    pub(crate) async fn show_new(&self, chat: ChatId, screen: &Screen) -> Result<ShownMessage, SendError> {
        let markup = screen.has_buttons().then(|| ReplyMarkup::InlineKeyboard(screen.markup()));
        self.send_screen(chat, screen, markup).await
    }

    /// Sends a new message with a keyboard of another kind than a screen's own.
    pub(crate) async fn send_screen(
        &self,
        chat: ChatId,
        screen: &Screen,
        markup: Option<ReplyMarkup>,
    ) -> Result<ShownMessage, SendError> {
        let html = screen.fitting_html();
        if let Some(api) = &self.stand_in {
            let answer = api.show(&chat.to_string(), &html).await;
            let message_id = answer.message_id(self.availability.is_down())?;
            return Ok(ShownMessage { message_id, has_photo: false });
        }
        let sent = if let Some(photo) = &screen.photo {
            let request = self
                .listening
                .send_photo(chat, InputFile::file_id(FileId(photo.clone())))
                .caption(html)
                .parse_mode(ParseMode::Html);
            match markup {
                Some(markup) => self.patiently_in(chat, request.reply_markup(markup)).await,
                None => self.patiently_in(chat, request).await,
            }
        } else {
            let request = self
                .listening
                .send_message(chat, html)
                .parse_mode(ParseMode::Html)
                .link_preview_options(NO_PREVIEW);
            match markup {
                Some(markup) => self.patiently_in(chat, request.reply_markup(markup)).await,
                None => self.patiently_in(chat, request).await,
            }
        };
        match sent {
            Ok(message) => {
                self.availability.mark_up();
                Ok(ShownMessage { message_id: message.id.0, has_photo: screen.photo.is_some() })
            }
            // A photo that this bot cannot send (another bot's file, a deleted file) must not hide the text.
            Err(RequestError::Api(error)) if screen.photo.is_some() && is_about_the_photo(&error) => {
                tracing::warn!(%error, "a photo cannot be sent; the text is sent without it");
                let without = screen.clone().photo(None);
                Box::pin(self.show_new(chat, &without)).await
            }
            Err(RequestError::Api(error)) if is_about_a_link(&error) => match screen.without_links() {
                Some(without) => Box::pin(self.show_new(chat, &without)).await,
                None => Err(self.failed(&RequestError::Api(error))),
            },
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Shows a screen in the place of another one: edited where that is possible, else deleted and sent anew.
    pub(crate) async fn show_in_place(
        &self,
        chat: ChatId,
        shown: ShownMessage,
        screen: &Screen,
    ) -> Result<ShownMessage, SendError> {
        // A text message can become a photo, but not the other way round.
        self.rate_limiter.reserve_priority();
        let can_be_edited = screen.photo.is_some() || !shown.has_photo;
        if can_be_edited && matches!(self.edit(chat.into(), shown, screen).await?, Edited::Done) {
            return Ok(ShownMessage { has_photo: screen.photo.is_some(), ..shown });
        }
        let new = self.show_new(chat, screen).await?;
        self.remove(chat, shown.message_id).await;
        Ok(new)
    }

    /// Edits a message; `false` where it was deleted.
    pub(crate) async fn change(
        &self,
        chat: impl Into<Recipient>,
        shown: ShownMessage,
        screen: &Screen,
    ) -> Result<bool, SendError> {
        Ok(matches!(self.edit(chat.into(), shown, screen).await?, Edited::Done))
    }

    async fn edit(&self, chat: Recipient, shown: ShownMessage, screen: &Screen) -> Result<Edited, SendError> {
        let id = MessageId(shown.message_id);
        let html = screen.fitting_html();
        if let Some(api) = &self.stand_in {
            let answer = api.show(&chat.to_string(), &html).await;
            return answer.message_id(self.availability.is_down()).map(|_| Edited::Done);
        }
        let edited = if let Some(photo) = &screen.photo {
            let media = InputMediaPhoto::new(InputFile::file_id(FileId(photo.clone())))
                .caption(html)
                .parse_mode(ParseMode::Html);
            let request = self.listening.edit_message_media(chat.clone(), id, InputMedia::Photo(media));
            self.patiently_in(chat.clone(), request.reply_markup(screen.markup())).await
        } else {
            let request = self
                .listening
                .edit_message_text(chat.clone(), id, html)
                .parse_mode(ParseMode::Html)
                .link_preview_options(NO_PREVIEW);
            self.patiently_in(chat.clone(), request.reply_markup(screen.markup())).await
        };
        match edited {
            Ok(_) | Err(RequestError::Api(ApiError::MessageNotModified)) => {
                self.availability.mark_up();
                Ok(Edited::Done)
            }
            Err(RequestError::Api(
                ApiError::MessageToEditNotFound | ApiError::MessageIdInvalid | ApiError::MessageCantBeEdited,
            )) => Ok(Edited::Impossible),
            // Such as "there is no text in the message to edit": it is a photo.
            Err(RequestError::Api(ApiError::Unknown(text))) if text.contains("to edit") => {
                Ok(Edited::Impossible)
            }
            Err(RequestError::Api(error)) if is_about_the_photo(&error) => Ok(Edited::Impossible),
            Err(RequestError::Api(error)) if is_about_a_link(&error) => match screen.without_links() {
                Some(without) => Box::pin(self.edit(chat, shown, &without)).await,
                None => Err(self.failed(&RequestError::Api(error))),
            },
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Removes a message. One that is gone already, or too old to be removed, is no error.
    pub(crate) async fn remove(&self, chat: ChatId, message_id: i32) {
        if let Err(error) = self.patiently(self.listening.delete_message(chat, MessageId(message_id))).await {
            tracing::debug!(%error, "a message was not deleted");
        }
    }

    /// Answers a tap: with a text above the chat, or in a box with `alert`.
    pub(crate) async fn answer_callback(&self, query: CallbackQueryId, text: Option<String>, alert: bool) {
        const TEXT_MAX_CHARS: usize = 200;
        let mut request = self.listening.answer_callback_query(query).show_alert(alert);
        if let Some(text) = text {
            request = request.text(text.chars().take(TEXT_MAX_CHARS).collect::<String>());
        }
        // Best effort: the screen has changed anyway.
        if let Err(error) = self.patiently(request).await {
            tracing::debug!(%error, "a tap could not be answered");
        }
    }
}

type Sent<R> = Result<<<R as HasPayload>::Payload as Payload>::Output, RequestError>;

impl Telegram {
    /// Sends a request to a chat, and once more after a short "retry after", which counts for the limit of the whole bot.
    pub(super) async fn patiently_in<R>(&self, chat: impl Into<Recipient>, request: R) -> Sent<R>
    where
        R: Request<Err = RequestError> + Clone,
    {
        let chat = chat.into();
        let sent = self.patiently_noting(request, |wait| self.record_wait(&chat, wait));
        sent.await
    }

    /// Sends a request that is of no chat, and once more after a short "retry after".
    pub(super) async fn patiently<R>(&self, request: R) -> Sent<R>
    where
        R: Request<Err = RequestError> + Clone,
    {
        self.patiently_noting(request, |_| {}).await
    }

    async fn patiently_noting<R>(&self, request: R, note: impl Fn(Duration)) -> Sent<R>
    where
        R: Request<Err = RequestError> + Clone,
    {
        let sent = self.call(request.clone()).await;
        let Err(RequestError::RetryAfter(wait)) = &sent else { return sent };
        note(wait.duration());
        if wait.duration() > RETRY_AFTER_MAX {
            return sent;
        }
        tokio::time::sleep(wait.duration()).await;
        let again = self.call(request).await;
        if let Err(RequestError::RetryAfter(wait)) = &again {
            note(wait.duration());
        }
        again
    }

    /// Makes one call of the Bot API, within a span of its own. The address holds the token and is in none.
    pub(super) async fn call<R: Request<Err = RequestError>>(&self, request: R) -> Sent<R> {
        let mut name = <R::Payload as Payload>::NAME.to_owned();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        let mut span = spans::call("POST", &format!("/bot{{token}}/{name}"), &self.listening.api_url());
        let sent = request.send().await;
        match &sent {
            Ok(_) => span.answered(200, 400),
            Err(RequestError::RetryAfter(_)) => span.answered(429, 400),
            Err(RequestError::Api(_) | RequestError::MigrateToChatId(_)) => span.fail("refused"),
            Err(RequestError::Network(_)) => span.fail("no_answer"),
            Err(RequestError::InvalidJson { .. } | RequestError::Io(_)) => span.fail("unreadable"),
        }
        sent
    }
}

/// Telegram refuses the address of a button, such as one without a dot in its host, and the whole message with it: the rest is
/// shown all the same.
fn is_about_a_link(error: &ApiError) -> bool {
    let text = description(error).to_ascii_lowercase();
    let is_refused = text.contains("button") && text.contains("url");
    if is_refused {
        tracing::error!(%error, "Telegram refuses a link; the message is shown without it: correct the address in the settings");
    }
    is_refused
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the other errors are about something else")]
fn is_about_the_photo(error: &ApiError) -> bool {
    match error {
        ApiError::WrongFileId
        | ApiError::WrongFileIdOrUrl
        | ApiError::FileIdInvalid
        | ApiError::FailedToGetUrlContent
        | ApiError::ImageProcessFailed => true,
        ApiError::Unknown(text) => {
            let text = text.to_ascii_lowercase();
            [
                "wrong file",
                "file identifier",
                "wrong remote file",
                "photo_invalid",
                "media_empty",
                "file reference",
            ]
            .iter()
            .any(|words| text.contains(words))
        }
        _ => false,
    }
}
