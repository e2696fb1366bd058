//! Telegram's webhook: each update comes as a POST, and is answered 200 once it is stored. Any number of bots may listen.
//!
//! Telegram posts the messages of a chat one after the other, each once the one before was answered, and so the taps of a person
//! (WebhookActor.cpp of its Bot API server). So they are stored in order, whichever bot gets them.

use std::{
    future::{Ready, ready},
    io,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use teloxide::{
    RequestError,
    payloads::SetWebhookSetters,
    requests::Requester,
    types::{AllowedUpdate, WebhookInfo},
};
use tokio::{net::TcpListener, time::Instant};
use tolov_kit::{
    http::{Limits, Peer, Refusal, RefusedRequest, TrustedProxies, serve},
    lifecycle::{Stop, pause},
    retry::Pauses,
    secret::Secret,
    status::json_reply,
};
use warp::{
    Filter,
    filters::BoxedFilter,
    http::{HeaderMap, StatusCode},
    hyper::body::Bytes,
    reply::Response,
};

use crate::{
    deps::HandlerDeps,
    invoices::checkout::PreCheckout,
    updates::{
        answering::Work,
        arrivals::Arrivals,
        poll::{identify, reason},
        settings::{TELEGRAM_WEBHOOK_PATH, UpdatesWebhook},
    },
};

const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";
/// Where Telegram posts from (<https://core.telegram.org/bots/webhooks>).
const TELEGRAM_NETWORKS: &str = "149.154.160.0/20, 91.108.4.0/22";
/// As many as Telegram opens where nothing is said. Each update is one small write.
const CONNECTIONS_MAX: u8 = 40;
/// An update has some kilobytes; with the longest text, all of its entities and a reply to the same it stays below this.
const BODY_MAX_BYTES: usize = 1024 * 1024;
/// How often Telegram is asked whether the webhook is still set, and what failed there.
const CHECK_EVERY: Duration = Duration::from_mins(1);
/// How often it is logged that a caller is refused.
const LOG_REFUSED_EVERY: Duration = Duration::from_mins(5);

pub(super) struct Webhook<W> {
    deps: Arc<HandlerDeps>,
    settings: UpdatesWebhook,
    arrivals: Arc<Arrivals<W>>,
    gate: Gate,
    refused_logged_at: Mutex<Option<Instant>>,
}

/// Who is let in.
struct Gate {
    /// Telegram's networks; `None` where another Bot API server posts, from wherever it runs.
    senders: Option<TrustedProxies>,
    secret: Secret,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    Sender,
    Secret,
}

impl Gate {
    fn check(&self, sender: Option<IpAddr>, shown: &[u8]) -> Result<(), Refused> {
        if let Some(networks) = &self.senders
            && !sender.is_some_and(|sender| networks.contains(sender))
        {
            return Err(Refused::Sender);
        }
        if bool::from(shown.ct_eq(self.secret.expose().as_bytes())) { Ok(()) } else { Err(Refused::Secret) }
    }
}

impl Refused {
    const fn status(self) -> StatusCode {
        match self {
            Self::Sender => StatusCode::FORBIDDEN,
            Self::Secret => StatusCode::UNAUTHORIZED,
        }
    }

    const fn reason(self) -> &'static str {
        match self {
            Self::Sender => {
                "its address is not Telegram's; if a proxy is before the bot, name it in TRUSTED_PROXIES"
            }
            Self::Secret => "it does not show BOT_WEBHOOK_SECRET",
        }
    }
}

impl<W: Work> Webhook<W> {
    pub(super) fn new(deps: Arc<HandlerDeps>, settings: UpdatesWebhook, arrivals: Arc<Arrivals<W>>) -> Self {
        let senders = if deps.config.api_url.is_none() { TELEGRAM_NETWORKS.parse().ok() } else { None };
        let gate = Gate { senders, secret: settings.secret.clone() };
        Self { deps, settings, arrivals, gate, refused_logged_at: Mutex::default() }
    }

    /// Listens until `stop`. The webhook stays set: Telegram keeps updates for a day.
    pub(super) async fn run(self, stop: &Stop) -> io::Result<()> {
        let addr = self.settings.addr;
        let listener = TcpListener::bind(addr).await.map_err(|error| {
            let said = format!(
                "cannot listen on {addr}: change BOT_WEBHOOK_ADDR or stop what listens there: {error}"
            );
            io::Error::new(error.kind(), said)
        })?;
        tracing::info!(%addr, url = %self.settings.url, "the webhook for Telegram's updates listens");
        let limits = Limits {
            body_max_bytes: BODY_MAX_BYTES,
            trusted_proxies: self.settings.trusted_proxies.clone(),
            ..Limits::default()
        };
        let webhook = Arc::new(self);
        let served = serve(listener, routes(&webhook), refused, limits, stop.clone());
        let (served, ()) = tokio::join!(served, webhook.keep_set(stop));
        served
    }

