//! The parameters of a call, whichever of the four ways they came in: query, JSON, form, or multipart.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{multipart, refusal::Refusal};

/// The parameters of one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params {
    values: Map<String, Value>,
    files: BTreeMap<String, Upload>,
}

/// A file that came with the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upload {
    pub(crate) file_name: String,
    pub(crate) content: Bytes,
}

/// Which chat a parameter names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recipient {
    Id(i64),
    /// Without the @.
    Username(String),
}

impl Params {
    /// Reads query and body. A body of an unknown kind is ignored, as Telegram does.
    pub(crate) fn read(query: &str, content_type: &str, body: &Bytes) -> Result<Self, Refusal> {
        let mut params = Self::default();
        params.add_form(query.as_bytes());
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if let Some(boundary) = multipart::boundary_of(content_type) {
            params.add_multipart(body, &boundary)?;
        } else if kind == "application/json" {
            params.add_json(body)?;
        } else if kind == "application/x-www-form-urlencoded" {
            params.add_form(body);
        }
        Ok(params)
    }

    fn add_form(&mut self, text: &[u8]) {
        for (name, value) in url::form_urlencoded::parse(text) {
            self.values.insert(name.into_owned(), Value::String(value.into_owned()));
        }
    }

    fn add_json(&mut self, body: &[u8]) -> Result<(), Refusal> {
        if body.is_empty() {
            return Ok(());
        }
        let values: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|_| Refusal::bad_request("can't parse request parameters as a JSON object"))?;
        self.values.extend(values.into_iter().filter(|(_, value)| !value.is_null()));
        Ok(())
    }

    fn add_multipart(&mut self, body: &Bytes, boundary: &str) -> Result<(), Refusal> {
        let broken = || Refusal::bad_request("can't parse multipart/form-data");
        for part in multipart::parse(body, boundary).ok_or_else(broken)? {
            if let Some(file_name) = part.file_name {
                let content = body.slice_ref(part.content);
                self.files.insert(part.name, Upload { file_name, content });
            } else {
                let text = std::str::from_utf8(part.content).map_err(|_| broken())?;
                self.values.insert(part.name, Value::String(text.to_owned()));
            }
        }
        Ok(())
    }

    /// The parameter as text; numbers and booleans as they are written.
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

    /// A structured parameter: nested in a JSON body, or JSON text in a form.
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

    /// The file that a parameter such as `photo` gives: sent beside it under the same name or as `attach://NAME`.
    pub(crate) fn upload(&self, name: &str) -> Option<&Upload> {
        self.files.get(name).or_else(|| self.attached(self.values.get(name)?.as_str()?))
    }

    /// The file that `attach://NAME` points at.
    pub(crate) fn attached(&self, reference: &str) -> Option<&Upload> {
        self.files.get(reference.strip_prefix("attach://")?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content_type: &str, body: &'static str) -> Params {
        Params::read("", content_type, &Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn json_form_and_query_say_the_same() {
        let json = read("application/json", r#"{"chat_id": 7, "text": "a b", "reply_markup": {"x": 1}}"#);
        let form = read(
            "application/x-www-form-urlencoded; charset=utf-8",
            "chat_id=7&text=a+b&reply_markup=%7B%22x%22%3A1%7D",
        );
        let query = Params::read("chat_id=7&text=a%20b&reply_markup={\"x\":1}", "", &Bytes::new()).unwrap();
        for params in [json, form, query] {
            assert_eq!(params.recipient("chat_id"), Ok(Recipient::Id(7)));
            assert_eq!(params.text("text").as_deref(), Some("a b"));
            assert_eq!(params.json("reply_markup").unwrap().unwrap()["x"], 1);
        }
    }

    #[test]
    fn an_attached_file_is_found_by_its_reference() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"photo\"\r\n\r\nattach://f1\r\n--b\r\n\
            Content-Disposition: form-data; name=\"f1\"; filename=\"\"\r\n\r\nxyz\r\n--b--\r\n";
        let params = read("multipart/form-data; boundary=b", body);
        assert_eq!(params.upload("photo").unwrap().content, "xyz");
    }
}
