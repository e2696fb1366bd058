//! A collector of OpenTelemetry's spans, as a test sees them: OTLP as protobuf over HTTP.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A span, with the service that made it.
#[derive(Debug, Clone)]
pub(crate) struct Collected {
    pub(crate) service: String,
    pub(crate) span: Span,
    /// Those of the span and of its service, as `name=value`.
    pub(crate) attributes: Vec<String>,
}

pub(crate) struct Collector {
    pub(crate) url: String,
    collected: Arc<Mutex<Vec<Collected>>>,
    listening: JoinHandle<()>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        Self::start_that(true).await
    }

    /// One that takes connections and never answers.
    pub(crate) async fn start_dead() -> Self {
        Self::start_that(false).await
    }

    async fn start_that(answers: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let collected = Arc::<Mutex<Vec<Collected>>>::default();
        let kept = Arc::clone(&collected);
        let listening = tokio::spawn(async move {
            let mut silent = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                if answers {
                    tokio::spawn(take(stream, Arc::clone(&kept)));
                } else {
                    silent.push(stream);
                }
            }
        });
        Self { url, collected, listening }
    }

    pub(crate) fn collected(&self) -> Vec<Collected> {
        self.collected.lock().unwrap().clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// The requests of one connection. `None`: it ended.
async fn take(stream: TcpStream, collected: Arc<Mutex<Vec<Collected>>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut first, mut length) = (String::new(), 0);
        stream.read_line(&mut first).await.ok().filter(|read| *read > 0)?;
        assert_eq!(first.trim_end(), "POST /v1/traces HTTP/1.1");
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
        collected.lock().unwrap().extend(spans(request));
        let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

fn spans(request: ExportTraceServiceRequest) -> Vec<Collected> {
    let mut collected = Vec::new();
    for of_service in request.resource_spans {
        let resource = of_service.resource.unwrap_or_default().attributes;
        let service = resource.iter().find(|attribute| attribute.key == "service.name").map(text).unwrap();
        let service = service.split_once('=').unwrap().1.to_owned();
        for span in of_service.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            let attributes = resource.iter().chain(&span.attributes).map(text).collect();
            collected.push(Collected { service: service.clone(), span, attributes });
        }
    }
    collected
}

fn text(attribute: &KeyValue) -> String {
    let value = attribute.value.clone().and_then(|value| value.value);
    let value = match value {
        Some(Value::StringValue(value)) => value,
        Some(Value::IntValue(value)) => value.to_string(),
        other => format!("{other:?}"),
    };
    format!("{}={value}", attribute.key)
}

/// A trace as a tree, each span with its service, for an assertion and for whoever reads its failure.
pub(crate) fn tree(collected: &[Collected], trace_id: &[u8]) -> String {
    let mut of_trace: Vec<&Collected> = collected.iter().filter(|it| it.span.trace_id == trace_id).collect();
    of_trace.sort_by_key(|it| (it.span.start_time_unix_nano, it.span.name.clone()));
    let mut written = String::new();
    let is_known = |id: &[u8]| of_trace.iter().any(|it| it.span.span_id == id);
    for root in of_trace.iter().filter(|it| !is_known(&it.span.parent_span_id)) {
        branch(&of_trace, root, 0, &mut written);
    }
    written
}

fn branch(of_trace: &[&Collected], of: &Collected, depth: usize, written: &mut String) {
    let is_root = of.span.parent_span_id.is_empty();
    let orphan = if depth == 0 && !is_root { " (its parent is missing)" } else { "" };
    writeln!(written, "{}{}: {}{orphan}", "  ".repeat(depth), of.service, of.span.name).unwrap();
    for below in of_trace.iter().filter(|it| it.span.parent_span_id == of.span.span_id) {
        branch(of_trace, below, depth + 1, written);
    }
}
