//! The users that a simulated Telegram has from the start: a shopper, and the shop's owner.

use anyhow::Result;
use tolov_sandbox::telegram::{NewShopper, Telegram};

pub(crate) const SHOPPER_ID: i64 = 5_551_001;
/// May do everything in the bot, as long as the bot's token is the sandbox's own.
pub(crate) const OWNER_ID: i64 = 5_551_002;
pub(crate) const PICKUP_ADDRESS: &str = "Toshkent, Navoiy ko‘chasi 1 (9:00–21:00)";

/// Creates those of the two that do not exist.
pub(crate) fn seed_users(telegram: &Telegram) -> Result<()> {
    let existing = telegram.shoppers();
    for (id, name, phone) in
        [(SHOPPER_ID, "Dilnoza", "+998901112233"), (OWNER_ID, "Sardor (owner)", "+998904445566")]
    {
        if existing.iter().all(|user| user.id != id) {
            telegram.create_shopper(NewShopper {
                id: Some(id),
                first_name: Some(name.to_owned()),
                language_code: Some("uz".to_owned()),
                phone_number: Some(phone.to_owned()),
                ..NewShopper::default()
            })?;
        }
    }
    Ok(())
}
