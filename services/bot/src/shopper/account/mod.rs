//! The shopper: the way in, language, phone number, profile.

pub(crate) mod language;
pub(crate) mod onboarding;
pub(crate) mod phone;
pub(crate) mod profile;
pub(crate) mod start;
