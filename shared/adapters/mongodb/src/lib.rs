//! tolov-mongodb
