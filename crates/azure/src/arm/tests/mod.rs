//! The resource manager's pure parts, through their own interfaces.

mod bodies;
mod errors;
mod locks;
mod notices;
mod routes;
mod usage;
