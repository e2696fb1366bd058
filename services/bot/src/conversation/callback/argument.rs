//! Values in callback_data, and the macro that declares a set of buttons.

use tolov_domain::{Language, OrderId, Phone, ProductId, RefundId, UserId};
use tolov_shop::{
    order::{MissingChoice, OrderAction, Stage},
    promo,
    staff::Role,
    statistics::Period,
};

use crate::conversation::{
    callback::RefundDecision,
    dialogue::{Field, PromoField, VariantField},
};

/// A value as a part of callback_data. It holds no colon.
pub(crate) trait Arg: Sized {
    fn write(&self) -> String;
    fn read(text: &str) -> Option<Self>;
    #[cfg(test)]
    fn longest() -> Self;
}

/// An enum of buttons, each with its verb in callback_data and its fields in their order.
macro_rules! callbacks {
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
                vec![$(Self::$variant $({ $($field: <$kind as $crate::conversation::callback::argument::Arg>::longest()),+ })?),+]
            }

            pub(super) fn encode(&self) -> String {
                match self {
                    $(Self::$variant $({ $($field),+ })? => {
                        let parts: Vec<String> = vec![$verb.to_owned() $($(, $crate::conversation::callback::argument::Arg::write($field))+)?];
                        parts.join(":")
                    })+
                }
            }

            pub(super) fn decode(verb: &str, arguments: &[&str]) -> Option<Self> {
                let mut arguments = arguments.iter();
                let callback = match verb {
                    $($verb => Self::$variant $({ $($field: $crate::conversation::callback::argument::Arg::read(arguments.next()?)?),+ })?,)+
                    _ => return None,
                };
                arguments.next().is_none().then_some(callback)
            }
        }
    };
}
pub(crate) use callbacks;

macro_rules! numbers {
    ($($kind:ty),*) => {$(
        impl Arg for $kind {
            fn write(&self) -> String {
                self.to_string()
            }

            fn read(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            #[cfg(test)]
            fn longest() -> Self {
                <$kind>::MAX
            }
        }
    )*};
}
numbers!(u32, i64);

macro_rules! ids {
    ($($kind:ty),*) => {$(
        impl Arg for $kind {
            fn write(&self) -> String {
                self.to_string()
            }

            fn read(text: &str) -> Option<Self> {
                Self::parse(text).ok()
            }

            #[cfg(test)]
            fn longest() -> Self {
                Self::try_new(i64::MAX).unwrap()
            }
        }
    )*};
}
ids!(OrderId, ProductId, RefundId, UserId);

impl Arg for Phone {
    fn write(&self) -> String {
        self.as_str().trim_start_matches('+').to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        Self::parse(&format!("+{text}")).ok()
    }

    #[cfg(test)]
    fn longest() -> Self {
        Self::parse("+123456789012345").unwrap()
    }
}

/// A promo code that fits into a button: in ASCII, because 32 letters of another alphabet would not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodeArg(String);

impl CodeArg {
    pub(crate) fn of(code: &str) -> Option<Self> {
        let code = promo::fold_code(code).filter(|code| code.is_ascii())?;
        Some(Self(code))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Arg for CodeArg {
    fn write(&self) -> String {
        self.0.clone()
    }

    fn read(text: &str) -> Option<Self> {
        Self::of(text)
    }

    #[cfg(test)]
    fn longest() -> Self {
        Self("W".repeat(promo::CODE_MAX_CHARS))
    }
}

/// Types with a few values, each with a short code.
macro_rules! codes {
    ($kind:ty { $($value:expr => $code:literal),+ $(,)? }) => {
        impl Arg for $kind {
            fn write(&self) -> String {
                // A value without a code would write nothing; the test below sees to it that there is none.
                [$(($value, $code)),+].iter().find(|(value, _)| value == self).map_or_else(String::new, |(_, code)| (*code).to_owned())
            }

            fn read(text: &str) -> Option<Self> {
                match text {
                    $($code => Some($value),)+
                    _ => None,
                }
            }

            #[cfg(test)]
            fn longest() -> Self {
                [$(($code.len(), $value)),+].into_iter().max_by_key(|(length, _)| *length).unwrap().1
            }
        }
    };
}

codes!(Language { Language::Uz => "uz", Language::Ru => "ru", Language::En => "en" });
codes!(bool { true => "1", false => "0" });
codes!(Role { Role::Owner => "o", Role::Manager => "m", Role::Courier => "c" });
codes!(OrderAction {
    OrderAction::Placed => "pl",
    OrderAction::Registered => "rg",
    OrderAction::Paid => "pd",
    OrderAction::Accepted => "ac",
    OrderAction::MadeReady => "rd",
    OrderAction::SentOff => "so",
    OrderAction::Delivered => "dl",
    OrderAction::Cancelled => "cn",
    OrderAction::Expired => "ex",
    OrderAction::Refunded => "rf",
});

codes!(RefundDecision {
    RefundDecision::ByHand => "h",
    RefundDecision::Retry => "r",
    RefundDecision::Withdraw => "w",
});
codes!(MissingChoice { MissingChoice::Wait => "w", MissingChoice::Other => "o" });
codes!(Period { Period::Days => "d", Period::Weeks => "w", Period::Months => "m" });
codes!(Stage {
    Stage::Creating => "pl",
    Stage::AwaitingPayment => "w",
    Stage::Paid => "pd",
    Stage::Preparing => "pr",
    Stage::Ready => "r",
    Stage::OnTheWay => "o",
    Stage::Delivered => "d",
    Stage::Cancelled => "c",
    Stage::Expired => "e",
    Stage::Refunded => "b",
});

codes!(Field {
    Field::Title => "t",
    Field::Description => "d",
    Field::Portion => "w",
    Field::Price => "p",
    Field::Stock => "s",
    Field::Photo => "f",
    Field::Mxik => "m",
    Field::PackageCode => "c",
    Field::Vat => "v",
});
codes!(VariantField { VariantField::Label => "l", VariantField::Price => "p", VariantField::Stock => "s" });

codes!(PromoField {
    PromoField::Code => "c",
    PromoField::Off => "o",
    PromoField::GoodsMin => "m",
    PromoField::Uses => "u",
    PromoField::UsesPerShopper => "s",
    PromoField::Until => "t",
    PromoField::Review => "r",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_read_back() {
        for role in Role::ALL {
            assert_eq!(Arg::read(&role.write()), Some(role));
        }
        for field in Field::ALL {
            assert_eq!(Arg::read(&field.write()), Some(field));
        }
        for field in PromoField::ALL {
            assert_eq!(Arg::read(&field.write()), Some(field));
        }
        for field in VariantField::ALL {
            assert_eq!(Arg::read(&field.write()), Some(field));
        }
        for period in Period::ALL {
            assert_eq!(Arg::read(&period.write()), Some(period));
        }
        for stage in Stage::ALL {
            assert_eq!(Arg::read(&stage.write()), Some(stage));
        }
        for language in Language::ALL {
            assert_eq!(Arg::read(&language.write()), Some(language));
        }
        for action in [
            OrderAction::Placed,
            OrderAction::Registered,
            OrderAction::Paid,
            OrderAction::Accepted,
            OrderAction::MadeReady,
            OrderAction::SentOff,
            OrderAction::Delivered,
            OrderAction::Cancelled,
            OrderAction::Expired,
            OrderAction::Refunded,
        ] {
            assert_eq!(Arg::read(&action.write()), Some(action));
        }
    }
}
