//! The software provider against the suite that every provider must pass.

custody::conformance_tests!(custody::SoftwareProvider);
