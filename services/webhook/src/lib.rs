//! tolov-webhook
