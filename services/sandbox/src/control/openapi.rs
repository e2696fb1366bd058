//! The list of routes as OpenAPI, for tools: what routes.txt says, read once more, so that the two cannot differ.

use serde_json::{Map, Value, json};

/// A route of routes.txt: a line that begins with its method, and the lines that go on with its text.
struct Route<'a> {
    method: &'a str,
    path: &'a str,
    query: Vec<&'a str>,
    text: String,
}

/// Where the texts of the list stand.
const TEXT_COLUMN: usize = 60;

/// An OpenAPI 3.1 document of these routes.
pub(super) fn document(routes: &str) -> Value {
    let mut paths = Map::new();
    for route in read(routes) {
        let (path, parameters) = template(route.path);
        let item = paths.entry(path).or_insert_with(|| json!({ "parameters": parameters }));
        item[route.method.to_ascii_lowercase()] = operation(&route);
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Tolov's sandbox", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": { "schemas": { "Problem": {
            "type": "object", "required": ["error"], "properties": { "error": { "type": "string" } },
        } } },
    })
}

fn read(routes: &str) -> Vec<Route<'_>> {
    let mut found: Vec<Route<'_>> = Vec::new();
    for line in routes.lines() {
        let mut words = line.split_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if matches!(first, "GET" | "POST" | "DELETE") && second.starts_with('/') {
            // A path may have a blank in the name of a parameter.
            let after = line.find('/').map_or("", |place| line.get(place..).unwrap_or_default());
            let (address, text) = after.split_once("  ").unwrap_or((after, ""));
            let (path, query) = address.trim().split_once('?').unwrap_or((address.trim(), ""));
            let query =
                query.split('&').filter_map(|pair| pair.split('=').next()).filter(|name| !name.is_empty());
            found.push(Route { method: first, path, query: query.collect(), text: text.trim().to_owned() });
        } else if let Some(route) = found.last_mut()
            && line.len() > TEXT_COLUMN
            && line.get(..TEXT_COLUMN).is_some_and(|margin| margin.trim().is_empty())
        {
            route.text = format!("{} {}", route.text, line.trim());
        }
    }
    found
}

/// `/a/<the id>` as `/a/{the_id}`, and its parameters.
fn template(path: &str) -> (String, Vec<Value>) {
    let mut parameters = Vec::new();
    let mut template = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('<') {
        let (name, tail) = after.split_once('>').unwrap_or((after, ""));
        let name = name.replace(' ', "_");
        template.extend([before, "{", &name, "}"]);
        parameters
            .push(json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
        rest = tail;
    }
    template.push_str(rest);
    (template, parameters)
}

fn operation(route: &Route<'_>) -> Value {
    let query = |name: &&str| json!({ "name": name, "in": "query", "schema": { "type": "string" } });
    let mut operation = json!({
        "summary": route.text,
        "parameters": route.query.iter().map(query).collect::<Vec<_>>(),
        "responses": {
            "200": { "description": "done", "content": { "application/json": {} } },
            "4XX": { "description": "refused", "content": { "application/json": {
                "schema": { "$ref": "#/components/schemas/Problem" },
            } } },
        },
    });
    if route.method == "POST" {
        let properties: Map<String, Value> =
            fields(&route.text).map(|field| (field.to_owned(), json!({}))).collect();
        operation["requestBody"] = json!({ "content": { "application/json": {
            "schema": { "type": "object", "properties": properties },
        } } });
    }
    operation
}

/// The names of the body that a text begins with: what stands in quotes before a colon, a comma or the closing bracket.
fn fields(text: &str) -> impl Iterator<Item = &str> {
    let body = text.strip_prefix('{').and_then(|text| text.split_once('}')).map_or("", |(body, _)| body);
    body.split(", ").filter_map(|pair| pair.trim().strip_prefix('"')?.split('"').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_list_is_an_operation() {
        let routes = super::super::ROUTES;
        let document = document(routes);
        let listed = routes
            .lines()
            .filter(|line| ["  GET ", "  POST ", "  DELETE "].iter().any(|method| line.starts_with(method)));
        let paths = document["paths"].as_object().unwrap();
        let operations = paths.values().flat_map(|item| item.as_object().unwrap().keys());
        let operations = operations.filter(|name| *name != "parameters").count();
        assert_eq!(operations, listed.count());
        assert!(operations > 40, "{operations}");
        assert!(
            paths.keys().all(|path| path.starts_with("/sandbox/") && !path.contains(['<', ' '])),
            "{paths:?}"
        );
    }

    #[test]
    fn parameters_bodies_and_texts_are_read_from_a_line() {
        let document = document(
            "  GET    /sandbox/chats/<the id>/wait?contains=&timeout_ms=   waits\n  POST   /sandbox/chats/<the id>/wait                          {\"first\": 1, \"second\"}, both\n                                                               optional\n",
        );
        let item = &document["paths"]["/sandbox/chats/{the_id}/wait"];
        assert_eq!(item["parameters"][0]["name"], "the_id");
        assert_eq!(item["get"]["parameters"][1]["name"], "timeout_ms");
        let body = &item["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"];
        assert_eq!(body, &json!({ "first": {}, "second": {} }));
        assert_eq!(item["post"]["summary"], "{\"first\": 1, \"second\"}, both optional");
    }
}
