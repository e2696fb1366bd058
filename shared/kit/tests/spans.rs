//! Spans on their way to a collector that does not answer. A process has one exporter, and this is its own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tokio::runtime::Handle;
use tolov_kit::{
    env::Env,
    spans::{self, Beginning, Kind, Settings, Span},
};

/// The SDK's own.
const QUEUE_MAX: usize = 2_048;
const BATCH_MAX: usize = 512;
const PATIENCE: Duration = Duration::from_secs(20);

/// Answers nobody until it is opened.
#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    fn pass(&self) {
        drop(self.opened.wait_while(self.is_open.lock().unwrap(), |is_open| !*is_open).unwrap());
    }
}

/// Counts the spans of each request. `None`: the connection ended.
fn take(stream: TcpStream, gate: &Gate, spans: &AtomicUsize) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut length, mut line) = (0, String::from("first"));
        while !line.trim().is_empty() {
            line.clear();
            if stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        gate.pass();
        let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
        let scopes = request.resource_spans.iter().flat_map(|of_service| &of_service.scope_spans);
        spans.fetch_add(scopes.map(|scope| scope.spans.len()).sum(), Ordering::SeqCst);
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()?;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_collector_and_what_waits_for_it_is_bounded() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (gate, arrived) = (Arc::<Gate>::default(), Arc::<AtomicUsize>::default());
    let (held, counted) = (Arc::clone(&gate), Arc::clone(&arrived));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, gate, counted) = (stream.unwrap(), Arc::clone(&held), Arc::clone(&counted));
            std::thread::spawn(move || take(stream, &gate, &counted));
        }
    });
    let env = Env::new([
        ("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), endpoint),
        ("OTEL_EXPORTER_OTLP_TIMEOUT".to_owned(), "60000".to_owned()),
    ]);
    let settings = Settings::from_env(&env).unwrap();
    let exporting = spans::install(settings, "test", "0", Handle::current()).unwrap();
    assert!(spans::is_on());
    let began = Instant::now();
    for _ in 0..20 * QUEUE_MAX {
        drop(Span::begin(Kind::Internal, None, || Beginning::of("work").with("key", "value")));
    }
    assert!(began.elapsed() < PATIENCE, "making spans waited for the collector: {:?}", began.elapsed());
    assert_eq!(arrived.load(Ordering::SeqCst), 0);
    gate.open();
    while arrived.load(Ordering::SeqCst) < QUEUE_MAX {
        assert!(began.elapsed() < PATIENCE * 2, "what waited was not sent");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::task::spawn_blocking(|| drop(exporting)).await.unwrap();
    let arrived = arrived.load(Ordering::SeqCst);
    assert!((QUEUE_MAX..=QUEUE_MAX + BATCH_MAX).contains(&arrived), "{arrived} spans were kept");
}
