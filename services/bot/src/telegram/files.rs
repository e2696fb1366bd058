//! Files: photos kept in the staff channel, documents sent and received.

use std::{
    io,
    path::Path,
    pin::Pin,
    task::{Context, Poll},
};

use reqwest::StatusCode;
use teloxide::{
    ApiError, DownloadError, RequestError,
    net::Download,
    payloads::{SendDocumentSetters, SendPhotoSetters},
    requests::Requester,
    types::{ChatId, FileId, InputFile, Recipient},
};
use tokio::io::{AsyncReadExt, AsyncWrite};

use crate::telegram::{client::Telegram, errors::SendError};

/// Why a file that a person sent could not be downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DownloadFailed {
    TooLarge,
    /// It may work later.
    Unavailable,
    /// The Bot API server that BOT_API_URL names keeps files where this process cannot read them.
    NotServed,
}

impl Telegram {
    /// Posts a photo to a chat where it stays, and returns the `file_id` of its largest size there. A photo that is only in a
    /// private chat would be lost with that chat.
    pub(crate) async fn keep_photo(
        &self,
        chat: Recipient,
        photo: &str,
        caption: String,
    ) -> Result<String, SendError> {
        let request = self
            .listening
            .send_photo(chat.clone(), InputFile::file_id(FileId(photo.to_owned())))
            .caption(caption);
        let message = self.patiently_in(chat, request).await.map_err(|error| self.failed(&error))?;
        let largest = message.photo().and_then(|sizes| sizes.iter().max_by_key(|size| size.width));
        largest
            .map(|size| size.file.id.0.clone())
            .ok_or_else(|| SendError::Refused(ApiError::Unknown("the answer has no photo".to_owned())))
    }

    pub(crate) async fn send_document(
        &self,
        chat: ChatId,
        name: &str,
        content: Vec<u8>,
        caption: String,
    ) -> Result<(), SendError> {
        let file = InputFile::memory(content).file_name(name.to_owned());
        let request = self.listening.send_document(chat, file).caption(caption);
        let sent = self.patiently_in(chat, request).await;
        sent.map(drop).map_err(|error| self.failed(&error))
    }

    /// A file that a person sent to the bot, of at most so many bytes.
    pub(crate) async fn fetch(&self, file_id: &str, max_bytes: usize) -> Result<Vec<u8>, DownloadFailed> {
        let found = self.patiently(self.listening.get_file(FileId(file_id.to_owned()))).await;
        let file = found.map_err(|error| {
            // Above 20 MB Telegram gives nothing to bots.
            let is_large =
                matches!(&error, RequestError::Api(error) if error.to_string().contains("too big"));
            if is_large { DownloadFailed::TooLarge } else { DownloadFailed::Unavailable }
        })?;
        if usize::try_from(file.size).unwrap_or(usize::MAX) > max_bytes && file.size != u32::MAX {
            return Err(DownloadFailed::TooLarge);
        }
        // telegram-bot-api with --local answers with a path on its own machine, and serves no files.
        if self.is_own_server && Path::new(&file.path).is_absolute() {
            return read_local(&file.path, max_bytes).await;
        }
        let mut sink = Capped { content: Vec::new(), max_bytes, is_full: false };
        match self.listening.download_file(&file.path, &mut sink).await {
            Ok(()) => Ok(sink.content),
            Err(_) if sink.is_full => Err(DownloadFailed::TooLarge),
            Err(DownloadError::Network(error))
                if self.is_own_server && error.status() == Some(StatusCode::NOT_FOUND) =>
            {
                Err(DownloadFailed::NotServed)
            }
            // The error names an address with the token in it, so it is not logged.
            Err(_) => Err(DownloadFailed::Unavailable),
        }
    }
}

async fn read_local(path: &str, max_bytes: usize) -> Result<Vec<u8>, DownloadFailed> {
    let file = tokio::fs::File::open(path).await.map_err(|error| {
        // The path has the token in it.
        tracing::warn!(%error, "a file of the own Bot API server cannot be read: share its folder with the bot");
        DownloadFailed::NotServed
    })?;
    let mut content = Vec::new();
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut content).await.map_err(|_| DownloadFailed::Unavailable)?;
    if content.len() > max_bytes { Err(DownloadFailed::TooLarge) } else { Ok(content) }
}

/// Takes bytes up to a limit, whatever the sender said of their number.
struct Capped {
    content: Vec<u8>,
    max_bytes: usize,
    is_full: bool,
}

impl AsyncWrite for Capped {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.content.len().saturating_add(bytes.len()) > self.max_bytes {
            self.is_full = true;
            return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
        }
        self.content.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
