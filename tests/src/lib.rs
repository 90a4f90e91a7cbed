//! What the end-to-end tests share: the naive model of deletion, and servers to hold it against.

pub mod model;
