//! tolov-projector
