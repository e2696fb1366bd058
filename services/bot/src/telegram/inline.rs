//! Answers to inline queries, and the list of commands.

use teloxide::{
    payloads::{AnswerInlineQuerySetters, SetMyCommandsSetters},
    requests::Requester,
    types::{BotCommand, InlineQueryId, InlineQueryResult, InlineQueryResultsButton},
};
use tolov_domain::Language;

use crate::telegram::{client::Telegram, errors::SendError};

/// How long Telegram may cache an answer: prices and stock change.
const CACHE_S: u32 = 10;

impl Telegram {
    /// Answers an inline query; `next` is the offset of what follows, empty at the end.
    pub(crate) async fn answer_inline(
        &self,
        query: &InlineQueryId,
        results: Vec<InlineQueryResult>,
        next: String,
        button: InlineQueryResultsButton,
    ) -> Result<(), SendError> {
        // In the language of the person, so not for others.
        let request = self.listening.answer_inline_query(query.clone(), results).is_personal(true);
        let request = request.cache_time(CACHE_S).next_offset(next).button(button);
        self.patiently(request).await.map(drop).map_err(|error| self.failed(&error))
    }

    /// Sets the list of commands for those whose Telegram speaks a language, or for all others.
    pub(crate) async fn set_commands(
        &self,
        commands: Vec<BotCommand>,
        only: Option<Language>,
    ) -> Result<(), SendError> {
        let request = self.listening.set_my_commands(commands);
        let set = match only {
            Some(language) => self.patiently(request.language_code(language.as_str())).await,
            None => self.patiently(request).await,
        };
        set.map(drop).map_err(|error| self.failed(&error))
    }
}
