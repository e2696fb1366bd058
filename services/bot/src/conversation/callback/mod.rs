//! The data of buttons: Telegram's `callback_data`, 1 to 64 bytes.
//!
//! It has a version, so that a button of an older bot is recognised, and it is never trusted: it holds no price and no
//! owner. Counts are absolute, so a double tap does the same once.

mod argument;
mod catalogue;
mod shop;
mod staff;

pub(crate) use self::{
    argument::CodeArg,
    catalogue::CatalogueCallback,
    shop::ShopCallback,
    staff::{RefundDecision, StaffCallback},
};

/// Of the form of all that follows.
const VERSION: &str = "1";
const BYTES_MAX: usize = 64;

/// What a button of the bot does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallbackData {
    Shop(ShopCallback),
    Staff(StaffCallback),
    Catalogue(CatalogueCallback),
}

impl CallbackData {
    /// As callback_data.
    pub(crate) fn data(&self) -> String {
        let rest = match self {
            Self::Shop(callback) => callback.encode(),
            Self::Staff(callback) => callback.encode(),
            Self::Catalogue(callback) => callback.encode(),
        };
        format!("{VERSION}:{rest}")
    }

    /// `None`: a button of another version, or not one of the bot's.
    pub(crate) fn parse(data: &str) -> Option<Self> {
        let rest = data.strip_prefix(VERSION)?.strip_prefix(':')?;
        if data.len() > BYTES_MAX {
            return None;
        }
        let mut parts = rest.split(':');
        let verb = parts.next()?;
        let arguments: Vec<&str> = parts.collect();
        let shop = ShopCallback::decode(verb, &arguments).map(Self::Shop);
        shop.or_else(|| StaffCallback::decode(verb, &arguments).map(Self::Staff))
            .or_else(|| CatalogueCallback::decode(verb, &arguments).map(Self::Catalogue))
    }
}

impl From<ShopCallback> for CallbackData {
    fn from(callback: ShopCallback) -> Self {
        Self::Shop(callback)
    }
}

impl From<StaffCallback> for CallbackData {
    fn from(callback: StaffCallback) -> Self {
        Self::Staff(callback)
    }
}

impl From<CatalogueCallback> for CallbackData {
    fn from(callback: CatalogueCallback) -> Self {
        Self::Catalogue(callback)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_button_fits_into_callback_data_and_is_read_back() {
        let shop = ShopCallback::longest().into_iter().map(CallbackData::from);
        let staff = StaffCallback::longest().into_iter().map(CallbackData::from);
        for callback in
            shop.chain(staff).chain(CatalogueCallback::longest().into_iter().map(CallbackData::from))
        {
            let data = callback.data();
            assert!(data.len() <= BYTES_MAX, "{data} has {} bytes", data.len());
            assert_eq!(CallbackData::parse(&data), Some(callback), "{data}");
        }
    }

    #[test]
    fn every_button_has_its_own_verb() {
        let all: Vec<_> =
            ShopCallback::VERBS.iter().chain(StaffCallback::VERBS).chain(CatalogueCallback::VERBS).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }

    #[test]
    fn callback_data_of_any_bytes_is_a_button_that_is_read_back_or_none() {
        tolov_contract::fuzzing::fuzz("callback_data", |data| {
            let Ok(data) = std::str::from_utf8(data) else { return };
            if let Some(callback) = CallbackData::parse(data) {
                assert_eq!(CallbackData::parse(&callback.data()), Some(callback), "{data}");
            }
        });
    }

    #[test]
    fn other_data_is_not_a_button() {
        for data in ["", "1", "1:", "0:m", "2:m", "m", "1:nothing", "1:m:1", "1:c:1", "1:c:x:1", "1:c:1:1:1"]
        {
            assert_eq!(CallbackData::parse(data), None, "{data:?}");
        }
    }
}
