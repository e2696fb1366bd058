//! What was said, as a chat that a reader can read.

use std::{collections::BTreeMap, fmt::Write};

use serde_json::Value;

/// A tap, as the sandbox has it, and whose it was.
pub(crate) struct Act {
    pub(crate) who: String,
    pub(crate) tap: Value,
}

pub(crate) struct Transcript {
    text: String,
    /// The chat that the last lines were of.
    chat: String,
    chats: BTreeMap<i64, Chat>,
    /// What is different in every run, and what stands for it.
    names: Vec<(String, String)>,
}

/// How far a chat has been taken down.
#[derive(Default)]
struct Chat {
    /// By the id of a message: its number in the story, how often it was edited, whether it is gone, and its buttons
    /// in every version.
    messages: BTreeMap<i64, Taken>,
    bot_messages: usize,
}

#[derive(Default, Clone)]
struct Taken {
    number: usize,
    edits: usize,
    is_gone: bool,
    /// Label by callback data, in all versions.
    labels: BTreeMap<String, String>,
}

impl Transcript {
    pub(crate) fn new(names: &[(&str, &str)]) -> Self {
        let names = names.iter().map(|(value, name)| ((*value).to_owned(), (*name).to_owned())).collect();
        Self { text: String::new(), chat: String::new(), chats: BTreeMap::new(), names }
    }

    pub(crate) fn text(&mut self) -> String {
        let mut text = self.text.clone();
        for (value, name) in &self.names {
            text = text.replace(value, name);
        }
        without_times(&text)
    }

    /// Something that happened outside of any chat.
    pub(crate) fn remark(&mut self, line: &str) {
        self.chat.clear();
        writeln!(self.text, "\n* {line} *").unwrap();
    }

    pub(crate) fn payment(&mut self, who: &str, payment: &Value) {
        for (field, name) in
            [("click_paydoc_id", "‹CLICK payment›"), ("click_trans_id", "‹CLICK transaction›")]
        {
            self.names.push((payment[field].to_string(), name.to_owned()));
        }
        let (status, amount) = (&payment["status"], payment["amount"].as_str().unwrap_or_default());
        let became = status["status"].as_str().unwrap_or_default();
        let why = status["error_note"].as_str().map_or_else(String::new, |note| format!(" ({note})"));
        self.remark(&format!("{who} opens the pay link, {amount} so'm: {became}{why}"));
    }

    /// The provider's number of a payment in Telegram is another one in each run.
    pub(crate) fn checkout(&mut self, checkout: &Value) {
        if let Some(number) = checkout["paid"]["provider_payment_charge_id"].as_str() {
            self.names.push((number.to_owned(), "‹provider payment›".to_owned()));
        }
    }

    /// What the bot offered in some other chat.
    pub(crate) fn inline(&mut self, who: &str, query: &str, answer: &Value) {
        self.remark(&format!("{who} types \"@bot {query}\" in another chat"));
        let mut lines = Vec::new();
        for result in answer.as_array().into_iter().flatten() {
            let field = |name: &str| result[name].as_str().unwrap_or_default().to_owned();
            lines.push(format!("• {} — {}", field("title"), field("description")));
        }
        self.say("bot offers", &lines.join("\n"));
    }

    /// A tap and what the bot said to it above the chat. Comes before [`Transcript::take_down`] of what it changed.
    pub(crate) fn tap(&mut self, chat_id: i64, title: &str, act: &Act) {
        self.enter(title);
        let data = act.tap["data"].as_str().unwrap_or_default();
        let message =
            self.chats.get(&chat_id).and_then(|chat| chat.messages.get(&act.tap["message_id"].as_i64()?));
        let label = message.and_then(|taken| taken.labels.get(data)).map_or(data, String::as_str).to_owned();
        writeln!(self.text, "{}: 👆 [ {label} ]", act.who).unwrap();
        let answer = &act.tap["answer"];
        if let Some(said) = answer["text"].as_str() {
            let how = if answer["show_alert"] == true { "alert" } else { "toast" };
            self.say(&format!("bot ({how})"), said);
        }
    }

