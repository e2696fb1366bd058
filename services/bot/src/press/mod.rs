//! What a button says back: callback_data, 1 to 64 bytes (market-and-telegram.md, section 3.1).
//!
//! Versioned, so that a button of an older bot is known for what it is, and never trusted: it names things and wishes
//! (`so many of this article`), not prices and not owners. Counts are absolute, so a double tap wishes the same twice.

mod arg;
mod catalogue;
mod shop;
mod staff;

pub(crate) use self::{arg::CodeArg, catalogue::CataloguePress, shop::ShopPress, staff::StaffPress};

/// The form of all that follows. A change of meaning is a new one.
const VERSION: &str = "1";
const BYTES_MAX: usize = 64;

/// A tap on one of the bot's buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Press {
    Shop(ShopPress),
    Staff(StaffPress),
    Catalogue(CataloguePress),
}

impl Press {
    /// The callback_data.
    pub(crate) fn data(&self) -> String {
        let rest = match self {
            Self::Shop(press) => press.encode(),
            Self::Staff(press) => press.encode(),
            Self::Catalogue(press) => press.encode(),
        };
        format!("{VERSION}:{rest}")
    }

    /// `None`: a button of another version, or none of ours.
    pub(crate) fn parse(data: &str) -> Option<Self> {
        let rest = data.strip_prefix(VERSION)?.strip_prefix(':')?;
        if data.len() > BYTES_MAX {
            return None;
        }
        let mut parts = rest.split(':');
        let verb = parts.next()?;
        let arguments: Vec<&str> = parts.collect();
        let shop = ShopPress::decode(verb, &arguments).map(Self::Shop);
        shop.or_else(|| StaffPress::decode(verb, &arguments).map(Self::Staff))
            .or_else(|| CataloguePress::decode(verb, &arguments).map(Self::Catalogue))
    }
}

impl From<ShopPress> for Press {
    fn from(press: ShopPress) -> Self {
        Self::Shop(press)
    }
}

impl From<StaffPress> for Press {
    fn from(press: StaffPress) -> Self {
        Self::Staff(press)
    }
}

impl From<CataloguePress> for Press {
    fn from(press: CataloguePress) -> Self {
        Self::Catalogue(press)
    }
}

/// An enum of buttons, each with the word that stands for it in callback_data, and its fields in their order.
macro_rules! presses {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident $({ $($field:ident: $kind:ty),+ $(,)? })? = $verb:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(crate) enum $name {
            $($(#[$variant_doc])* $variant $({ $($field: $kind),+ })?),+
        }

        impl $name {
            #[cfg(test)]
            pub(crate) const VERBS: &'static [&'static str] = &[$($verb),+];

            #[cfg(test)]
            pub(crate) fn longest() -> Vec<Self> {
                vec![$(Self::$variant $({ $($field: <$kind as $crate::press::arg::Arg>::longest()),+ })?),+]
            }

            pub(super) fn encode(&self) -> String {
                match self {
                    $(Self::$variant $({ $($field),+ })? => {
                        let parts: Vec<String> = vec![$verb.to_owned() $($(, $crate::press::arg::Arg::write($field))+)?];
                        parts.join(":")
                    })+
                }
            }

            pub(super) fn decode(verb: &str, arguments: &[&str]) -> Option<Self> {
                let mut arguments = arguments.iter();
                let press = match verb {
                    $($verb => Self::$variant $({ $($field: $crate::press::arg::Arg::read(arguments.next()?)?),+ })?,)+
                    _ => return None,
                };
                arguments.next().is_none().then_some(press)
            }
        }
    };
}
pub(crate) use presses;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_button_fits_into_callback_data_and_is_read_back() {
        let shop = ShopPress::longest().into_iter().map(Press::from);
        let staff = StaffPress::longest().into_iter().map(Press::from);
        for press in shop.chain(staff).chain(CataloguePress::longest().into_iter().map(Press::from)) {
            let data = press.data();
            assert!(data.len() <= BYTES_MAX, "{data} has {} bytes", data.len());
            assert_eq!(Press::parse(&data), Some(press), "{data}");
        }
    }

    #[test]
    fn every_button_has_a_word_of_its_own() {
        let all: Vec<_> =
            ShopPress::VERBS.iter().chain(StaffPress::VERBS).chain(CataloguePress::VERBS).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }

    #[test]
    fn what_is_not_ours_is_no_button() {
        for data in ["", "1", "1:", "0:m", "2:m", "m", "1:nothing", "1:m:1", "1:c:1", "1:c:x:1", "1:c:1:1:1"]
        {
            assert_eq!(Press::parse(data), None, "{data:?}");
        }
    }
}
