//! `/sandbox/switches`, `/sandbox/orders` and `/sandbox/load`.

use http::StatusCode;
use serde::Deserialize;

use super::request::{Answer, Refused, Request, done, ok, unknown};
use crate::{
    handle::Handle,
    load::{LoadError, LoadRequest},
};

#[derive(Deserialize)]
struct SwitchState {
    on: bool,
}

#[derive(Deserialize)]
struct NewOrder {
    shopper_id: i64,
}

pub(super) async fn answer(handle: &Handle, path: &[&str], request: &Request) -> Answer {
    match (request.method.as_str(), path) {
        ("POST", ["switches", name]) => {
            let SwitchState { on } = request.json()?;
            if handle.dashboard().set_switch(name, on) { Ok(done()) } else { Err(unknown()) }
        }
        ("POST", ["orders"]) => {
            let NewOrder { shopper_id } = request.json()?;
            let placed = handle.load().place_order(shopper_id).await.map_err(refused)?;
            let problem = |problem| Refused::new(StatusCode::SERVICE_UNAVAILABLE, problem);
            Ok(ok(&placed.map_err(problem)?))
        }
        ("POST", ["load"]) => {
            handle.load().start(request.json::<LoadRequest>()?).map_err(refused)?;
            Ok(done())
        }
        ("DELETE", ["load"]) => {
            handle.load().stop();
            Ok(done())
        }
        _ => Err(unknown()),
    }
}

fn refused(error: LoadError) -> Refused {
    let status = match error {
        LoadError::NoOrderSource | LoadError::Running => StatusCode::CONFLICT,
        LoadError::TooMany => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Refused::new(status, error)
}
