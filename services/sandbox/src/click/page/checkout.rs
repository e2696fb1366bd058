//! The payment page's steps: card, code, result.

use std::{collections::BTreeMap, time::Duration};

use http::StatusCode;
use url::form_urlencoded;

use super::{
    super::{
        config::{TEST_CARD, TEST_CARD_EXPIRY, TEST_SMS_CODE},
        error::ClickError,
        link::OpenedLink,
        payment::{Payment, PaymentStatus},
        simulator::Click,
    },
    html::Page,
    session::Session,
    texts,
};

/// CLICK cancels after so many wrong codes.
const MAX_WRONG_CODES: u32 = 3;
/// How long the browser waits for the result; the payment continues without it.
const BROWSER_TIMEOUT: Duration = Duration::from_secs(20);
const CANCELLED_BY_PAYER: i64 = -1;
const LACK_OF_MONEY: i64 = -5017;

pub(super) type Answer = (StatusCode, String);

/// The fields of a form.
pub(super) type Fields = BTreeMap<String, String>;

pub(super) fn read_fields(body: &[u8]) -> Fields {
    form_urlencoded::parse(body).into_owned().collect()
}

impl Click {
    /// The page that a pay link opens.
    pub(super) fn card_page(&self, page: Page, query: &str) -> Answer {
        match self.open_query(query) {
            Ok(link) => (StatusCode::OK, page.card(&link, query, None)),
            Err(problem) => (StatusCode::BAD_REQUEST, page.refusal(&problem.to_string())),
        }
    }

    /// Sends the Prepare, then asks for the code.
    pub(super) async fn card_entered(self, page: Page, fields: Fields) -> Answer {
        let query = field(&fields, "link");
        let link = match self.open_query(query) {
            Ok(link) => link,
            Err(problem) => return (StatusCode::BAD_REQUEST, page.refusal(&problem.to_string())),
        };
        let (card, expiry) = (digits(field(&fields, "card")), digits(field(&fields, "expiry")));
        if card.len() != 16 || !is_expiry(&expiry) {
            let html = page.card(&link, query, Some(texts::BAD_CARD));
            return (StatusCode::UNPROCESSABLE_ENTITY, html);
        }
        let has_money = card == TEST_CARD && expiry == digits(TEST_CARD_EXPIRY);
        let payment = match self.begin(&link).await {
            Ok(payment) => payment,
            Err(problem) => return (StatusCode::SERVICE_UNAVAILABLE, page.refusal(&problem.to_string())),
        };
        if !matches!(payment.status, PaymentStatus::Prepared { .. }) {
            return (StatusCode::OK, page.result(&payment, &link));
        }
        let click_trans_id = payment.click_trans_id;
        let session = Session { click_trans_id, link, has_money, wrong_codes: 0, is_busy: false };
        self.with(|state| state.sessions.push(session));
        (StatusCode::OK, page.sms(&payment, None))
    }

    pub(super) async fn code_entered(self, page: Page, fields: Fields) -> Answer {
        let is_right = digits(field(&fields, "code")) == TEST_SMS_CODE;
        let Some((session, payment)) = self.take_session(field(&fields, "session"), !is_right) else {
            return gone(page);
        };
        if is_right {
            let error = (!session.has_money).then_some(LACK_OF_MONEY);
            return self.end(page, session, payment, error).await;
        }
        if session.wrong_codes >= MAX_WRONG_CODES {
            return self.end(page, session, payment, Some(CANCELLED_BY_PAYER)).await;
        }
        self.release_session(session.click_trans_id);
        (StatusCode::UNPROCESSABLE_ENTITY, page.sms(&payment, Some(texts::WRONG_CODE)))
    }

    pub(super) async fn cancelled_by_payer(self, page: Page, fields: Fields) -> Answer {
        match self.take_session(field(&fields, "session"), false) {
            Some((session, payment)) => self.end(page, session, payment, Some(CANCELLED_BY_PAYER)).await,
            None => gone(page),
        }
    }

    async fn begin(&self, link: &OpenedLink) -> Result<Payment, ClickError> {
        let mut payment = self.open_payment(&link.order_id, &link.amount)?;
        self.prepare(&mut payment).await?;
        Ok(payment)
    }

    /// Pays, or cancels with the error, also if the browser hangs up.
    async fn end(self, page: Page, session: Session, mut payment: Payment, error: Option<i64>) -> Answer {
        let click_trans_id = payment.click_trans_id;
        let click = self.clone();
        let ending = tokio::spawn(async move {
            let ended = match error {
                Some(error) => click.cancel(&mut payment, error).await,
                None => click.debit_and_complete(&mut payment).await,
            };
            if let Err(error) = ended {
                tracing::warn!(payment.id = click_trans_id, %error, "the payment could not be ended");
            }
        });
        // The page shows the payment's status, whether it has ended or not.
        drop(tokio::time::timeout(BROWSER_TIMEOUT, ending).await);
        match self.payment(click_trans_id) {
            Some(payment) => (StatusCode::OK, page.result(&payment, &session.link)),
            None => gone(page),
        }
    }

    /// The session and its payment, reserved until [`Click::release_session`]. `None` if there is no such session, it
    /// has ended, or another request uses it.
    fn take_session(&self, number: &str, count_wrong_code: bool) -> Option<(Session, Payment)> {
        let click_trans_id = number.parse().ok()?;
        let session = self.with(|state| {
            let session = state.sessions.find_mut(|session| session.click_trans_id == click_trans_id)?;
            if session.is_busy {
                return None;
            }
            session.is_busy = true;
            session.wrong_codes += u32::from(count_wrong_code);
            Some(session.clone())
        })?;
        Some((session, self.payment(click_trans_id)?))
    }

    fn release_session(&self, click_trans_id: i64) {
        self.with(|state| {
            if let Some(session) = state.sessions.find_mut(|session| session.click_trans_id == click_trans_id)
            {
                session.is_busy = false;
            }
        });
    }
}

fn gone(page: Page) -> Answer {
    (StatusCode::GONE, page.refusal(page.text(texts::GONE)))
}

fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map_or("", String::as_str)
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn is_expiry(digits: &str) -> bool {
    let month = digits.get(..2).and_then(|month| month.parse::<u8>().ok());
    digits.len() == 4 && month.is_some_and(|month| (1..=12).contains(&month))
}
