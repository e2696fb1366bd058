//! tolov-bot
