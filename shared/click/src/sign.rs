//! The signature of section 1.3: MD5 over fields without separators. MD5 is CLICK's choice and is used for nothing
//! else. Because field boundaries are ambiguous, a valid signature alone proves little: the caller also checks that the
//! attempt belongs to the order and that every field has its pattern.

use std::fmt;

use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

/// The SECRET_KEY of a CLICK service. Does not print.
#[derive(Clone)]
pub struct SecretKey(String);

/// The signed fields, as text.
#[derive(Debug, Clone, Copy)]
pub struct SignedFields<'a> {
    pub click_trans_id: &'a str,
    pub service_id: &'a str,
    pub merchant_trans_id: &'a str,
    /// Of a Complete; `None` for a Prepare.
    pub merchant_prepare_id: Option<&'a str>,
    pub amount: &'a str,
    pub action: &'a str,
    pub sign_time: &'a str,
}

/// What is signed, in its order: the fields before the key and those after it. Bytes, because what was received need not
/// be text.
#[derive(Debug, Clone, Copy)]
pub struct SignedBytes<'a> {
    /// click_trans_id, service_id
    pub before_key: [&'a [u8]; 2],
    /// merchant_trans_id, merchant_prepare_id (empty for a Prepare), amount, action, sign_time
    pub after_key: [&'a [u8]; 5],
}

impl<'a> From<&SignedFields<'a>> for SignedBytes<'a> {
    fn from(fields: &SignedFields<'a>) -> Self {
        Self {
            before_key: [fields.click_trans_id, fields.service_id].map(str::as_bytes),
            after_key: [
                fields.merchant_trans_id,
                fields.merchant_prepare_id.unwrap_or_default(),
                fields.amount,
                fields.action,
                fields.sign_time,
            ]
            .map(str::as_bytes),
        }
    }
}

impl SecretKey {
    pub fn new(secret_key: impl Into<String>) -> Self {
        Self(secret_key.into())
    }

    /// The signature as CLICK writes it: 32 lower-case hexadecimal digits.
    pub fn sign(&self, fields: &SignedFields<'_>) -> String {
        self.sign_bytes(&fields.into())
    }

    pub fn sign_bytes(&self, bytes: &SignedBytes<'_>) -> String {
        to_hex(&self.digest(bytes))
    }

    /// Compares in constant time. Text that is no MD5 is no signature.
    pub fn verify(&self, fields: &SignedFields<'_>, claimed: &str) -> bool {
        self.verify_bytes(&fields.into(), claimed)
    }

    pub fn verify_bytes(&self, bytes: &SignedBytes<'_>, claimed: &str) -> bool {
        let Some(claimed) = parse_hex::<16>(claimed) else { return false };
        self.digest(bytes).ct_eq(&claimed).into()
    }

    /// For the Merchant API's digest.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    fn digest(&self, bytes: &SignedBytes<'_>) -> [u8; 16] {
        let mut md5 = Md5::new();
        bytes.before_key.iter().for_each(|field| md5.update(field));
        md5.update(&self.0);
        bytes.after_key.iter().for_each(|field| md5.update(field));
        md5.finalize().into()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey(…)")
    }
}

/// Signs a Prepare.
pub fn sign_prepare(
    secret_key: &SecretKey,
    click_trans_id: &str,
    service_id: &str,
    merchant_trans_id: &str,
    amount: &str,
    sign_time: &str,
) -> String {
    secret_key.sign(&SignedFields {
        click_trans_id,
        service_id,
        merchant_trans_id,
        merchant_prepare_id: None,
        amount,
        action: "0",
        sign_time,
    })
}

/// Signs a Complete.
pub fn sign_complete(
    secret_key: &SecretKey,
    click_trans_id: &str,
    service_id: &str,
    merchant_trans_id: &str,
    merchant_prepare_id: &str,
    amount: &str,
    sign_time: &str,
) -> String {
    secret_key.sign(&SignedFields {
        click_trans_id,
        service_id,
        merchant_trans_id,
        merchant_prepare_id: Some(merchant_prepare_id),
        amount,
        action: "1",
        sign_time,
    })
}

/// Lower-case hexadecimal digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(hex_digit(byte >> 4));
        text.push(hex_digit(byte & 0x0f));
    }
    text
}

fn hex_digit(nibble: u8) -> char {
    char::from(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 })
}

/// Exactly `N` bytes in hexadecimal digits of either case.
pub(crate) fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let bytes = text.as_bytes();
    if bytes.len() != 2 * N || !bytes.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut digest = [0; N];
    for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}
