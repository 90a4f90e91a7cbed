//! From the claims of an external issuer's token to what it says of a principal (RFC 7519 §4).
//!
//! Every claim that is read has the type that it should have, or the token is refused; what is not read may be anything.

use super::{ExternalSettings, ids};
use crate::{
    Claims, TokenError,
    tokens::{Verified, bare},
};
use domain::{Guid, UnixTime};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::{Map, Value};
use std::{fmt, sync::Arc};

/// Reads claims whose signature holds. Under which key is the caller's to add.
pub(crate) fn read(payload: &[u8], settings: &ExternalSettings, tenant: Guid) -> Result<Verified, TokenError> {
    let members: Members = serde_json::from_slice(payload).map_err(|_| TokenError::Malformed)?;
    let issuer = members.text("iss")?.ok_or(TokenError::Malformed)?;
    if issuer != settings.issuer {
        return Err(TokenError::Issuer { expected: settings.issuer.clone(), found: issuer.to_owned() });
    }
    members.check_tenant(settings, tenant)?;
    let audiences = members.audiences()?;
    let expires = members.time("exp")?.ok_or(TokenError::Malformed)?;
    let (not_before, issued) = (members.time("nbf")?, members.time("iat")?);
    let begins = not_before.max(issued).unwrap_or(UnixTime(i64::MIN));
    let skew = settings.clock_skew_seconds;
    let is_ours = |audience: &String| settings.audiences.iter().any(|ours| bare(ours) == audience);
    Ok(Verified {
        is_for_all: audiences.iter().any(is_ours),
        audiences,
        // One that does not say when it was issued is as old as can be: every revocation means it too.
        issued: issued.unwrap_or(UnixTime(i64::MIN)),
        usable_from: begins.plus_seconds(-skew),
        usable_until: expires.plus_seconds(skew),
        claims: Arc::new(Claims {
            tenant,
            object_id: members.object_id(settings)?,
            app_id: members.application(settings)?,
            groups: members.groups(settings)?,
            issuer: issuer.into(),
            embedded: false,
        }),
        key: None,
    })
}

/// The members of a JSON object, none of them twice: of two claims of one name, others might believe the one that we do
/// not (RFC 7519 §4).
struct Members(Map<String, Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once;

        impl<'de> Visitor<'de> for Once {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member is there twice"));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Once)
    }
}

impl Members {
    /// A claim; `null` counts as left out.
    fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<Option<&str>, TokenError> {
        self.value(name).map(|value| value.as_str().ok_or(TokenError::Malformed)).transpose()
    }

    /// A number of seconds, with or without a fraction (RFC 7519 §2, "NumericDate").
    fn time(&self, name: &str) -> Result<Option<UnixTime>, TokenError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let whole = value.as_i64().or_else(|| value.as_f64().and_then(floor)).ok_or(TokenError::Malformed)?;
        Ok(Some(UnixTime(whole)))
    }

    fn texts(value: &Value) -> Result<Vec<&str>, TokenError> {
        match value {
            Value::String(text) => Ok(vec![text]),
            Value::Array(all) => all.iter().map(|each| each.as_str().ok_or(TokenError::Malformed)).collect(),
            _ => Err(TokenError::Malformed),
        }
    }

    fn audiences(&self) -> Result<Vec<String>, TokenError> {
        let value = self.value("aud").ok_or(TokenError::Malformed)?;
        Ok(Self::texts(value)?.into_iter().map(|audience| bare(audience).to_owned()).collect())
    }

    fn check_tenant(&self, settings: &ExternalSettings, tenant: Guid) -> Result<(), TokenError> {
        match self.text(&settings.claims.tenant)? {
            Some(found) if Guid::parse(found) != Some(tenant) => Err(TokenError::Tenant),
            _ => Ok(()),
        }
    }

    fn object_id(&self, settings: &ExternalSettings) -> Result<Guid, TokenError> {
        let found = match self.text(&settings.claims.object_id)? {
            Some(found) => Some(found),
            None => self.text("sub")?,
        };
        let found = found.filter(|found| !found.is_empty()).ok_or(TokenError::Malformed)?;
        Ok(ids::subject_id(&settings.issuer, found))
    }

    fn application(&self, settings: &ExternalSettings) -> Result<Option<Guid>, TokenError> {
        for name in &settings.claims.application {
            if let Some(found) = self.text(name)? {
                return Ok(Some(ids::application_id(&settings.issuer, found)));
            }
        }
        Ok(None)
    }

    fn groups(&self, settings: &ExternalSettings) -> Result<Vec<Guid>, TokenError> {
        let Some(value) = self.value(&settings.claims.groups) else { return Ok(Vec::new()) };
        Ok(Self::texts(value)?.into_iter().map(|group| ids::group_id(&settings.issuer, group)).collect())
    }
}

/// The whole seconds of a date that any calendar could hold.
fn floor(seconds: f64) -> Option<i64> {
    const BEYOND_ALL_DATES: f64 = 1e15;
    (seconds.abs() < BEYOND_ALL_DATES).then(|| seconds.floor() as i64)
}
