//! The resource manager's pure parts, through their own interfaces.

mod bodies;
mod errors;
mod locks;
mod routes;
mod usage;
