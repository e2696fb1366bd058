//! What is told to the tax committee about a payment. All sums are tiyin, unlike anywhere else in CLICK's protocols.

use serde::{Deserialize, Serialize};

/// Body of `payment/ofd_data/submit_items`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiscalItems {
    pub service_id: i64,
    pub payment_id: i64,
    pub items: Vec<FiscalItem>,
    pub received_ecash: u64,
    pub received_cash: u64,
    pub received_card: u64,
}

/// Body of `payment/ofd_data/submit_qrcode`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiscalQrCode {
    pub service_id: i64,
    pub payment_id: i64,
    /// Address of a receipt that the merchant's own cash register made.
    pub qrcode: String,
}

/// One line of a receipt. Field names are CLICK's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FiscalItem {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barcode: Option<String>,
    /// Marking codes, at most 300 of at most 21 characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The IKPU, 17 digits.
    #[serde(rename = "SPIC")]
    pub spic: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<u64>,
    pub package_code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good_price: Option<u64>,
    /// Of the line, before its discount, in tiyin.
    pub price: u64,
    pub amount: u64,
    /// In tiyin.
    #[serde(rename = "VAT")]
    pub vat: u64,
    #[serde(rename = "VATPercent")]
    pub vat_percent: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<u64>,
    pub commission_info: CommissionInfo,
}

/// Whose goods they are: a company or a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CommissionInfo {
    /// Nine digits.
    #[serde(rename = "TIN")]
    Tin(String),
    /// Fourteen digits.
    #[serde(rename = "PINFL")]
    Pinfl(String),
}

/// Items that CLICK would not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadItems {
    #[error("there are no items")]
    Empty,
    #[error("item {item}: {field} is not as the documents have it")]
    Field { item: usize, field: &'static str },
}

const MAX_LABELS: usize = 300;

impl FiscalItems {
    /// Checks every field against the lengths that are documented. Numbers the items from 1.
    pub fn check(&self) -> Result<(), BadItems> {
        if self.items.is_empty() {
            return Err(BadItems::Empty);
        }
        for (position, item) in self.items.iter().enumerate() {
            item.check().map_err(|field| BadItems::Field { item: position + 1, field })?;
        }
        Ok(())
    }

    /// What was received in all, tiyin. `None`: more than there is.
    pub fn received(&self) -> Option<u64> {
        self.received_ecash.checked_add(self.received_cash)?.checked_add(self.received_card)
    }
}

impl FiscalItem {
    fn check(&self) -> Result<(), &'static str> {
        let fits = |text: &str, most: usize| !text.is_empty() && text.chars().count() <= most;
        let digits =
            |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        let seller = match &self.commission_info {
            CommissionInfo::Tin(tin) => digits(tin, 9),
            CommissionInfo::Pinfl(pinfl) => digits(pinfl, 14),
        };
        let labels = self.labels.len() <= MAX_LABELS && self.labels.iter().all(|label| fits(label, 21));
        [
            ("Name", fits(&self.name, 63)),
            ("Barcode", self.barcode.as_ref().is_none_or(|barcode| fits(barcode, 13))),
            ("Labels", labels),
            ("SPIC", digits(&self.spic, 17)),
            ("PackageCode", fits(&self.package_code, 20)),
            ("Amount", self.amount > 0),
            ("VATPercent", self.vat_percent <= 100),
            ("CommissionInfo", seller),
        ]
        .into_iter()
        .find(|(_, fine)| !fine)
        .map_or(Ok(()), |(field, _)| Err(field))
    }
}
