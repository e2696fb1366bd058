//! `/botTOKEN/METHOD` and `/file/botTOKEN/PATH`, as api.telegram.org has them.

use std::str::FromStr;

use bytes::Bytes;
use http::{StatusCode, header};
use percent_encoding::percent_decode_str;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::{calls::Answer, params::Params};
use crate::{
    telegram::{emulator::Telegram, refusal::Refusal},
    web::reply::{broken, json_with, raw_query, reply_with},
};

/// The segment `botTOKEN`.
struct BotToken(String);

impl FromStr for BotToken {
    type Err = ();

    fn from_str(segment: &str) -> Result<Self, Self::Err> {
        let decoded = percent_decode_str(segment).decode_utf8().map_err(drop)?;
        decoded.strip_prefix("bot").map(|token| Self(token.to_owned())).ok_or(())
    }
}

pub(crate) fn routes(telegram: Telegram) -> BoxedFilter<(Response,)> {
    let files = telegram.clone();
    let download = warp::get()
        .and(warp::path("file"))
        .and(warp::path::param::<BotToken>())
        .and(warp::path::tail())
        .map(move |token: BotToken, tail: warp::path::Tail| download(&files, &token, tail.as_str()));
    let call = warp::path::param::<BotToken>()
        .and(warp::path::param::<String>())
        .and(warp::path::end())
        .and(warp::get().or(warp::post()).unify())
        .and(raw_query())
        .and(warp::header::optional::<String>(header::CONTENT_TYPE.as_str()))
        .and(warp::body::bytes())
        .then(move |token: BotToken, method: String, query: String, kind: Option<String>, body: Bytes| {
            let telegram = telegram.clone();
            async move {
                let params = Params::read(&query, &kind.unwrap_or_default(), body).await;
                reply(telegram.call(&token.0, &method, params).await)
            }
        });
    download.or(call).unify().boxed()
}

fn download(telegram: &Telegram, token: &BotToken, path: &str) -> Response {
    // teloxide sends the path as one segment, with %2F in it.
    let Ok(path) = percent_decode_str(path).decode_utf8() else {
        return refuse(&Refusal::new(404, "Not Found"));
    };
    match telegram.download(&token.0, &path) {
        Ok(content) => reply_with(StatusCode::OK, "application/octet-stream", content),
        Err(refusal) => refuse(&refusal),
    }
}

fn reply(answer: Answer) -> Response {
    match answer {
        Answer::Json { status, body } => {
            json_with(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), &body)
        }
        Answer::Lost => broken(),
    }
}

pub(crate) fn refuse_with(status: StatusCode, description: &str) -> Response {
    json_with(status, &Refusal::new(status.as_u16(), description).to_json())
}

fn refuse(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.error_code).unwrap_or(StatusCode::BAD_REQUEST);
    json_with(status, &refusal.to_json())
}
