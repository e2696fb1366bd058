//! The parameters of a call: query, JSON, form and multipart.

use std::{collections::BTreeMap, convert::Infallible};

use bytes::Bytes;
use multer::Multipart;
use serde_json::{Map, Value};

use crate::telegram::{
    refusal::Refusal,
    state::{chat::Recipient, files::Upload},
};

const MAX_VALUES: usize = 200;
const MAX_VALUE_BYTES: usize = 256 * 1024;

#[derive(Debug, Clone, Default)]
pub(crate) struct Params {
    values: Map<String, Value>,
    files: BTreeMap<String, Upload>,
}

impl Params {
    /// Reads query and body. A body of another type is ignored, as Telegram does.
    pub(crate) async fn read(query: &str, content_type: &str, body: Bytes) -> Result<Self, Refusal> {
        let mut params = Self::default();
        params.add_form(query.as_bytes())?;
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "multipart/form-data" => params.add_multipart(content_type, body).await.map_err(|error| {
                error.unwrap_or_else(|| Refusal::bad_request("can't parse multipart/form-data"))
            })?,
            "application/json" => params.add_json(&body)?,
            "application/x-www-form-urlencoded" => params.add_form(&body)?,
            _ => {}
        }
        Ok(params)
    }

    fn add_form(&mut self, text: &[u8]) -> Result<(), Refusal> {
        url::form_urlencoded::parse(text)
            .try_for_each(|(name, value)| self.add(name.into_owned(), Value::String(value.into_owned())))
    }

    fn add_json(&mut self, body: &[u8]) -> Result<(), Refusal> {
        if body.is_empty() {
            return Ok(());
        }
        let values: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|_| Refusal::bad_request("can't parse request parameters as a JSON object"))?;
        values
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .try_for_each(|(name, value)| self.add(name, value))
    }

    /// `Err(None)`: the body is malformed.
    async fn add_multipart(&mut self, content_type: &str, body: Bytes) -> Result<(), Option<Refusal>> {
        let malformed = |_: multer::Error| None;
        let boundary = multer::parse_boundary(content_type).map_err(malformed)?;
        let body = futures_util::stream::iter([Ok::<_, Infallible>(body)]);
        let mut parts = Multipart::new(body, boundary);
        while let Some(part) = parts.next_field().await.map_err(malformed)? {
            let name = part.name().ok_or(None)?.to_owned();
            if let Some(file_name) = part.file_name().map(str::to_owned) {
                if self.files.len() >= MAX_VALUES {
                    return Err(Some(Refusal::too_large()));
                }
                let content = part.bytes().await.map_err(malformed)?;
                self.files.insert(name, Upload { file_name, content });
            } else {
                let text = part.text().await.map_err(malformed)?;
                self.add(name, Value::String(text)).map_err(Some)?;
            }
        }
        Ok(())
    }

    /// Values are kept in messages and records, so each is bounded.
    fn add(&mut self, name: String, value: Value) -> Result<(), Refusal> {
        let length = value.as_str().map_or_else(|| value.to_string().len(), str::len);
        if length > MAX_VALUE_BYTES || self.values.len() >= MAX_VALUES {
            return Err(Refusal::too_large());
        }
        self.values.insert(name, value);
        Ok(())
    }

    /// As text; numbers and booleans as they are written.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let value = self.values.get(name)?;
        value
            .as_str()
            .map(str::to_owned)
            .or_else(|| (value.is_number() || value.is_boolean()).then(|| value.to_string()))
    }

    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.trim()
            .parse()
            .map(Some)
            .map_err(|_| Refusal::bad_request(format_args!("parameter \"{name}\" must be an Integer")))
    }

    pub(crate) fn decimal(&self, name: &str) -> Result<f64, Refusal> {
        self.text(name)
            .and_then(|text| text.trim().parse().ok())
            .filter(|number: &f64| number.is_finite())
            .ok_or_else(|| Refusal::bad_request(format_args!("{name} is empty")))
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| matches!(text.to_ascii_lowercase().as_str(), "true" | "1" | "yes"))
    }

    /// As JSON: nested in a JSON body, or JSON text in a form.
    pub(crate) fn json(&self, name: &str) -> Result<Option<Value>, Refusal> {
        let Some(value) = self.values.get(name) else { return Ok(None) };
        let Some(text) = value.as_str() else { return Ok(Some(value.clone())) };
        if text.is_empty() {
            return Ok(None);
        }
        serde_json::from_str(text)
            .map(Some)
            .map_err(|_| Refusal::bad_request(format_args!("can't parse {name} JSON object")))
    }

    pub(crate) fn recipient(&self, name: &str) -> Result<Recipient, Refusal> {
        let text = self.text(name).unwrap_or_default();
        let text = text.trim();
        if text.is_empty() {
            return Err(Refusal::bad_request(format_args!("{name} is empty")));
        }
        if let Some(username) = text.strip_prefix('@') {
            return Ok(Recipient::Username(username.to_owned()));
        }
        text.parse().map(Recipient::Id).map_err(|_| Refusal::chat_not_found())
    }

    pub(crate) fn message_id(&self) -> Result<i64, Refusal> {
        self.integer("message_id")?.ok_or_else(|| Refusal::bad_request("message identifier is not specified"))
    }

    /// The file of a parameter such as `photo`: a part of the same name, or the part that `attach://NAME` names.
    pub(crate) fn upload(&self, name: &str) -> Option<&Upload> {
        self.files.get(name).or_else(|| self.attached(self.values.get(name)?.as_str()?))
    }

    /// The file that `attach://NAME` names.
    pub(crate) fn attached(&self, reference: &str) -> Option<&Upload> {
        self.files.get(reference.strip_prefix("attach://")?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(content_type: &str, body: &'static str) -> Result<Params, Refusal> {
        Params::read("", content_type, Bytes::from_static(body.as_bytes())).await
    }

    #[tokio::test]
    async fn json_form_and_query_are_read_alike() {
        let json = read("application/json", r#"{"chat_id": 7, "text": "a b", "reply_markup": {"x": 1}}"#);
        let form = read(
            "application/x-www-form-urlencoded; charset=utf-8",
            "chat_id=7&text=a+b&reply_markup=%7B%22x%22%3A1%7D",
        );
        let query = "chat_id=7&text=a%20b&reply_markup={\"x\":1}";
        let query = Params::read(query, "", Bytes::new()).await.unwrap();
        for params in [json.await.unwrap(), form.await.unwrap(), query] {
            assert_eq!(params.recipient("chat_id"), Ok(Recipient::Id(7)));
            assert_eq!(params.text("text").as_deref(), Some("a b"));
            assert_eq!(params.json("reply_markup").unwrap().unwrap()["x"], 1);
        }
    }

    const MULTIPART: &str = "--b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n5\r\n--b\r\n\
        content-disposition: form-data; name=\"photo\"; filename=\"a;b.png\"\r\nContent-Type: image/png\r\n\r\n\
        PNG\r\n--\r\n--b--\r\n";

    #[tokio::test]
    async fn fields_and_files_of_a_multipart_body_are_read() {
        let params = read("Multipart/Form-Data; charset=x; boundary=\"b\"", MULTIPART).await.unwrap();
        assert_eq!(params.text("chat_id").as_deref(), Some("5"));
        let photo = params.upload("photo").unwrap();
        assert_eq!((photo.file_name.as_str(), &photo.content[..]), ("a;b.png", &b"PNG\r\n--"[..]));
    }

    #[tokio::test]
    async fn an_incomplete_multipart_body_is_refused() {
        for length in 0..MULTIPART.len() - 4 {
            let read = read("multipart/form-data; boundary=b", &MULTIPART[..length]).await;
            assert!(read.is_err(), "{length}");
        }
    }

    #[tokio::test]
    async fn an_attached_file_is_found_by_its_reference() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"photo\"\r\n\r\nattach://f1\r\n--b\r\n\
            Content-Disposition: form-data; name=\"f1\"; filename=\"\"\r\n\r\nxyz\r\n--b--\r\n";
        let params = read("multipart/form-data; boundary=b", body).await.unwrap();
        assert_eq!(params.upload("photo").unwrap().content, "xyz");
    }

    #[tokio::test]
    async fn a_value_that_is_too_large_to_keep_is_refused() {
        let query = format!("text={}", "x".repeat(MAX_VALUE_BYTES + 1));
        assert_eq!(Params::read(&query, "", Bytes::new()).await.unwrap_err(), Refusal::too_large());
    }
}
