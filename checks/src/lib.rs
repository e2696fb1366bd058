//! tolov-checks
