//! tolov-embedded
