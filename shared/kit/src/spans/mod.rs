//! Spans of OpenTelemetry: what happens to one purchase, from a tap to the last message, across processes.
//!
//! What goes on elsewhere is named by a traceparent (W3C), a text that requests, rows and messages carry. Where nothing is
//! [`install`]ed no span is made, and what was sent by others is passed on as it came.
//!
//! An attribute never holds a text that a person or CLICK wrote, nor a secret: numbers, names of our own and codes alone.

mod export;
mod http;
mod settings;

use std::{borrow::Cow, fmt, future::Future, sync::OnceLock, time::SystemTime};

use opentelemetry::{
    Context, KeyValue,
    trace::{
        Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
        TraceState, Tracer,
    },
};
use opentelemetry_sdk::trace::{SdkTracer, Span as SdkSpan};

pub use self::{
    export::{Exporting, install},
    http::{call, request, serve},
    settings::Settings,
};
pub use opentelemetry::Value;

static TRACER: OnceLock<SdkTracer> = OnceLock::new();

tokio::task_local! {
    static CURRENT: String;
}

/// Whether spans are made.
pub fn is_on() -> bool {
    TRACER.get().is_some()
}

/// The traceparent of what is done now. `None`: nobody has sent one.
pub fn current() -> Option<String> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Runs a future as caused by the span of this traceparent.
pub async fn within<F: Future>(traceparent: Option<String>, future: F) -> F::Output {
    match traceparent {
        Some(traceparent) => CURRENT.scope(traceparent, future).await,
        None => future.await,
    }
}

/// Which side of a call or a message a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Internal,
    /// Answers a call.
    Server,
    /// Makes a call.
    Client,
    /// Sends a message.
    Producer,
    /// Handles a message.
    Consumer,
}

/// What a span is called and what is known of it when it begins.
#[derive(Debug)]
pub struct Beginning {
    name: Cow<'static, str>,
    attributes: Vec<KeyValue>,
    began_at: Option<SystemTime>,
}

impl Beginning {
    pub fn of(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), attributes: Vec::new(), began_at: None }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.attributes.push(KeyValue::new(name, value));
        self
    }

    /// When it began, if that is not now.
    #[must_use]
    pub fn began_at(self, at: SystemTime) -> Self {
        Self { began_at: Some(at), ..self }
    }
}

/// Something that takes time. It ends when it is dropped.
pub struct Span {
    recorded: Option<Box<SdkSpan>>,
    /// Its own, or its parent's where no spans are made.
    traceparent: Option<String>,
}

impl fmt::Debug for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Span").field("traceparent", &self.traceparent).finish_non_exhaustive()
    }
}

impl Span {
    /// Begins a span below the one of the traceparent; without one it begins a trace. `describe` is asked only where spans are
    /// made.
    pub fn begin(kind: Kind, parent: Option<String>, describe: impl FnOnce() -> Beginning) -> Self {
        let Some(tracer) = TRACER.get() else { return Self { recorded: None, traceparent: parent } };
        let Beginning { name, attributes, began_at } = describe();
        let builder = SpanBuilder {
            span_kind: Some(match kind {
                Kind::Internal => SpanKind::Internal,
                Kind::Server => SpanKind::Server,
                Kind::Client => SpanKind::Client,
                Kind::Producer => SpanKind::Producer,
                Kind::Consumer => SpanKind::Consumer,
            }),
            name,
            start_time: began_at,
            attributes: Some(attributes),
            ..SpanBuilder::default()
        };
        let above = parent.as_deref().and_then(read);
        let context = above.map_or_else(Context::new, |it| Context::new().with_remote_span_context(it));
        let span = tracer.build_with_context(builder, &context);
        let traceparent = Some(write(span.span_context()));
        Self { recorded: Some(Box::new(span)), traceparent }
    }

    /// What is sent to whoever goes on.
    pub fn traceparent(&self) -> Option<String> {
        self.traceparent.clone()
    }

    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some(span) = &mut self.recorded {
            span.set_attribute(KeyValue::new(name, value));
        }
    }

    /// It failed, for a reason of few kinds.
    pub fn fail(&mut self, kind: impl Into<Cow<'static, str>>) {
        if let Some(span) = &mut self.recorded {
            span.set_attribute(KeyValue::new("error.type", kind.into()));
            span.set_status(Status::error(""));
        }
    }

    /// The answer of a call of HTTP. The side that answers has not failed where it refuses.
    pub fn answered(&mut self, status: u16, fails_from: u16) {
        self.set("http.response.status_code", i64::from(status));
        if status >= fails_from && self.recorded.is_some() {
            self.fail(status.to_string());
        }
    }

    /// Runs a future as caused by this span.
    pub async fn run<F: Future>(&self, future: F) -> F::Output {
        within(self.traceparent(), future).await
    }
}

/// `None`: no traceparent, as from a caller that has another idea of it; a trace of its own begins.
fn read(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let mut digits = |length| {
        parts.next().filter(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let (version, trace, span, flags) = (digits(2)?, digits(32)?, digits(16)?, digits(2)?);
    let flags = u8::from_str_radix(flags, 16).ok()?;
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let context = SpanContext::new(trace, span, TraceFlags::new(flags), true, TraceState::NONE);
    (version == "00" && parts.next().is_none() && context.is_valid()).then_some(context)
}

fn write(context: &SpanContext) -> String {
    let sampled = u8::from(context.is_sampled());
    format!("00-{}-{}-{sampled:02x}", context.trace_id(), context.span_id())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_read_as_it_is_written() {
        assert_eq!(read(TRACEPARENT).map(|context| write(&context)).as_deref(), Some(TRACEPARENT));
        let unsampled = TRACEPARENT.replace("-01", "-00");
        assert_eq!(read(&unsampled).map(|context| write(&context)), Some(unsampled));
        for text in ["", "00-1-2-01", &TRACEPARENT.replace("00-4", "01-4"), &format!("{TRACEPARENT}-more")] {
            assert!(read(text).is_none(), "{text:?}");
        }
    }

    #[tokio::test]
    async fn without_an_exporter_nothing_is_described_and_what_others_sent_is_passed_on() {
        let parent = Some(TRACEPARENT.to_owned());
        let mut span = Span::begin(Kind::Client, parent.clone(), || unreachable!("no span is made"));
        span.set("key", 1);
        span.answered(500, 400);
        assert!(!is_on() && span.recorded.is_none());
        assert_eq!(span.run(async { current() }).await, parent);
        assert_eq!(current(), None);
        let none = Span::begin(Kind::Client, None, || unreachable!("no span is made"));
        assert_eq!(none.run(async { current() }).await, None);
    }
}
