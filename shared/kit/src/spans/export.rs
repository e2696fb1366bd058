//! Where spans go: to a collector, by OTLP over HTTP, from a bounded queue beside the services.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tokio::runtime::Handle;

use super::{Settings, TRACER};
use crate::availability::Availability;

/// How long the end of a process waits for the collector to take the last spans.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest answer that is read: what it says of spans that it did not take.
const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// Spans are made and sent until this is closed.
#[derive(Debug)]
#[must_use]
pub struct Exporting(SdkTracerProvider);

/// Makes spans from now on, once for a process, and sends them from this runtime.
///
/// The queue is bounded (OTEL_BSP_MAX_QUEUE_SIZE, 2048 spans); what does not fit is dropped, and nobody waits for it.
pub fn install(
    settings: Settings,
    service_name: &'static str,
    version: &'static str,
    runtime: Handle,
) -> Result<Exporting, String> {
    let Settings { endpoint, headers, timeout, sampler, service_name: named, resource } = settings;
    let http = reqwest::Client::builder()
        .timeout(timeout)
        // An address that redirects would be shown the headers.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|error| error.without_url().to_string())?;
    let availability = Availability::new("the collector of spans");
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Client { http, runtime, availability })
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint)
        .with_timeout(timeout)
        .with_headers(headers.into_iter().map(|(name, value)| (name, value.expose().to_owned())).collect())
        .build()
        .map_err(|error| error.to_string())?;
    let resource = Resource::builder()
        .with_attributes(resource)
        .with_service_name(named.unwrap_or_else(|| service_name.to_owned()))
        .with_attribute(opentelemetry::KeyValue::new("service.version", version))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_sampler(sampler)
        .with_resource(resource)
        .with_batch_exporter(exporter)
        .build();
    // A second call, as of another test of this process, changes nothing.
    drop(TRACER.set(provider.tracer("tolov")));
    Ok(Exporting(provider))
}

impl Drop for Exporting {
    /// Sends what waits, for a bounded time. Blocks; the runtime must still run.
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(CLOSE_TIMEOUT) {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// Sends from the runtime of the services: the exporter's own thread has none.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    runtime: Handle,
    availability: Availability,
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        let sent = match self.runtime.spawn(send(http, request)).await {
            Ok(sent) => sent,
            Err(error) => Err(error.into()),
        };
        match &sent {
            Ok(answer) if answer.status().is_success() => self.availability.mark_up(),
            Ok(answer) => self.availability.mark_down(answer.status()),
            Err(error) => self.availability.mark_down(error),
        }
        sent
    }
}

async fn send(http: reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let answer = http.execute(request.try_into()?).await;
    let mut answer = answer.map_err(reqwest::Error::without_url)?;
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > ANSWER_MAX_BYTES {
            return Err("its answer is too long".into());
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = Response::new(body.freeze());
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(response)
}
