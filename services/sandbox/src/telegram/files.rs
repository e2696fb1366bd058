//! Files that were sent, in memory.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    params::{Params, Upload},
    refusal::Refusal,
};

/// All files together; the oldest are forgotten beyond it.
const MAX_STORED_BYTES: usize = 64 * 1024 * 1024;
const MAX_STORED_FILES: usize = 10_000;

/// What is known of a file without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    pub file_id: String,
    pub file_unique_id: String,
    pub file_name: String,
    pub file_path: String,
    pub file_size: usize,
    /// 0 for what is no picture.
    pub width: u32,
    pub height: u32,
    /// Where the bot said that the file is. The sandbox does not fetch it: it asks nothing of the outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_url: Option<String>,
}

/// Photo or document: each has its own path and its own rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Photo,
    Document,
}

#[derive(Debug, Default)]
pub(crate) struct Files {
    stored: BTreeMap<u64, (FileRecord, Bytes)>,
    bytes: usize,
    last: u64,
}

impl Files {
    pub(crate) fn by_id(&self, file_id: &str) -> Option<&FileRecord> {
        let number = file_id.rsplit_once('-')?.1.parse().ok()?;
        self.stored.get(&number).map(|(record, _)| record).filter(|record| record.file_id == file_id)
    }

    pub(crate) fn content(&self, file_path: &str) -> Option<Bytes> {
        // Downloads are rare and files few; a second index would be one more thing to keep right.
        self.stored.values().find(|(record, _)| record.file_path == file_path).map(|(_, bytes)| bytes.clone())
    }

    /// Keeps a file. A photo must begin like a picture, as Telegram demands of an upload.
    pub(crate) fn store(&mut self, kind: FileKind, upload: &Upload) -> Result<FileRecord, Refusal> {
        let (width, height) = match kind {
            FileKind::Photo if is_picture(&upload.content) => picture_size(&upload.content),
            FileKind::Photo => return Err(Refusal::bad_request("IMAGE_PROCESS_FAILED")),
            FileKind::Document => (0, 0),
        };
        Ok(self.insert(kind, upload.file_name.clone(), upload.content.clone(), (width, height), None))
    }

    fn insert(
        &mut self,
        kind: FileKind,
        file_name: String,
        content: Bytes,
        (width, height): (u32, u32),
        source_url: Option<String>,
    ) -> FileRecord {
        self.last += 1;
        let number = self.last;
        let (letter, file_path) = match kind {
            FileKind::Photo => ("p", format!("photos/file_{number}.jpg")),
            FileKind::Document => ("d", format!("documents/file_{number}")),
        };
        let record = FileRecord {
            file_id: format!("sandbox-{letter}-{number}"),
            file_unique_id: format!("{letter}u{number}"),
            file_name,
            file_path,
            file_size: content.len(),
            width,
            height,
            source_url,
        };
        self.bytes += content.len();
        self.stored.insert(number, (record.clone(), content));
        while self.bytes > MAX_STORED_BYTES || self.stored.len() > MAX_STORED_FILES {
            let Some((_, (_, forgotten))) = self.stored.pop_first() else { break };
            self.bytes -= forgotten.len();
        }
        record
    }

    /// The file of a parameter: an upload, the id of an earlier file, or an address.
    pub(crate) fn of_params(
        &mut self,
        kind: FileKind,
        params: &Params,
        name: &str,
    ) -> Result<FileRecord, Refusal> {
        if let Some(upload) = params.upload(name) {
            return self.store(kind, upload);
        }
        let reference = params.text(name).filter(|reference| !reference.is_empty());
        let reference = reference
            .ok_or_else(|| Refusal::bad_request(format_args!("there is no {name} in the request")))?;
        self.of_reference(kind, &reference)
    }

    pub(crate) fn of_reference(&mut self, kind: FileKind, reference: &str) -> Result<FileRecord, Refusal> {
        if let Some(known) = self.by_id(reference) {
            return Ok(known.clone());
        }
        match url::Url::parse(reference) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => {
                let name = url.path_segments().and_then(|mut path| path.next_back()).unwrap_or_default();
                Ok(self.insert(kind, name.to_owned(), Bytes::new(), (1, 1), Some(reference.to_owned())))
            }
            _ => Err(Refusal::bad_request(
                "wrong remote file identifier specified: Wrong padding in the string",
            )),
        }
    }
}

impl FileRecord {
    /// The fields that every file object of the Bot API has.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "file_id": self.file_id, "file_unique_id": self.file_unique_id, "file_size": self.file_size })
    }

    pub(crate) fn to_photo_size(&self) -> Value {
        let mut size = self.to_json();
        size["width"] = self.width.into();
        size["height"] = self.height.into();
        size
    }
}

fn is_picture(content: &[u8]) -> bool {
    picture_type(content).is_some()
}

/// The content type of a picture, by how it begins.
pub(crate) fn picture_type(content: &[u8]) -> Option<&'static str> {
    let starts = |magic: &[u8]| content.starts_with(magic);
    match () {
        () if starts(b"\xff\xd8\xff") => Some("image/jpeg"),
        () if starts(PNG) => Some("image/png"),
        () if starts(b"GIF8") => Some("image/gif"),
        () if starts(b"BM") => Some("image/bmp"),
        () if starts(b"RIFF") && content.get(8..12) == Some(b"WEBP") => Some("image/webp"),
        () => None,
    }
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The size that a PNG states; for other kinds a usual one, because nothing here draws them.
fn picture_size(content: &[u8]) -> (u32, u32) {
    let number = |from: usize| {
        let bytes: [u8; 4] = content.get(from..from + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    };
    match (content.starts_with(PNG), number(16), number(20)) {
        (true, Some(width), Some(height)) => (width, height),
        _ => (800, 600),
    }
}
