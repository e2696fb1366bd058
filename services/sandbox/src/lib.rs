//! tolov-sandbox
