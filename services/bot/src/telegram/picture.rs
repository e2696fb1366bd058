//! Pictures that the bot draws.

use teloxide::{
    ApiError, RequestError,
    payloads::{EditMessageMediaSetters, SendPhotoSetters},
    requests::Requester,
    types::{ChatId, InputFile, InputMedia, InputMediaPhoto, MessageId, ParseMode},
};

use crate::{
    conversation::{dialogue::ShownMessage, screen::Screen},
    telegram::{client::Telegram, errors::SendError},
};

impl Telegram {
    /// Shows a picture with a caption and buttons, in the place of a message where there is one.
    pub(crate) async fn show_picture(
        &self,
        chat: ChatId,
        shown: Option<ShownMessage>,
        png: Vec<u8>,
        caption: &Screen,
    ) -> Result<ShownMessage, SendError> {
        let file = || InputFile::memory(png.clone()).file_name("chart.png");
        if let Some(shown) = shown {
            let media =
                InputMediaPhoto::new(file()).caption(caption.fitting_html()).parse_mode(ParseMode::Html);
            let id = MessageId(shown.message_id);
            let request = self.listening.edit_message_media(chat, id, InputMedia::Photo(media));
            match self.patiently_in(chat, request.reply_markup(caption.markup())).await {
                Ok(_) | Err(RequestError::Api(ApiError::MessageNotModified)) => {
                    return Ok(ShownMessage { has_photo: true, ..shown });
                }
                // That message cannot be edited: a new one is sent.
                Err(RequestError::Api(_)) => {}
                Err(error) => return Err(self.failed(&error)),
            }
        }
        let request = self
            .listening
            .send_photo(chat, file())
            .caption(caption.fitting_html())
            .parse_mode(ParseMode::Html)
            .reply_markup(caption.markup());
        let sent = self.patiently_in(chat, request).await.map_err(|error| self.failed(&error))?;
        Ok(ShownMessage { message_id: sent.id.0, has_photo: true })
    }
}
