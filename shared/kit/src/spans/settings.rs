//! OpenTelemetry's own variables, read like every other: from a file too, and a wrong one is told at start.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::Sampler;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::{env::Env, secret::Secret};

const TIMEOUT_DEFAULT_MS: u64 = 10_000;

/// Where spans go, and which.
#[derive(Debug)]
pub struct Settings {
    pub(super) endpoint: Url,
    /// Such as a token of the collector's.
    pub(super) headers: Vec<(String, Secret)>,
    pub(super) timeout: Duration,
    pub(super) sampler: Sampler,
    pub(super) service_name: Option<String>,
    pub(super) resource: Vec<KeyValue>,
}

impl Settings {
    /// `None` without OTEL_EXPORTER_OTLP_ENDPOINT, or where a variable is wrong: [`Env::finish`] tells it.
    pub fn from_env(env: &Env) -> Option<Self> {
        let endpoint = env.text("OTEL_EXPORTER_OTLP_ENDPOINT")?;
        let endpoint = endpoint_of(env, &endpoint);
        let headers = env.text("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default();
        let headers = pairs(env, "OTEL_EXPORTER_OTLP_HEADERS", &headers);
        let resource = env.text("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
        let resource = pairs(env, "OTEL_RESOURCE_ATTRIBUTES", &resource);
        let timeout_ms = env.parsed("OTEL_EXPORTER_OTLP_TIMEOUT").unwrap_or(TIMEOUT_DEFAULT_MS);
        Some(Self {
            sampler: sampler(env)?,
            endpoint: endpoint?,
            headers: headers?.into_iter().map(|(name, value)| (name, Secret::new(value))).collect(),
            timeout: Duration::from_millis(timeout_ms),
            service_name: env.text("OTEL_SERVICE_NAME"),
            resource: resource?.into_iter().map(|(name, value)| KeyValue::new(name, value)).collect(),
        })
    }
}

/// The address of the collector for spans, below the one that is given for all signals.
fn endpoint_of(env: &Env, given: &str) -> Option<Url> {
    let base = if given.ends_with('/') { given.to_owned() } else { format!("{given}/") };
    let url = Url::parse(&base).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if url.is_none() {
        env.problem(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "cannot be read: write an address such as http://jaeger:4318",
        );
    }
    url?.join("v1/traces").ok()
}

fn sampler(env: &Env) -> Option<Sampler> {
    let given = env.text("OTEL_TRACES_SAMPLER_ARG");
    let ratio = given.map_or(Some(1.0), |text| text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio)));
    let Some(ratio) = ratio else {
        env.problem("OTEL_TRACES_SAMPLER_ARG", "cannot be read: write a number from 0 to 1");
        return None;
    };
    let below = |root| Sampler::ParentBased(Box::new(root));
    Some(match env.text("OTEL_TRACES_SAMPLER").as_deref() {
        None | Some("parentbased_always_on") => below(Sampler::AlwaysOn),
        Some("parentbased_always_off") => below(Sampler::AlwaysOff),
        Some("parentbased_traceidratio") => below(Sampler::TraceIdRatioBased(ratio)),
        Some("always_on") => Sampler::AlwaysOn,
        Some("always_off") => Sampler::AlwaysOff,
        Some("traceidratio") => Sampler::TraceIdRatioBased(ratio),
        Some(_) => {
            env.problem(
                "OTEL_TRACES_SAMPLER",
                "cannot be read: write always_on, always_off or traceidratio, each also with parentbased_ before it",
            );
            return None;
        }
    })
}

/// `name=value,name=value`, with values as in an address (`%20`). The texts are in no message: a header may be a secret.
fn pairs(env: &Env, name: &str, text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let Some((key, value)) = part.split_once('=').filter(|(key, _)| !key.trim().is_empty()) else {
            env.problem(name, "cannot be read: write name=value, and a comma before the next");
            return None;
        };
        let Ok(value) = percent_decode_str(value.trim()).decode_utf8() else {
            env.problem(name, "cannot be read: a value is not UTF-8");
            return None;
        };
        pairs.push((key.trim().to_owned(), value.into_owned()));
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        Env::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn without_the_address_of_a_collector_nothing_is_read() {
        let env = env(&[("OTEL_TRACES_SAMPLER", "never"), ("OTEL_SERVICE_NAME", "shop")]);
        assert!(Settings::from_env(&env).is_none());
        assert_eq!(env.finish(), Ok(()));
    }

    #[test]
    fn the_variables_mean_what_the_specification_says() {
        let env = env(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example.uz/otlp"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20aGk6+/==, x-shop = 7"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
            ("OTEL_SERVICE_NAME", "shop"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
        ]);
        let settings = Settings::from_env(&env).unwrap();
        assert_eq!(env.finish(), Ok(()));
        assert_eq!(settings.endpoint.as_str(), "https://collector.example.uz/otlp/v1/traces");
        let headers: Vec<(&str, &str)> =
            settings.headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        assert_eq!(headers, [("authorization", "Basic aGk6+/=="), ("x-shop", "7")]);
        assert_eq!(settings.timeout, Duration::from_millis(2_500));
        assert!(matches!(
            settings.sampler,
            Sampler::ParentBased(root) if format!("{root:?}") == "TraceIdRatioBased(0.25)"
        ));
        assert_eq!(settings.service_name.as_deref(), Some("shop"));
        assert_eq!(settings.resource, [KeyValue::new("deployment.environment.name", "test")]);
    }

    #[test]
    fn a_wrong_variable_is_told_without_its_value() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "jaeger:4318"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "key=hunter2%ff"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
            ("OTEL_TRACES_SAMPLER", "hunter2"),
            ("OTEL_TRACES_SAMPLER_ARG", "2"),
            ("OTEL_RESOURCE_ATTRIBUTES", "=hunter2"),
        ] {
            let env = env(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://jaeger:4318"), (name, value)]);
            Settings::from_env(&env);
            let problem = env.finish().unwrap_err().to_string();
            assert!(problem.contains(&format!("{name} cannot be read")), "{problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
