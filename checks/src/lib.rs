//! What is checked from outside: programs that drive the built services as CLICK and shoppers would.

pub mod load;
