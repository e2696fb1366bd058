//! The payment page's steps: card, code, end. What the payer's browser holds in between is a session number.

use std::{collections::BTreeMap, time::Duration};

use http::StatusCode;
use url::form_urlencoded;

use super::{
    Click, ClickError, OpenedLink, Payment, PaymentStatus, TEST_CARD, TEST_CARD_EXPIRY, TEST_SMS_CODE,
    page::Page, words,
};
use crate::ring::Ring;

/// A payment between the card and the code.
#[derive(Debug, Clone)]
pub(super) struct Session {
    number: String,
    click_trans_id: i64,
    link: OpenedLink,
    has_money: bool,
    wrong_codes: u32,
    /// Somebody is at it: a second click must not pay or cancel it again.
    is_busy: bool,
}

/// After so many wrong codes CLICK cancels.
const MAX_WRONG_CODES: u32 = 3;
/// How long the browser waits for the end; the payment goes on without it.
const BROWSER_PATIENCE: Duration = Duration::from_secs(20);
const CANCELLED_BY_PAYER: i64 = -1;
const LACK_OF_MONEY: i64 = -5017;
pub(super) const MAX_SESSIONS: usize = 10_000;

pub(super) type Sessions = Ring<Session>;
type Answer = (StatusCode, String);

/// The fields of a form of the page.
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

    /// The card was entered: asks the merchant, then for the code.
    pub(super) async fn card_entered(self, page: Page, fields: Fields) -> Answer {
        let query = field(&fields, "link");
        let link = match self.open_query(query) {
            Ok(link) => link,
            Err(problem) => return (StatusCode::BAD_REQUEST, page.refusal(&problem.to_string())),
        };
        let (card, expiry) = (digits(field(&fields, "card")), digits(field(&fields, "expiry")));
        if card.len() != 16 || !is_expiry(&expiry) {
            let html = page.card(&link, query, Some(words::BAD_CARD));
            return (StatusCode::UNPROCESSABLE_ENTITY, html);
        }
        let has_money = card == TEST_CARD && expiry == digits(TEST_CARD_EXPIRY);
        let payment = match self.begin(&link).await {
            Ok(payment) => payment,
            Err(problem) => return (StatusCode::SERVICE_UNAVAILABLE, page.refusal(&problem.to_string())),
        };
        if !matches!(payment.status, PaymentStatus::Prepared { .. }) {
            return (StatusCode::OK, page.ending(&payment, &link));
        }
        let number = self.open_session(payment.click_trans_id, link, has_money);
        (StatusCode::OK, page.sms(&payment, &number, None))
    }

    /// The code was entered.
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
        let html = page.sms(&payment, &session.number, Some(words::WRONG_CODE));
        self.give_back(&session);
        (StatusCode::UNPROCESSABLE_ENTITY, html)
    }

    /// The payer changed their mind.
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

    /// Pays, or cancels with the error. Goes on by itself when the browser has gone.
    async fn end(self, page: Page, session: Session, mut payment: Payment, error: Option<i64>) -> Answer {
        let click_trans_id = payment.click_trans_id;
        let click = self.clone();
        let ending = tokio::spawn(async move {
            let ended = match error {
                Some(error) => click.cancel(&mut payment, error).await,
                None => click.debit_and_complete(&mut payment).await,
            };
            if let Err(problem) = ended {
                tracing::warn!(payment.id = click_trans_id, %problem, "the payment could not be ended");
            }
        });
        // Whether it ended or not: the page shows how far the payment is.
        drop(tokio::time::timeout(BROWSER_PATIENCE, ending).await);
        match self.payment(click_trans_id) {
            Some(payment) => (StatusCode::OK, page.ending(&payment, &session.link)),
            None => gone(page),
        }
    }

    fn open_session(&self, click_trans_id: i64, link: OpenedLink, has_money: bool) -> String {
        let number = click_trans_id.to_string();
        let session = Session {
            number: number.clone(),
            click_trans_id,
            link,
            has_money,
            wrong_codes: 0,
            is_busy: false,
        };
        self.with(|state| state.sessions.push(session));
        number
    }

    /// The session with its payment, held until it is given back. `None`: there is none, it has ended, or another
    /// request holds it.
    fn take_session(&self, number: &str, count_wrong_code: bool) -> Option<(Session, Payment)> {
        let session = self.with(|state| {
            let session = state.sessions.iter_mut().rev().find(|session| session.number == number)?;
            if session.is_busy {
                return None;
            }
            session.is_busy = true;
            session.wrong_codes += u32::from(count_wrong_code);
            Some(session.clone())
        })?;
        let payment = self.payment(session.click_trans_id)?;
        Some((session, payment))
    }

    fn give_back(&self, session: &Session) {
        self.with(|state| {
            let mut newest_first = state.sessions.iter_mut().rev();
            if let Some(held) = newest_first.find(|held| held.number == session.number) {
                held.is_busy = false;
            }
        });
    }
}

fn gone(page: Page) -> Answer {
    (StatusCode::GONE, page.refusal_in_words(words::GONE))
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
