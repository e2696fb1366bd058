//! `Auth: merchant_user_id:digest:timestamp`, the digest being `sha1(timestamp + secret_key)`.

use std::fmt;

use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use crate::{
    SecretKey,
    sign::{parse_hex, to_hex},
};

/// Who calls, and when. The digest does not cover the call itself: TLS is its only cover, and the time its only end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Auth {
    pub merchant_user_id: i64,
    /// Seconds since 1970, ten digits.
    pub timestamp_s: i64,
    digest: [u8; 20],
}

/// A header that is none. Says what is wrong and repeats nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAuth {
    #[error("the Auth header is not merchant_user_id:digest:timestamp")]
    Form,
    #[error("merchant_user_id of the Auth header is no number")]
    MerchantUserId,
    #[error("the digest of the Auth header is not SHA-1 in 40 hexadecimal digits")]
    Digest,
    #[error("the timestamp of the Auth header is not ten digits of seconds since 1970")]
    Timestamp,
}

impl Auth {
    pub fn new(merchant_user_id: i64, secret_key: &SecretKey, timestamp_s: i64) -> Self {
        Self { merchant_user_id, timestamp_s, digest: digest(secret_key, timestamp_s) }
    }

    /// The value of the header.
    pub fn header(&self) -> String {
        format!("{}:{}:{}", self.merchant_user_id, to_hex(&self.digest), self.timestamp_s)
    }

    pub fn parse(header: &str) -> Result<Self, BadAuth> {
        let parts: Vec<&str> = header.trim().split(':').collect();
        let [merchant_user_id, digest, timestamp] = parts.as_slice() else { return Err(BadAuth::Form) };
        let is_timestamp = timestamp.len() == 10 && timestamp.bytes().all(|byte| byte.is_ascii_digit());
        Ok(Self {
            merchant_user_id: merchant_user_id.parse().map_err(|_| BadAuth::MerchantUserId)?,
            digest: parse_hex::<20>(digest).ok_or(BadAuth::Digest)?,
            timestamp_s: timestamp.parse().ok().filter(|_| is_timestamp).ok_or(BadAuth::Timestamp)?,
        })
    }

    /// Compared in constant time. Whether the timestamp is recent enough is for the caller to say.
    pub fn is_signed_by(&self, secret_key: &SecretKey) -> bool {
        digest(secret_key, self.timestamp_s).ct_eq(&self.digest).into()
    }
}

/// Does not print the digest.
impl fmt::Debug for Auth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Auth({}:…:{})", self.merchant_user_id, self.timestamp_s)
    }
}

fn digest(secret_key: &SecretKey, timestamp_s: i64) -> [u8; 20] {
    Sha1::new().chain_update(timestamp_s.to_string()).chain_update(secret_key.expose()).finalize().into()
}
