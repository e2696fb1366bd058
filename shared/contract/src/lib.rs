//! tolov-contract
