//! Files that were sent.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::telegram::refusal::Refusal;

/// Of all files together; the oldest are dropped.
const MAX_STORED_BYTES: usize = 64 * 1024 * 1024;
const MAX_STORED_FILES: usize = 10_000;
const MAX_NAME_CHARS: usize = 255;

/// A file that came with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upload {
    pub(crate) file_name: String,
    pub(crate) content: Bytes,
}

/// A file without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    pub file_id: String,
    pub file_unique_id: String,
    pub file_name: String,
    pub file_path: String,
    pub file_size: usize,
    /// 0 unless it is a picture.
    pub width: u32,
    pub height: u32,
    /// The address that the bot sent instead of a file. The sandbox does not fetch it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_url: Option<String>,
}

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
        self.stored.values().find(|(record, _)| record.file_path == file_path).map(|(_, bytes)| bytes.clone())
    }

    /// Stores a file. A photo must begin like a picture.
    pub(crate) fn store(&mut self, kind: FileKind, upload: &Upload) -> Result<FileRecord, Refusal> {
        let (width, height) = match kind {
            FileKind::Photo if picture_type(&upload.content).is_some() => picture_size(&upload.content),
            FileKind::Photo => return Err(Refusal::bad_request("IMAGE_PROCESS_FAILED")),
            FileKind::Document => (0, 0),
        };
        Ok(self.insert(kind, &upload.file_name, upload.content.clone(), (width, height), None))
    }

    fn insert(
        &mut self,
        kind: FileKind,
        file_name: &str,
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
            file_name: file_name.chars().take(MAX_NAME_CHARS).collect(),
            file_path,
            file_size: content.len(),
            width,
            height,
            source_url,
        };
        self.bytes += content.len();
        self.stored.insert(number, (record.clone(), content));
        while self.bytes > MAX_STORED_BYTES || self.stored.len() > MAX_STORED_FILES {
            let Some((_, (_, dropped))) = self.stored.pop_first() else { break };
            self.bytes -= dropped.len();
        }
        record
    }

    /// The file of an id, or a record of an address.
    pub(crate) fn of_reference(&mut self, kind: FileKind, reference: &str) -> Result<FileRecord, Refusal> {
        if let Some(known) = self.by_id(reference) {
            return Ok(known.clone());
        }
        match url::Url::parse(reference) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => {
                let name = url.path_segments().and_then(|mut path| path.next_back()).unwrap_or_default();
                Ok(self.insert(kind, name, Bytes::new(), (1, 1), Some(reference.to_owned())))
            }
            _ => Err(Refusal::bad_request(
                "wrong remote file identifier specified: Wrong padding in the string",
            )),
        }
    }
}

impl FileRecord {
    /// The fields that all file objects of the Bot API have.
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

/// The content type of a picture, by its first bytes.
pub(crate) fn picture_type(content: &[u8]) -> Option<&'static str> {
    let starts = |magic: &[u8]| content.starts_with(magic);
    if starts(b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if starts(PNG) {
        Some("image/png")
    } else if starts(b"GIF8") {
        Some("image/gif")
    } else if starts(b"BM") {
        Some("image/bmp")
    } else if starts(b"RIFF") && content.get(8..12) == Some(b"WEBP") {
        Some("image/webp")
    } else {
        None
    }
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The size of a PNG; a usual size for other kinds.
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
