//! What the Bot APIs of the benches have in common.

use std::net::SocketAddr;

use anyhow::Result;
use serde_json::{Value, json};
use tolov_kit::lifecycle::Stop;
use warp::Filter;

/// Answers every call of a method, which is named in lower case, with the result of `answer`, until `stop`.
pub(crate) async fn serve<A, F>(stop: Stop, answer: A) -> Result<SocketAddr>
where
    A: Fn(String, Value) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Value> + Send,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let api = warp::path!(String / String).and(warp::post()).and(warp::body::bytes()).then(
        move |_token, method: String, body: bytes::Bytes| {
            // Pictures come as forms, and nobody looks at them.
            let call = serde_json::from_slice(&body).unwrap_or(Value::Null);
            let answered = answer(method.to_ascii_lowercase(), call);
            async move { warp::reply::json(&json!({ "ok": true, "result": answered.await })) }
        },
    );
    tokio::spawn(warp::serve(api).incoming(listener).graceful(async move { stop.cancelled().await }).run());
    Ok(addr)
}

pub(crate) fn get_me() -> Value {
    json!({
        "id": 1, "is_bot": true, "first_name": "Bench", "username": "bench_bot", "can_join_groups": true,
        "can_read_all_group_messages": false, "supports_inline_queries": true,
        "can_connect_to_business": false, "has_main_web_app": false,
    })
}
