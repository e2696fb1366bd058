//! A payment between the card and the code.

use super::super::link::OpenedLink;

pub(in crate::click) const MAX_SESSIONS: usize = 10_000;

#[derive(Debug, Clone)]
pub(in crate::click) struct Session {
    pub(super) click_trans_id: i64,
    pub(super) link: OpenedLink,
    pub(super) has_money: bool,
    pub(super) wrong_codes: u32,
    /// A request is using it: a second click must neither pay nor cancel again.
    pub(super) is_busy: bool,
}
