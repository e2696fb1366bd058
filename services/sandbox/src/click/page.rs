//! The payment page's HTML: plain forms, no script, readable on a phone.

use tolov_domain::Tiyin;

use super::{OpenedLink, Payment, PaymentStatus, TEST_CARD_EXPIRY, TEST_SMS_CODE};

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

const STYLE: &str = "body{font:17px/1.5 system-ui,sans-serif;max-width:26rem;margin:0 auto;padding:1rem;color:#111;\
    background:#fff}h1{font-size:1.3rem}label{display:block;margin:.8rem 0}input{display:block;width:100%;\
    box-sizing:border-box;font:inherit;padding:.6rem;border:1px solid #888;border-radius:.4rem}button{width:100%;\
    font:inherit;padding:.8rem;margin:.4rem 0;border:0;border-radius:.4rem;background:#0a6ed1;color:#fff}\
    button.quiet{background:none;color:#0a6ed1;text-decoration:underline}.problem{color:#a00;font-weight:600}\
    .hint{color:#555;font-size:.9rem}dl{display:grid;grid-template-columns:auto 1fr;gap:0 1rem}dd{margin:0}";

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} · CLICK (sandbox)</title><style>{STYLE}</style></head>\n\
         <body><main><h1>{title}</h1>\n{body}\n\
         <p class=\"hint\">This is Tolov's sandbox: no real money moves.</p></main></body></html>\n"
    )
}

fn what_is_paid(order_id: &str, amount: &str) -> String {
    let shown = Tiyin::parse_soum(amount).map_or_else(|_| amount.to_owned(), Tiyin::grouped);
    format!(
        "<dl><dt>Order</dt><dd>{}</dd><dt>Amount</dt><dd>{} so'm</dd></dl>",
        escape(order_id),
        escape(&shown)
    )
}

fn problem_line(problem: Option<&str>) -> String {
    problem.map_or_else(String::new, |problem| {
        format!("<p class=\"problem\" role=\"alert\">{}</p>\n", escape(problem))
    })
}

fn way_back(link: &OpenedLink) -> String {
    link.return_url.as_ref().map_or_else(String::new, |url| {
        format!("<p><a href=\"{}\">Back to the shop</a></p>", escape(url.as_str()))
    })
}

/// Asks for the card. `query` is the pay link's own query, which the form hands on.
pub(super) fn card(link: &OpenedLink, query: &str, problem: Option<&str>) -> String {
    let body = format!(
        "{}{}<form method=\"post\" action=\"/services/pay/card\">\
         <input type=\"hidden\" name=\"link\" value=\"{}\">\
         <label>Card number<input name=\"card\" inputmode=\"numeric\" autocomplete=\"off\" required maxlength=\"23\" \
         placeholder=\"8600 …\"></label>\
         <label>Valid until (MM/YY)<input name=\"expiry\" inputmode=\"numeric\" autocomplete=\"off\" required \
         maxlength=\"5\" placeholder=\"MM/YY\"></label>\
         <button>Pay</button></form>\n\
         <p class=\"hint\">Test card: 8600 4954 0000 0094, {TEST_CARD_EXPIRY}. Any other card has no money on it.</p>{}",
        problem_line(problem),
        what_is_paid(&link.order_id, &link.amount),
        escape(query),
        way_back(link),
    );
    page("Payment", &body)
}

/// Asks for the code from the SMS.
pub(super) fn sms(payment: &Payment, session: &str, problem: Option<&str>) -> String {
    let session = escape(session);
    let body = format!(
        "{}{}<form method=\"post\" action=\"/services/pay/sms\">\
         <input type=\"hidden\" name=\"session\" value=\"{session}\">\
         <label>Code from the SMS<input name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" required \
         maxlength=\"6\"></label><button>Confirm</button></form>\n\
         <form method=\"post\" action=\"/services/pay/cancel\">\
         <input type=\"hidden\" name=\"session\" value=\"{session}\">\
         <button class=\"quiet\">Cancel the payment</button></form>\n\
         <p class=\"hint\">Test code: {TEST_SMS_CODE}.</p>",
        problem_line(problem),
        what_is_paid(&payment.order_id, &payment.amount),
    );
    page("Confirmation", &body)
}

/// Says how it ended, and leads back.
pub(super) fn ending(payment: &Payment, link: &OpenedLink) -> String {
    let (title, words) = match &payment.status {
        PaymentStatus::Paid { .. } => ("Paid", "The payment went through."),
        PaymentStatus::Refused { error_note, .. } => ("Not paid", error_note.as_str()),
        PaymentStatus::Cancelled { error: -5017 } => ("Not paid", "There is not enough money on the card."),
        PaymentStatus::Cancelled { .. } => ("Cancelled", "The payment was cancelled. No money was taken."),
        PaymentStatus::Created | PaymentStatus::Prepared { .. } | PaymentStatus::Debited { .. } => {
            ("In work", "The shop has not answered yet. The payment goes on without you.")
        }
        PaymentStatus::Hanging { .. } => {
            ("In work", "The shop does not answer. CLICK's support looks into the payment.")
        }
    };
    let body = format!(
        "<p role=\"status\">{}</p>{}<p>Payment number {}</p>{}",
        escape(words),
        what_is_paid(&payment.order_id, &payment.amount),
        payment.click_paydoc_id,
        way_back(link),
    );
    page(title, &body)
}

/// There is nothing to pay here.
pub(super) fn refusal(problem: &str) -> String {
    page("Payment is not possible", &problem_line(Some(problem)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_a_link_cannot_become_markup() {
        let link = OpenedLink {
            order_id: "\"><script>x</script>".to_owned(),
            amount: "1500".to_owned(),
            return_url: Some(url::Url::parse("https://a.uz/?q='\"<").unwrap()),
        };
        let html = card(&link, "a=\"><img src=x>&b='", None);
        assert!(!html.contains("<script") && !html.contains("<img"));
        assert!(html.contains("&quot;&gt;&lt;script&gt;"));
    }
}
