//! tolov-click
