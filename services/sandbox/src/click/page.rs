//! The payment page's HTML: plain forms that work without script, readable on a phone.

use tolov_domain::{Language, Tiyin};
use url::form_urlencoded;

use super::{
    OpenedLink, Payment, PaymentStatus, TEST_CARD_EXPIRY, TEST_SMS_CODE,
    words::{self, Words},
};

/// Text made safe for HTML, in content and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(character),
        }
    }
    safe
}

/// The test card as a person writes it.
const TEST_CARD_SHOWN: &str = "8600 4954 0000 0094";

/// One page in one language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    pub(super) language: Language,
}

impl Page {
    fn say(self, words: Words) -> String {
        escape(words.in_language(self.language))
    }

    /// `mark` colours the page's head: how the payment stands.
    fn whole(self, title: Words, mark: &str, body: &str) -> String {
        let (language, title, sandbox) = (self.language.as_str(), self.say(title), self.say(words::SANDBOX));
        format!(
            "<!doctype html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{title} · CLICK (sandbox)</title><link rel=\"icon\" href=\"/page/icon.svg\">\
             <link rel=\"stylesheet\" href=\"/page/pay.css\">\
             <script type=\"module\" src=\"/page/pay.js\"></script></head>\n\
             <body class=\"{mark}\"><header><span class=\"brand\">CLICK</span>{{languages}}</header>\
             <main><h1>{title}</h1>\n{body}\n</main><footer>{sandbox}</footer></body></html>\n"
        )
    }

    fn without_languages(self, title: Words, mark: &str, body: &str) -> String {
        self.whole(title, mark, body).replacen("{languages}", "", 1)
    }

    fn what_is_paid(self, order_id: &str, amount: &str) -> String {
        let shown = Tiyin::parse_soum(amount).map_or_else(|_| amount.to_owned(), Tiyin::grouped);
        format!(
            "<dl class=\"bill\"><dt>{}</dt><dd>{}</dd><dt>{}</dt><dd class=\"sum\">{} {}</dd></dl>",
            self.say(words::ORDER),
            escape(order_id),
            self.say(words::AMOUNT),
            escape(&shown),
            words::SOUM.in_language(self.language),
        )
    }

    fn problem_line(self, problem: Option<Words>) -> String {
        problem.map_or_else(String::new, |problem| problem_text(&self.say(problem)))
    }

    fn way_back(self, link: &OpenedLink) -> String {
        link.return_url.as_ref().map_or_else(String::new, |url| {
            format!(
                "<p><a class=\"back\" href=\"{}\">{}</a></p>",
                escape(url.as_str()),
                self.say(words::BACK_TO_SHOP)
            )
        })
    }

    fn hidden_language(self) -> String {
        format!("<input type=\"hidden\" name=\"lang\" value=\"{}\">", self.language.as_str())
    }

    /// Asks for the card. `query` is the pay link's own query, which the form hands on.
    pub(super) fn card(self, link: &OpenedLink, query: &str, problem: Option<Words>) -> String {
        let hint = self
            .say(words::TEST_CARD_HINT)
            .replace("{card}", TEST_CARD_SHOWN)
            .replace("{expiry}", TEST_CARD_EXPIRY);
        let body = format!(
            "{}{}<form method=\"post\" action=\"/services/pay/card\">\
             <input type=\"hidden\" name=\"link\" value=\"{}\">{}\
             <div class=\"card\"><label>{}<input name=\"card\" inputmode=\"numeric\" autocomplete=\"off\" required \
             maxlength=\"23\" placeholder=\"0000 0000 0000 0000\" autofocus></label>\
             <label class=\"short\">{}<input name=\"expiry\" inputmode=\"numeric\" autocomplete=\"off\" required \
             maxlength=\"5\" placeholder=\"00/00\"></label></div>\
             <button>{}</button></form>\n<p class=\"hint\">{hint}</p>{}",
            self.problem_line(problem),
            self.what_is_paid(&link.order_id, &link.amount),
            escape(query),
            self.hidden_language(),
            self.say(words::CARD_NUMBER),
            self.say(words::VALID_UNTIL),
            self.say(words::PAY),
            self.way_back(link),
        );
        // The head first: what follows comes from outside and may have braces in it.
        self.whole(words::PAYMENT, "asks", &body).replacen("{languages}", &languages(self.language, query), 1)
    }

