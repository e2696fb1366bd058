//! The HTTP around the routes: who is answered, replies, and the page's files.

pub(crate) mod guard;
pub(crate) mod page;
pub(crate) mod reply;
