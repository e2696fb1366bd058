//! unreadable