    /// Asks for the code from the SMS.
    pub(super) fn sms(self, payment: &Payment, session: &str, problem: Option<Words>) -> String {
        let session = escape(session);
        let language = self.hidden_language();
        let body = format!(
            "{}{}<p>{} <b class=\"phone\">+998 ** *** ** 45</b></p>\
             <form method=\"post\" action=\"/services/pay/sms\">\
             <input type=\"hidden\" name=\"session\" value=\"{session}\">{language}\
             <label>{}<input class=\"code\" name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" required \
             maxlength=\"7\" placeholder=\"• • • • • •\" autofocus></label><button>{}</button></form>\n\
             <form method=\"post\" action=\"/services/pay/cancel\">\
             <input type=\"hidden\" name=\"session\" value=\"{session}\">{language}\
             <button class=\"quiet\">{}</button></form>\n<p class=\"hint\">{} {TEST_SMS_CODE}</p>",
            self.problem_line(problem),
            self.what_is_paid(&payment.order_id, &payment.amount),
            self.say(words::SMS_SENT),
            self.say(words::SMS_CODE),
            self.say(words::CONFIRM),
            self.say(words::CANCEL),
            self.say(words::TEST_CODE_HINT),
        );
        self.without_languages(words::CONFIRMATION, "asks", &body)
    }

    /// Says how it ended, and leads back.
    pub(super) fn ending(self, payment: &Payment, link: &OpenedLink) -> String {
        let (title, mark, words) = match &payment.status {
            PaymentStatus::Paid { .. } => (words::PAID, "good", self.say(words::PAID_MORE)),
            PaymentStatus::Refused { error_note, .. } => {
                (words::NOT_PAID, "bad", format!("{} {}", self.say(words::SHOP_REFUSED), escape(error_note)))
            }
            PaymentStatus::Cancelled { error: -5017 } => (words::NOT_PAID, "bad", self.say(words::NO_MONEY)),
            PaymentStatus::Cancelled { .. } => (words::CANCELLED, "bad", self.say(words::CANCELLED_MORE)),
            PaymentStatus::Reversed { .. } => (words::GIVEN_BACK, "good", self.say(words::GIVEN_BACK_MORE)),
            PaymentStatus::Created | PaymentStatus::Prepared { .. } | PaymentStatus::Debited { .. } => {
                (words::IN_WORK, "waits", self.say(words::SHOP_SILENT))
            }
            PaymentStatus::Hanging { .. } => (words::IN_WORK, "waits", self.say(words::SHOP_MUTE)),
        };
        let body = format!(
            "<p class=\"ending\" role=\"status\">{words}</p>{}<p class=\"hint\">{} {}</p>{}",
            self.what_is_paid(&payment.order_id, &payment.amount),
            self.say(words::PAYMENT_NUMBER),
            payment.click_paydoc_id,
            self.way_back(link),
        );
        self.without_languages(title, mark, &body)
    }

    /// There is nothing to pay here.
    pub(super) fn refusal(self, problem: &str) -> String {
        self.without_languages(words::NOT_POSSIBLE, "bad", &problem_text(&escape(problem)))
    }

    pub(super) fn refusal_in_words(self, problem: Words) -> String {
        self.refusal(problem.in_language(self.language))
    }
}

fn problem_text(safe: &str) -> String {
    format!("<p class=\"problem\" role=\"alert\">{safe}</p>\n")
}

/// The same link in each language.
fn languages(current: Language, query: &str) -> String {
    let link = |language: Language| {
        let others = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "lang");
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(others)
            .append_pair("lang", language.as_str())
            .finish();
        let tag = language.as_str();
        let here = if language == current { " aria-current=\"true\"" } else { "" };
        format!(
            "<a href=\"/services/pay?{}\" lang=\"{tag}\"{here}>{}</a>",
            escape(&query),
            tag.to_uppercase()
        )
    };
    format!("<nav>{}</nav>", Language::ALL.map(link).concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_a_link_cannot_become_markup() {
        let link = OpenedLink {
            order_id: "\"><script>x</script>{languages}".to_owned(),
            amount: "1500".to_owned(),
            return_url: Some(url::Url::parse("https://a.uz/?q='\"<").unwrap()),
        };
        let page = Page { language: Language::En };
        let html = page.card(&link, "a=\"><img src=x>&b='", None);
        assert!(!html.contains("<script>") && !html.contains("<img"));
        assert!(html.contains("&quot;&gt;&lt;script&gt;x&lt;/script&gt;{languages}"));
    }

    #[test]
    fn the_page_speaks_three_languages_and_leads_from_one_to_another() {
        let link = OpenedLink { order_id: "1".to_owned(), amount: "1500".to_owned(), return_url: None };
        for (language, word) in
            [(Language::Uz, "Karta raqami"), (Language::Ru, "Номер карты"), (Language::En, "Card number")]
        {
            let html = Page { language }.card(&link, "service_id=1&lang=uz", None);
            assert!(html.contains(word) && html.contains("/services/pay?service_id=1&amp;lang=ru"), "{html}");
        }
    }
}
