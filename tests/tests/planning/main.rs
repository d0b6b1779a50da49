//! What is planned, how long it takes, and what a device's limits do to it, with an executor that only counts: no memory and
//! no arithmetic.

#![expect(clippy::unwrap_used, reason = "a test states what it expects by unwrapping it")]

mod counting;
mod limits;
mod shaped;
mod time_left;