    /// Everything in a chat that is not in the story yet.
    pub(crate) fn take_down(&mut self, chat_id: i64, title: &str, log: &Value) {
        let mut changed: Vec<&Value> = log.as_array().unwrap().iter().collect();
        changed.sort_by_key(|message| message["revision"].as_u64());
        for message in changed {
            self.take_down_message(chat_id, title, message);
        }
    }

    fn take_down_message(&mut self, chat_id: i64, title: &str, message: &Value) {
        let chat = self.chats.entry(chat_id).or_default();
        let id = message["message_id"].as_i64().unwrap();
        let is_bot = message["from"] == "bot";
        let edits = message["earlier"].as_array().unwrap();
        let is_gone = !message["deleted_at_ms"].is_null();
        let known = chat.messages.get(&id).cloned();
        if known.as_ref().is_some_and(|known| known.edits == edits.len() && known.is_gone == is_gone) {
            return;
        }
        let mut taken = known.clone().unwrap_or_default();
        if known.is_none() && is_bot {
            chat.bot_messages += 1;
            taken.number = chat.bot_messages;
        }
        let versions: Vec<&Value> = edits.iter().chain([message]).collect();
        let first_new = if known.is_some() { taken.edits + 1 } else { 0 };
        for version in &versions {
            taken.labels.extend(labels(version));
        }
        taken.edits = edits.len();
        taken.is_gone = is_gone;
        chat.messages.insert(id, taken.clone());
        self.enter(title);
        for (position, version) in versions.iter().enumerate().skip(first_new) {
            let who = match (is_bot, position) {
                (false, _) => title.to_owned(),
                (true, 0) => format!("bot #{}", taken.number),
                (true, _) => format!("bot edits #{}", taken.number),
            };
            self.say(&who, &body(version));
        }
        if is_gone && !known.is_some_and(|known| known.is_gone) {
            writeln!(self.text, "bot removes #{}", taken.number).unwrap();
        }
    }

    /// Lines of one speaker: beside the name when they are one, else below.
    fn say(&mut self, who: &str, said: &str) {
        if said.contains('\n') {
            writeln!(self.text, "{who}:").unwrap();
            for line in said.lines() {
                writeln!(self.text, "{}", format!("    {line}").trim_end()).unwrap();
            }
        } else {
            writeln!(self.text, "{who}: {said}").unwrap();
        }
    }

    fn enter(&mut self, title: &str) {
        if self.chat != title {
            title.clone_into(&mut self.chat);
            writeln!(self.text, "\n═══ {title} ═══").unwrap();
        }
    }
}

/// What a version of a message shows, its buttons below it.
fn body(version: &Value) -> String {
    let mut lines = Vec::new();
    match version["kind"].as_str().unwrap() {
        "photo" => lines.push("[photo]".to_owned()),
        "document" => {
            lines.push(format!("[file {}]", version["document"]["file_name"].as_str().unwrap_or_default()));
        }
        "location" => lines.push("[location]".to_owned()),
        "contact" => {
            let number = version["contact"]["phone_number"].as_str().unwrap_or_default();
            lines.push(format!("[contact {number}]"));
        }
        "invoice" => {
            let invoice = &version["invoice"];
            let words = |field: &str| invoice[field].as_str().unwrap_or_default().to_owned();
            lines.push(format!(
                "[invoice {}, {} tiyin: {}]",
                words("title"),
                invoice["total_amount"],
                words("description")
            ));
        }
        "successful_payment" => {
            lines.push(format!("[paid {} tiyin]", version["successful_payment"]["total_amount"]));
        }
        _ => {}
    }
    lines.extend(version["text"].as_str().map(str::to_owned).filter(|text| !text.is_empty()));
    let markup = &version["reply_markup"];
    lines.extend(rows(&markup["inline_keyboard"]).map(|row| format!("[ {} ]", row.join(" | "))));
    lines.extend(rows(&markup["keyboard"]).map(|row| format!("⌨ [ {} ]", row.join(" | "))));
    if markup["remove_keyboard"] == true {
        lines.push("⌨ (gone)".to_owned());
    }
    lines.join("\n")
}

