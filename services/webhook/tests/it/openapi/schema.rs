//! As much of OpenAPI as docs/openapi.yaml uses.

use std::{collections::BTreeSet, path::Path};

use reqwest::Method;
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use yaml_rust2::{Yaml, YamlLoader};

pub(crate) struct Document(Value);

pub(crate) struct Operation {
    pub(crate) id: String,
    path: String,
    method: String,
    responses: Map<String, Value>,
}

impl Operation {
    /// The path with `{}` for every parameter, and the method.
    pub(crate) fn route(&self) -> (String, String) {
        let segments = self.path.split('/').skip(1);
        let path = segments
            .map(|segment| if segment.starts_with('{') { "/{}".into() } else { format!("/{segment}") });
        (path.collect(), self.method.clone())
    }

    fn answers_at(&self, method: &Method, path: &str) -> bool {
        let path = path.split('?').next().unwrap_or_default();
        let is_at = self.path.split('/').count() == path.split('/').count()
            && self
                .path
                .split('/')
                .zip(path.split('/'))
                .all(|(known, asked)| known.starts_with('{') || known == asked);
        is_at && self.method == method.as_str()
    }
}

impl Document {
    pub(crate) fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.yaml");
        let text = std::fs::read_to_string(path).unwrap();
        Self(json(&YamlLoader::load_from_str(&text).unwrap()[0]))
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        let mut operations = Vec::new();
        for (path, item) in self.0["paths"].as_object().unwrap() {
            for (method, operation) in
                item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters")
            {
                operations.push(Operation {
                    id: operation["operationId"].as_str().unwrap().to_owned(),
                    path: path.clone(),
                    method: method.to_uppercase(),
                    responses: operation["responses"].as_object().unwrap().clone(),
                });
            }
        }
        operations
    }

    /// The operation that answers a request.
    pub(crate) fn operation(&self, method: &Method, path: &str) -> Operation {
        let found = self.operations().into_iter().find(|operation| operation.answers_at(method, path));
        found.unwrap_or_else(|| unreachable!("{method} {path} is not documented"))
    }

    /// Every status that an operation names, `default` apart.
    pub(crate) fn answers(&self) -> BTreeSet<(String, u16)> {
        let operations = self.operations();
        let statuses = operations.iter().flat_map(|operation| {
            let named = operation.responses.keys().filter_map(|status| status.parse().ok());
            named.map(|status| (operation.id.clone(), status))
        });
        statuses.collect()
    }

    /// How an answer differs from what is documented for its status.
    pub(crate) fn differences(&self, operation: &Operation, status: u16, answer: &Value) -> Vec<String> {
        let Some(response) = operation.responses.get(&status.to_string()) else {
            return vec![format!("{status} is not documented")];
        };
        let schema = &self.resolve(response)["content"]["application/json"]["schema"];
        let mut differences = Vec::new();
        self.compare(schema, answer, "answer", &mut differences);
        differences
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.0.pointer(reference.trim_start_matches('#')).unwrap(),
            None => value,
        }
    }

    fn compare(&self, schema: &Value, value: &Value, at: &str, differences: &mut Vec<String>) {
        let schema = self.resolve(schema);
        let kinds =
            schema.get("type").map(|kind| kind.as_array().cloned().unwrap_or_else(|| vec![kind.clone()]));
        let is_kind = kinds.is_none_or(|kinds| kinds.iter().any(|kind| is_of(kind.as_str().unwrap(), value)));
        let is_listed = schema["enum"].as_array().is_none_or(|listed| listed.contains(value));
        let is_in_range = value.as_i64().is_none_or(|number| {
            schema["minimum"].as_i64().is_none_or(|least| number >= least)
                && schema["maximum"].as_i64().is_none_or(|most| number <= most)
        });
        let is_date = schema["format"] != "date-time"
            || value.as_str().is_none_or(|text| OffsetDateTime::parse(text, &Rfc3339).is_ok());
        if !(is_kind && is_listed && is_in_range && is_date) {
            differences.push(format!("{at} is {value}, documented as {schema}"));
        }
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            self.compare(&schema["items"], item, &format!("{at}[{index}]"), differences);
        }
        if let Some(fields) = value.as_object() {
            self.compare_fields(schema, fields, at, differences);
        }
    }

    fn compare_fields(
        &self,
        schema: &Value,
        fields: &Map<String, Value>,
        at: &str,
        differences: &mut Vec<String>,
    ) {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        self.collect(schema, &mut properties, &mut required);
        for name in required.iter().filter(|name| !fields.contains_key(*name)) {
            differences.push(format!("{at}.{name} is missing"));
        }
        for (name, value) in fields {
            match properties.get(name) {
                Some(property) => self.compare(property, value, &format!("{at}.{name}"), differences),
                None => differences.push(format!("{at}.{name} is not documented")),
            }
        }
    }

    /// The properties of a schema, and of all that it is made of.
    fn collect(&self, schema: &Value, properties: &mut Map<String, Value>, required: &mut Vec<String>) {
        let schema = self.resolve(schema);
        properties.extend(schema["properties"].as_object().cloned().unwrap_or_default());
        let names = schema["required"].as_array().into_iter().flatten();
        required.extend(names.map(|name| name.as_str().unwrap().to_owned()));
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.collect(part, properties, required);
        }
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        _ => value.is_null(),
    }
}

fn json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Integer(number) => (*number).into(),
        Yaml::String(text) => text.clone().into(),
        Yaml::Boolean(flag) => (*flag).into(),
        Yaml::Array(items) => items.iter().map(json).collect(),
        Yaml::Hash(entries) => {
            let entry = |(key, value): (&Yaml, &Yaml)| Some((key.as_str()?.to_owned(), json(value)));
            Value::Object(entries.iter().filter_map(entry).collect())
        }
        Yaml::Real(_) | Yaml::Alias(_) | Yaml::BadValue | Yaml::Null => Value::Null,
    }
}
