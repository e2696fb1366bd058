//! The codes of a product in the tax register.

use serde::{Deserialize, Serialize};

/// What a fiscal receipt needs: the product's code in the tax register (IKPU), its package and its VAT rate.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fiscal {
    /// 17 digits.
    pub mxik: Option<String>,
    pub package_code: Option<String>,
    pub vat_percent: Option<u8>,
}

impl Fiscal {
    /// What is not there is taken from the shop's defaults. A package belongs to its MXIK: with another MXIK the default
    /// package is none.
    #[must_use]
    pub fn or(&self, default: &Self) -> Self {
        let same_code = self.mxik.is_none() || self.mxik == default.mxik;
        let package_code = self.package_code.clone();
        Self {
            mxik: self.mxik.clone().or_else(|| default.mxik.clone()),
            package_code: package_code.or_else(|| default.package_code.clone().filter(|_| same_code)),
            vat_percent: self.vat_percent.or(default.vat_percent),
        }
    }

    pub const fn is_complete(&self) -> bool {
        self.mxik.is_some() && self.package_code.is_some() && self.vat_percent.is_some()
    }
}
