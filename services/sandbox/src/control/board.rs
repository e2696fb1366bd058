//! `/sandbox/switches`, `/sandbox/orders`, `/sandbox/load`: what the page's buttons do.

use http::StatusCode;
use serde::Deserialize;

use super::{Answer, Refused, Request, done, ok, unknown};
use crate::{
    Handle,
    load::{LoadError, LoadOrder},
};

#[derive(Deserialize)]
struct Turn {
    on: bool,
}

#[derive(Deserialize)]
struct NewOrder {
    shopper_id: i64,
}

pub(super) async fn answer(handle: &Handle, knob: &[&str], request: &Request) -> Answer {
    match (request.method.as_str(), knob) {
        ("POST", ["switches", name]) => {
            let Turn { on } = request.json()?;
            if handle.board().turn(name, on) { Ok(done()) } else { Err(unknown()) }
        }
        ("POST", ["orders"]) => {
            let NewOrder { shopper_id } = request.json()?;
            let placed = handle.loads().place(shopper_id).await.map_err(refused)?;
            let problem = |problem| Refused::new(StatusCode::SERVICE_UNAVAILABLE, problem);
            Ok(ok(&placed.map_err(problem)?))
        }
        ("POST", ["load"]) => {
            handle.loads().start(request.json::<LoadOrder>()?).map_err(refused)?;
            Ok(done())
        }
        ("DELETE", ["load"]) => {
            handle.loads().stop();
            Ok(done())
        }
        _ => Err(unknown()),
    }
}

fn refused(error: LoadError) -> Refused {
    let status = match error {
        LoadError::NoDesk | LoadError::Running => StatusCode::CONFLICT,
        LoadError::TooMany => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Refused::new(status, error)
}
