//! The built program, from outside: processes, real servers, kill -9.

mod demo;
mod environment;
mod journey;
mod processes;
mod shop_world;
