//! What an engine of this store must do.