fn rows(keyboard: &Value) -> impl Iterator<Item = Vec<String>> + '_ {
    let caption = |button: &Value| {
        let text = button.as_str().or_else(|| button["text"].as_str()).unwrap_or_default();
        match (button["url"].as_str(), button["switch_inline_query"].as_str()) {
            (Some(url), _) => format!("{text} → {url}"),
            (None, Some(query)) => format!("{text} → share {query:?}"),
            (None, None) => text.to_owned(),
        }
    };
    let rows = keyboard.as_array().into_iter().flatten();
    rows.map(move |row| row.as_array().into_iter().flatten().map(caption).collect())
}

fn labels(version: &Value) -> impl Iterator<Item = (String, String)> + '_ {
    let rows = version["reply_markup"]["inline_keyboard"].as_array().into_iter().flatten();
    let buttons = rows.flat_map(|row| row.as_array().into_iter().flatten());
    buttons.filter_map(|button| {
        Some((button["callback_data"].as_str()?.to_owned(), button["text"].as_str()?.to_owned()))
    })
}

/// Days and hours are different in every run: `23.11.2026 12:05` becomes `dd.mm.yyyy hh:mm`.
fn without_times(text: &str) -> String {
    const FORMS: [(&str, &str); 3] =
        [("##.##.####", "dd.mm.yyyy"), ("####-##-##", "yyyy-mm-dd"), ("##:##", "hh:mm")];
    let characters: Vec<char> = text.chars().collect();
    let fits = |at: usize, form: &str| {
        let is_digit = |position: usize| characters.get(position).is_some_and(char::is_ascii_digit);
        let length = form.chars().count();
        let before = at.checked_sub(1).is_some_and(is_digit);
        let inside = form.chars().enumerate().all(|(offset, wanted)| match wanted {
            '#' => is_digit(at + offset),
            other => characters.get(at + offset) == Some(&other),
        });
        inside && !before && !is_digit(at + length)
    };
    let mut written = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(character) = characters.get(at) {
        if let Some((form, name)) = FORMS.iter().find(|(form, _)| fits(at, form)) {
            written.push_str(name);
            at += form.chars().count();
        } else {
            written.push(*character);
            at += 1;
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn days_and_hours_are_taken_out_and_nothing_else() {
        assert_eq!(without_times("23.11.2026 12:05, 1 500 000 so'm"), "dd.mm.yyyy hh:mm, 1 500 000 so'm");
        assert_eq!(without_times("№1001 · 12345:67 · 1.2.2026"), "№1001 · 12345:67 · 1.2.2026");
    }

    #[test]
    fn a_chat_reads_as_a_chat() {
        let keyboard =
            |label: &str| json!({ "inline_keyboard": [[{ "text": label, "callback_data": "x" }]] });
        let mut message = json!({
            "message_id": 2, "from": "bot", "kind": "text", "text": "Menyu", "earlier": [], "revision": 2,
            "reply_markup": keyboard("Katalog"),
        });
        let hello = json!({
            "message_id": 1, "from": "person", "kind": "text", "text": "/start", "earlier": [], "revision": 1,
        });
        let mut transcript = Transcript::new(&[]);
        transcript.take_down(5, "Dilnoza", &json!([hello, message]));
        let tap = json!({ "data": "x", "message_id": 2, "answer": { "text": "Mana", "show_alert": false } });
        transcript.tap(5, "Dilnoza", &Act { who: "Dilnoza".to_owned(), tap });
        message["earlier"] = json!([message.clone()]);
        message["text"] = json!("Katalog\nbo'sh");
        message["revision"] = json!(4);
        message["deleted_at_ms"] = json!(7);
        transcript.take_down(5, "Dilnoza", &json!([hello, message]));
        let read = "\n═══ Dilnoza ═══\nDilnoza: /start\nbot #1:\n    Menyu\n    [ Katalog ]\nDilnoza: 👆 [ Katalog ]\n\
                    bot (toast): Mana\nbot edits #1:\n    Katalog\n    bo'sh\n    [ Katalog ]\nbot removes #1\n";
        assert_eq!(transcript.text(), read);
    }
}
