//! The payment page's HTML: plain forms that work without script.

use maud::{DOCTYPE, Markup, html};
use tolov_domain::{Language, Tiyin};
use url::form_urlencoded;

use super::{
    super::{
        config::{TEST_CARD_EXPIRY, TEST_SMS_CODE},
        link::OpenedLink,
        payment::{Payment, PaymentStatus},
    },
    texts::{self, Text},
};

/// As a person writes it.
const TEST_CARD_SHOWN: &str = "8600 4954 0000 0094";

/// A page in one language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    pub(super) language: Language,
}

impl Page {
    pub(super) fn text(self, text: Text) -> &'static str {
        text.in_language(self.language)
    }

    /// `mark` is the class that shows the payment's status by the page's colour.
    fn whole(self, title: Text, mark: &str, languages: &Markup, body: &Markup) -> String {
        let title = self.text(title);
        html! {
            (DOCTYPE)
            html lang=(self.language.as_str()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (title) " · CLICK (sandbox)" }
                    link rel="icon" href="/page/icon.svg";
                    link rel="stylesheet" href="/page/pay.css";
                    script type="module" src="/page/pay.js" {}
                }
                body class=(mark) {
                    header { span class="brand" { "CLICK" } (languages) }
                    main { h1 { (title) } (body) }
                    footer { (self.text(texts::SANDBOX)) }
                }
            }
        }
        .into_string()
    }

    fn bill(self, order_id: &str, amount: &str) -> Markup {
        let shown = Tiyin::parse_soum(amount).map_or_else(|_| amount.to_owned(), Tiyin::grouped);
        html! {
            dl class="bill" {
                dt { (self.text(texts::ORDER)) } dd { (order_id) }
                dt { (self.text(texts::AMOUNT)) } dd class="sum" { (shown) "\u{a0}" (self.text(texts::SOUM)) }
            }
        }
    }

    fn back_link(self, link: &OpenedLink) -> Markup {
        html! {
            @if let Some(url) = &link.return_url {
                p { a class="back" href=(url) { (self.text(texts::BACK_TO_SHOP)) } }
            }
        }
    }

    /// Hidden fields that keep the session and the language.
    fn hidden(self, name: &str, value: &str) -> Markup {
        html! {
            input type="hidden" name=(name) value=(value);
            input type="hidden" name="lang" value=(self.language.as_str());
        }
    }

    /// Asks for the card. `query` is the pay link's own query, which the form sends on.
    pub(super) fn card(self, link: &OpenedLink, query: &str, problem: Option<Text>) -> String {
        let hint = self
            .text(texts::TEST_CARD_HINT)
            .replace("{card}", TEST_CARD_SHOWN)
            .replace("{expiry}", TEST_CARD_EXPIRY);
        let body = html! {
            (problem_line(problem.map(|problem| self.text(problem))))
            (self.bill(&link.order_id, &link.amount))
            form method="post" action="/services/pay/card" {
                (self.hidden("link", query))
                div class="card" {
                    label {
                        (self.text(texts::CARD_NUMBER))
                        input name="card" inputmode="numeric" autocomplete="off" required maxlength="23"
                            placeholder="0000 0000 0000 0000" autofocus;
                    }
                    label class="short" {
                        (self.text(texts::VALID_UNTIL))
                        input name="expiry" inputmode="numeric" autocomplete="off" required maxlength="5"
                            placeholder="00/00";
                    }
                }
                button { (self.text(texts::PAY)) }
            }
            p class="hint" { (hint) }
            (self.back_link(link))
        };
        self.whole(texts::PAYMENT, "asks", &languages(self.language, query), &body)
    }

    /// Asks for the code from the SMS.
    pub(super) fn sms(self, payment: &Payment, problem: Option<Text>) -> String {
        let session = self.hidden("session", &payment.click_trans_id.to_string());
        let body = html! {
            (problem_line(problem.map(|problem| self.text(problem))))
            (self.bill(&payment.order_id, &payment.amount))
            p { (self.text(texts::SMS_SENT)) " " b class="phone" { "+998 ** *** ** 45" } }
            form method="post" action="/services/pay/sms" {
                (session)
                label {
                    (self.text(texts::SMS_CODE))
                    input class="code" name="code" inputmode="numeric" autocomplete="one-time-code" required
                        maxlength="7" placeholder="• • • • • •" autofocus;
                }
                button { (self.text(texts::CONFIRM)) }
            }
            form method="post" action="/services/pay/cancel" {
                (session)
                button class="quiet" { (self.text(texts::CANCEL)) }
            }
            p class="hint" { (self.text(texts::TEST_CODE_HINT)) " " (TEST_SMS_CODE) }
        };
        self.whole(texts::CONFIRMATION, "asks", &Markup::default(), &body)
    }

    pub(super) fn result(self, payment: &Payment, link: &OpenedLink) -> String {
        let (title, mark, text) = match &payment.status {
            PaymentStatus::Paid { .. } => (texts::PAID, "good", texts::PAID_MORE),
            PaymentStatus::Refused { .. } => (texts::NOT_PAID, "bad", texts::SHOP_REFUSED),
            PaymentStatus::Cancelled { error: -5017 } => (texts::NOT_PAID, "bad", texts::NO_MONEY),
            PaymentStatus::Cancelled { .. } => (texts::CANCELLED, "bad", texts::CANCELLED_MORE),
            PaymentStatus::Reversed { .. } => (texts::REVERSED, "good", texts::REVERSED_MORE),
            PaymentStatus::Created | PaymentStatus::Prepared { .. } | PaymentStatus::Debited { .. } => {
                (texts::IN_PROGRESS, "waits", texts::SHOP_SILENT)
            }
            PaymentStatus::Hanging { .. } => (texts::IN_PROGRESS, "waits", texts::SHOP_UNREACHABLE),
        };
        let body = html! {
            p class="ending" role="status" {
                (self.text(text))
                @if let PaymentStatus::Refused { error_note, .. } = &payment.status { " " (error_note) }
            }
            (self.bill(&payment.order_id, &payment.amount))
            p class="hint" { (self.text(texts::PAYMENT_NUMBER)) " " (payment.click_paydoc_id) }
            (self.back_link(link))
        };
        self.whole(title, mark, &Markup::default(), &body)
    }

    /// There is nothing to pay, for this reason.
    pub(super) fn refusal(self, problem: &str) -> String {
        self.whole(texts::NOT_POSSIBLE, "bad", &Markup::default(), &problem_line(Some(problem)))
    }
}

fn problem_line(problem: Option<&str>) -> Markup {
    html! {
        @if let Some(problem) = problem { p class="problem" role="alert" { (problem) } }
    }
}

/// The same link in each language.
fn languages(current: Language, query: &str) -> Markup {
    let address = |language: Language| {
        let others = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "lang");
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(others)
            .append_pair("lang", language.as_str())
            .finish();
        format!("/services/pay?{query}")
    };
    html! {
        nav {
            @for language in Language::ALL {
                a href=(address(language)) lang=(language.as_str()) aria-current=[(language == current).then_some("true")] {
                    (language.as_str().to_uppercase())
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_links_values_cannot_become_markup() {
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
    fn the_page_has_three_languages_and_links_between_them() {
        let link = OpenedLink { order_id: "1".to_owned(), amount: "1500".to_owned(), return_url: None };
        for (language, word) in
            [(Language::Uz, "Karta raqami"), (Language::Ru, "Номер карты"), (Language::En, "Card number")]
        {
            let html = Page { language }.card(&link, "service_id=1&lang=uz", None);
            assert!(html.contains(word) && html.contains("/services/pay?service_id=1&amp;lang=ru"), "{html}");
        }
    }
}
