//! Policies as a client asks for them: what is missing is filled in, what is there replaces. Source: contract key-vault
//! §3.9.

use super::check::DAYS_BEFORE_EXPIRY;
use super::{
    AlternativeNames, CertificateContent, CertificatePolicy, IssuerChoice, IssuerReference, KeyProperties, KeyUsage,
    LifetimeStep, LifetimeStepKind, LifetimeTrigger, X509Properties,
};
use crate::{Curve, KeySpec, KeyType, Refusal, UnixTime};

/// A policy as a client sends it. `None` where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyRequest {
    pub key: KeyRequest,
    pub content_type: Option<String>,
    pub subject: Option<String>,
    pub names: Option<AlternativeNames>,
    /// Whether addresses and URIs stay as they are where the names speak of none: who asks does not know that there are
    /// any.
    pub keeps_newer_names: bool,
    pub ekus: Option<Vec<String>>,
    pub key_usage: Option<Vec<KeyUsage>>,
    pub validity_months: Option<i64>,
    /// An empty list is an answer: nothing is to happen.
    pub lifetime_actions: Option<Vec<LifetimeStepRequest>>,
    pub issuer: IssuerRequest,
    pub enabled: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRequest {
    pub key_type: Option<KeyType>,
    /// Of the key type: `RSA-HSM` and not `RSA`. Says nothing without one.
    pub hsm: bool,
    pub bits: Option<i64>,
    pub curve: Option<Curve>,
    pub exportable: Option<bool>,
    pub reuse_key: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LifetimeStepRequest {
    pub action: Option<LifetimeStepKind>,
    pub percentage: Option<i64>,
    pub days_before_expiry: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssuerRequest {
    pub name: Option<String>,
    pub certificate_type: Option<String>,
    pub transparency: Option<bool>,
}

const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";

impl CertificatePolicy {
    pub const DEFAULT_VALIDITY_MONTHS: u32 = 12;

    /// The policy of a new certificate.
    ///
    /// Without an issuer it signs itself: who says nothing wants a certificate, and not one that waits for a merge.
    ///
    /// # Errors
    /// [`Refusal::ParameterInvalid`], [`Refusal::KeySizeUnsupported`].
    pub fn filled(request: &PolicyRequest, now: UnixTime) -> Result<Self, Refusal> {
        let key = request.key.filled()?;
        let x509 = X509Properties {
            subject: request.subject.clone().unwrap_or_default(),
            names: request.names.clone().unwrap_or_default(),
            ekus: request.ekus.clone().unwrap_or_else(|| vec![SERVER_AUTH.to_owned(), CLIENT_AUTH.to_owned()]),
            key_usage: request.key_usage.as_deref().map_or_else(|| default_usage(key.spec), each_once),
            validity_months: months(request.validity_months)?.unwrap_or(Self::DEFAULT_VALIDITY_MONTHS),
            is_authority: false,
        };
        let policy = Self::of(request, key, x509, &IssuerChoice::Own, now)?;
        policy.check()?;
        policy.check_days_before_expiry()?;
        Ok(policy)
    }

    /// The policy of a certificate that was made elsewhere: key and contents are as they are, whatever the request says of
    /// them. Without an issuer it is [`IssuerChoice::Unknown`].
    ///
    /// # Errors
    /// [`Refusal::ParameterInvalid`].
    pub fn imported(
        request: &PolicyRequest,
        spec: KeySpec,
        contents: X509Properties,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        let hsm = request.key.key_type.is_some() && request.key.hsm;
        let key = KeyProperties {
            spec,
            hsm,
            exportable: request.key.exportable.unwrap_or(!hsm),
            reuse_key: request.key.reuse_key.unwrap_or(false),
        };
        let policy = Self::of(request, key, contents, &IssuerChoice::Unknown, now)?;
        policy.key.check()?;
        policy.check_lifetime()?;
        Ok(policy)
    }

    fn of(
        request: &PolicyRequest,
        key: KeyProperties,
        x509: X509Properties,
        issuer: &IssuerChoice,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        let issuer = IssuerReference {
            name: request.issuer.choice()?.unwrap_or_else(|| issuer.clone()),
            certificate_type: request.issuer.certificate_type.clone(),
            transparency: request.issuer.transparency,
        };
        Ok(Self {
            key,
            content: request.content()?.unwrap_or(CertificateContent::Pkcs12),
            x509,
            lifetime_actions: request.steps()?.unwrap_or_else(|| default_steps(&issuer.name)),
            issuer,
            enabled: request.enabled.unwrap_or(true),
            created: now,
            updated: now,
        })
    }

    /// The policy with what the request says. What it does not speak of stays as it is, and so does what it repeats: that of
    /// an imported certificate keeps to no limits of ours.
    ///
    /// # Errors
    /// [`Refusal::ParameterInvalid`], [`Refusal::KeySizeUnsupported`].
    pub fn amended(&self, request: &PolicyRequest, now: UnixTime) -> Result<Self, Refusal> {
        let x509 = X509Properties {
            subject: request.subject.clone().unwrap_or_else(|| self.x509.subject.clone()),
            names: request.amended_names(&self.x509.names),
            ekus: request.ekus.clone().unwrap_or_else(|| self.x509.ekus.clone()),
            key_usage: request.key_usage.as_deref().map_or_else(|| self.x509.key_usage.clone(), each_once),
            validity_months: match request.validity_months {
                Some(months) if months == i64::from(self.x509.validity_months) => self.x509.validity_months,
                asked => months(asked)?.unwrap_or(self.x509.validity_months),
            },
            is_authority: self.x509.is_authority,
        };
        let policy = Self {
            key: request.key.amend(&self.key)?,
            content: request.content()?.unwrap_or(self.content),
            x509,
            lifetime_actions: request.steps()?.unwrap_or_else(|| self.lifetime_actions.clone()),
            issuer: request.issuer.amend(&self.issuer)?,
            enabled: request.enabled.unwrap_or(self.enabled),
            created: self.created,
            updated: now,
        };
        policy.check_changes(self)?;
        let is_measured_anew = policy.lifetime_actions != self.lifetime_actions
            || policy.x509.validity_months != self.x509.validity_months;
        if is_measured_anew {
            policy.check_days_before_expiry()?;
        }
        Ok(policy)
    }
}

impl PolicyRequest {
    fn amended_names(&self, kept: &AlternativeNames) -> AlternativeNames {
        let mut names = self.names.clone().unwrap_or_else(|| kept.clone());
        if self.keeps_newer_names {
            for (asked, kept) in [(&mut names.uris, &kept.uris), (&mut names.ip_addresses, &kept.ip_addresses)] {
                if asked.is_empty() {
                    asked.clone_from(kept);
                }
            }
        }
        names
    }

    fn content(&self) -> Result<Option<CertificateContent>, Refusal> {
        let reason = "must be application/x-pkcs12 or application/x-pem-file";
        let known = |text: &String| CertificateContent::parse(text).ok_or(invalid("contentType", reason));
        self.content_type.as_ref().map(known).transpose()
    }

    fn steps(&self) -> Result<Option<Vec<LifetimeStep>>, Refusal> {
        let steps = self.lifetime_actions.as_deref();
        steps.map(|steps| steps.iter().map(LifetimeStepRequest::step).collect()).transpose()
    }
}

impl LifetimeStepRequest {
    fn step(&self) -> Result<LifetimeStep, Refusal> {
        let trigger = match (self.percentage, self.days_before_expiry) {
            (Some(percentage), None) => {
                let percentage = u8::try_from(percentage).ok().filter(|percentage| (1..=99).contains(percentage));
                let reason = "must be between 1 and 99";
                LifetimeTrigger::Percentage(percentage.ok_or(invalid("lifetime_percentage", reason))?)
            }
            (None, Some(days)) => {
                let days = u32::try_from(days).map_err(|_| invalid("days_before_expiry", DAYS_BEFORE_EXPIRY))?;
                LifetimeTrigger::DaysBeforeExpiry(days)
            }
            (None, None) | (Some(_), Some(_)) => {
                let reason = "an action has either lifetime_percentage or days_before_expiry";
                return Err(invalid("lifetime_actions", reason));
            }
        };
        let action = self.action.ok_or(invalid("lifetime_actions", "an action has an action_type"))?;
        Ok(LifetimeStep { trigger, action })
    }
}

impl IssuerRequest {
    fn choice(&self) -> Result<Option<IssuerChoice>, Refusal> {
        let reason = "its name must be Self, Unknown or that of an issuer: 1 to 127 letters, digits and hyphens";
        self.name.as_deref().map(|name| IssuerChoice::parse(name).ok_or(invalid("issuer", reason))).transpose()
    }

    fn amend(&self, kept: &IssuerReference) -> Result<IssuerReference, Refusal> {
        Ok(IssuerReference {
            name: self.choice()?.unwrap_or_else(|| kept.name.clone()),
            certificate_type: self.certificate_type.clone().or_else(|| kept.certificate_type.clone()),
            transparency: self.transparency.or(kept.transparency),
        })
    }
}

impl KeyRequest {
    fn filled(&self) -> Result<KeyProperties, Refusal> {
        // Who names a curve and no type can mean only one.
        let assumed = if self.curve.is_some() { KeyType::Ec } else { KeyType::Rsa };
        let hsm = self.key_type.is_some() && self.hsm;
        Ok(KeyProperties {
            spec: self.spec(self.key_type.unwrap_or(assumed), None)?,
            hsm,
            // An HSM's key does not leave it.
            exportable: self.exportable.unwrap_or(!hsm),
            reuse_key: self.reuse_key.unwrap_or(false),
        })
    }

    fn amend(&self, kept: &KeyProperties) -> Result<KeyProperties, Refusal> {
        let key_type = self.key_type.unwrap_or(kept.spec.key_type());
        let hsm = if self.key_type.is_some() { self.hsm } else { kept.hsm };
        let stays = kept.spec.key_type() == key_type && self.bits.is_none() && self.curve.is_none();
        Ok(KeyProperties {
            spec: if stays { kept.spec } else { self.spec(key_type, Some(kept.spec))? },
            hsm,
            exportable: self.exportable.unwrap_or(kept.exportable && !hsm),
            reuse_key: self.reuse_key.unwrap_or(kept.reuse_key),
        })
    }

    /// The wire shows an EC key with its curve and with the curve's size; either will do to ask for one.
    fn spec(&self, key_type: KeyType, kept: Option<KeySpec>) -> Result<KeySpec, Refusal> {
        let bits = self.bits.map(|bits| u32::try_from(bits).map_err(|_| invalid("key_size", "is not a key size")));
        let bits = bits.transpose()?;
        match key_type {
            KeyType::Rsa if self.curve.is_some() => Err(invalid("crv", "is for keys of type EC")),
            KeyType::Rsa => Ok(bits.map_or(KeySpec::DEFAULT_RSA, |bits| KeySpec::Rsa { bits })),
            KeyType::Ec => {
                let fits = |curve: &Curve| bits.is_none_or(|bits| bits == curve.bits());
                let of_size = || Curve::ALL.iter().copied().find(fits);
                let kept = match kept {
                    Some(KeySpec::Ec { curve }) => Some(curve).filter(fits),
                    _ => None,
                };
                let curve = self.curve.or(kept).or_else(of_size).filter(fits);
                curve.map(|curve| KeySpec::Ec { curve }).ok_or(invalid("key_size", "does not fit the curve"))
            }
            KeyType::Oct => Err(invalid("kty", "a certificate is about a key of type RSA or EC")),
        }
    }
}

/// An EC key enciphers nothing: RFC 8813 §3 forbids its certificates to say so.
fn default_usage(spec: KeySpec) -> Vec<KeyUsage> {
    match spec.key_type() {
        KeyType::Ec => vec![KeyUsage::DigitalSignature],
        KeyType::Rsa | KeyType::Oct => vec![KeyUsage::DigitalSignature, KeyUsage::KeyEncipherment],
    }
}

fn default_steps(issuer: &IssuerChoice) -> Vec<LifetimeStep> {
    let action = match issuer {
        IssuerChoice::Unknown => LifetimeStepKind::EmailContacts,
        IssuerChoice::Own | IssuerChoice::Named(_) => LifetimeStepKind::AutoRenew,
    };
    vec![LifetimeStep { trigger: LifetimeTrigger::DEFAULT, action }]
}

fn each_once(usage: &[KeyUsage]) -> Vec<KeyUsage> {
    let mut once = Vec::new();
    for bit in usage {
        if !once.contains(bit) {
            once.push(*bit);
        }
    }
    once
}

fn months(asked: Option<i64>) -> Result<Option<u32>, Refusal> {
    let checked = |months| u32::try_from(months).ok().filter(|months| super::check::VALIDITY_MONTHS.contains(months));
    asked.map(|months| checked(months).ok_or(invalid("validity_months", "must be between 1 and 1200"))).transpose()
}

pub(super) fn invalid(parameter: &'static str, reason: &'static str) -> Refusal {
    Refusal::ParameterInvalid { parameter, reason }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