    /// Tells Telegram where to post, and tells again where somebody has changed it.
    async fn keep_set(&self, stop: &Stop) {
        let mut pauses = Pauses::new(Duration::from_secs(1), Duration::from_mins(1));
        let mut last_error_at = None;
        let mut is_announced = false;
        loop {
            let set = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                set = self.set(is_announced) => set,
            };
            let rest = match set {
                Ok(info) => {
                    pauses.reset();
                    self.deps.telegram.polling.mark_up();
                    if !std::mem::replace(&mut is_announced, true) {
                        self.arrivals.announce_commands();
                    }
                    log_failure(&info, &mut last_error_at);
                    CHECK_EVERY
                }
                Err(RequestError::RetryAfter(wait)) => wait.duration(),
                Err(error) => {
                    self.deps.telegram.polling.mark_down(reason(&error));
                    pauses.next_pause()
                }
            };
            if !pause(stop, rest).await {
                return;
            }
        }
    }

    /// `was_set`: by this bot, so the secret there is ours.
    async fn set(&self, was_set: bool) -> Result<WebhookInfo, RequestError> {
        identify(&self.deps).await?;
        let bot = &self.deps.telegram.listening;
        let info = bot.get_webhook_info().await?;
        if !was_set || info.url.as_ref() != Some(&self.settings.url) {
            let allowed = [
                AllowedUpdate::Message,
                AllowedUpdate::EditedMessage,
                AllowedUpdate::CallbackQuery,
                AllowedUpdate::InlineQuery,
                AllowedUpdate::MyChatMember,
                AllowedUpdate::PreCheckoutQuery,
            ];
            bot.set_webhook(self.settings.url.clone())
                .secret_token(self.settings.secret.expose())
                .allowed_updates(allowed)
                .max_connections(CONNECTIONS_MAX)
                .await?;
            tracing::info!(url = %self.settings.url, "Telegram posts updates to the webhook");
        }
        Ok(info)
    }

    async fn answer(&self, peer: Option<Peer>, headers: &HeaderMap, body: &[u8]) -> StatusCode {
        let shown = headers.get(SECRET_HEADER).map_or(&b""[..], |secret| secret.as_bytes());
        if let Err(refused) = self.gate.check(peer.map(|peer| peer.ip), shown) {
            self.log_refused(peer, refused.reason());
            return refused.status();
        }
        let update: Option<Value> = serde_json::from_slice(body).ok();
        let Some((id, update)) = update.and_then(|update| Some((update.get("update_id")?.as_i64()?, update)))
        else {
            return StatusCode::BAD_REQUEST;
        };
        if let Some(asked) = PreCheckout::in_update(&update) {
            self.arrivals.answer_checkout(asked);
        }
        match self.arrivals.store(id, &update).await {
            Ok(()) => StatusCode::OK,
            // Telegram posts it again.
            Err(error) => {
                self.arrivals.queues.store.mark_down(error);
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    fn log_refused(&self, peer: Option<Peer>, reason: &'static str) {
        let mut at = self.refused_logged_at.lock().unwrap_or_else(PoisonError::into_inner);
        if at.is_none_or(|at| at.elapsed() > LOG_REFUSED_EVERY) {
            *at = Some(Instant::now());
            let peer = peer.map_or_else(|| "unknown".to_owned(), |peer| peer.to_string());
            tracing::warn!(peer, reason, "a request to the webhook for updates is refused");
        }
    }
}

fn routes<W: Work>(webhook: &Arc<Webhook<W>>) -> BoxedFilter<(Response,)> {
    let webhook = Arc::clone(webhook);
    let update = warp::path::full()
        .and(warp::post())
        .and(warp::ext::optional::<Peer>())
        .and(warp::header::headers_cloned())
        .and(warp::body::bytes())
        .then(move |path: warp::path::FullPath, peer: Option<Peer>, headers: HeaderMap, body: Bytes| {
            let webhook = Arc::clone(&webhook);
            async move {
                let status = if path.as_str() == TELEGRAM_WEBHOOK_PATH {
                    webhook.answer(peer, &headers, &body).await
                } else {
                    StatusCode::NOT_FOUND
                };
                said(status)
            }
        });
    let other = warp::any().map(|| said(StatusCode::NOT_FOUND));
    update.or(other).unify().boxed()
}

fn refused(RefusedRequest { refusal, .. }: RefusedRequest) -> Ready<Response> {
    ready(said(match refusal {
        Refusal::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::BodyBroken => StatusCode::BAD_REQUEST,
        Refusal::TooSlow | Refusal::TooMany | Refusal::Panicked => StatusCode::SERVICE_UNAVAILABLE,
    }))
}

fn said(status: StatusCode) -> Response {
    json_reply(status, &json!({ "ok": status.is_success() }))
}

/// What Telegram could not deliver, once for each time it tells of another failure.
fn log_failure(info: &WebhookInfo, last_at: &mut Option<i64>) {
    let Some(at) = info.last_error_date.map(|at| at.timestamp()) else { return };
    if last_at.replace(at) != Some(at) {
        let (pending, error) =
            (info.pending_update_count, info.last_error_message.as_deref().unwrap_or_default());
        tracing::warn!(pending, error, "Telegram could not deliver an update to the webhook; it tries again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_telegram_is_let_in_and_only_with_the_secret() {
        let gate = Gate { senders: TELEGRAM_NETWORKS.parse().ok(), secret: Secret::new("0123456789abcdef") };
        let check = |ip: &str, shown: &[u8]| gate.check(ip.parse().ok(), shown);
        for ip in ["149.154.160.0", "149.154.175.255", "91.108.4.1", "91.108.7.255", "::ffff:91.108.4.1"] {
            assert_eq!(check(ip, b"0123456789abcdef"), Ok(()), "{ip}");
        }
        for ip in ["149.154.176.0", "91.108.8.0", "10.0.0.1", "::1", ""] {
            assert_eq!(check(ip, b"0123456789abcdef"), Err(Refused::Sender), "{ip}");
        }
        for shown in [&b""[..], b"0123456789abcdeF", b"0123456789abcde", b"0123456789abcdef0"] {
            assert_eq!(check("91.108.4.1", shown), Err(Refused::Secret));
        }
        let own = Gate { senders: None, ..gate };
        assert_eq!(own.check("127.0.0.1".parse().ok(), b"0123456789abcdef"), Ok(()));
    }
}
