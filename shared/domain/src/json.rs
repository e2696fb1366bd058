//! Serialisation of the bodies that the domain defines.

use serde::Serialize;

/// The JSON of a body made of texts, integers and enums of them.
#[expect(
    clippy::expect_used,
    reason = "no map with other keys than texts and no failing Serialize is passed in"
)]
pub(crate) fn to_vec(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("a body of texts and integers is always JSON")
}
