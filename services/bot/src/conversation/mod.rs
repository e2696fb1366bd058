//! One conversation: what is known of it, what it shows, and which handler answers.

pub(crate) mod answer;
pub(crate) mod callback;
pub(crate) mod command;
pub(crate) mod context;
pub(crate) mod dialogue;
pub(crate) mod error;
pub(crate) mod link;
pub(crate) mod pages;
pub(crate) mod schema;
pub(crate) mod screen;
