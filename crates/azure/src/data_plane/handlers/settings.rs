//! Settings of a managed HSM: one, and it cannot be changed yet (contract: managed-hsm §2.7).

use crate::{
    Response,
    data_plane::{Answer, error::Problem, route::Route},
    reply,
};
use http::StatusCode;
use serde::Serialize;

#[derive(Serialize)]
struct Setting {
    name: &'static str,
    r#type: &'static str,
    /// Text, whatever the type.
    value: &'static str,
}

#[derive(Serialize)]
struct SettingsListResult {
    settings: [Setting; 1],
}

/// Keys are not managed through ARM here, so the answer is true.
const ARM_KEYS: Setting = Setting { name: "AllowKeyManagementOperationsThroughARM", r#type: "boolean", value: "false" };

pub(in crate::data_plane) fn list() -> Response {
    reply::json(StatusCode::OK, &SettingsListResult { settings: [ARM_KEYS] })
}

pub(in crate::data_plane) fn get(route: &Route<'_>) -> Answer {
    if route.name.is_some_and(|name| name.eq_ignore_ascii_case(ARM_KEYS.name)) {
        return Ok(reply::json(StatusCode::OK, &ARM_KEYS));
    }
    Err(Problem::NoRoute(crate::data_plane::route::NoRoute::NotFound))
}
