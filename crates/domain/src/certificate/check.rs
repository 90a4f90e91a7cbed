//! What a policy must keep to. Source: contract key-vault §3.9; the documents of the SDKs for days before expiry.
//!
//! The form of names and their sizes only: whether a subject is a distinguished name is for whoever encodes it.

use super::{
    AlternativeNames, CertificatePolicy, IssuerChoice, KeyProperties, LifetimeTrigger, X509Properties, policy::invalid,
};
use crate::Refusal;
use std::{net::IpAddr, ops::RangeInclusive};

pub(super) const VALIDITY_MONTHS: RangeInclusive<u32> = 1..=1200;
/// Documented: days before expiry are at most this many for each month of validity.
const DAYS_OF_A_MONTH: u32 = 27;
pub(super) const DAYS_BEFORE_EXPIRY: &str = "must be between 1 and validity_months multiplied by 27";
/// Limits of ours: a certificate that exceeds them is of no use to any verifier.
const SUBJECT_LENGTH: usize = 1024;
const NAMES: usize = 256;
const NAME_LENGTH: usize = 255;
const URI_LENGTH: usize = 2048;
const EKUS: usize = 64;
const COMMON_NAME_LENGTH: usize = 64;
const EKU_LENGTH: usize = 128;
const TYPE_LENGTH: usize = 255;

impl CertificatePolicy {
    /// # Errors
    /// [`Refusal::ParameterInvalid`], [`Refusal::KeySizeUnsupported`].
    pub(super) fn check(&self) -> Result<(), Refusal> {
        self.check_parts(None)
    }

    /// Checks what differs from the policy before: nobody who changes one thing is to be told of another.
    ///
    /// # Errors
    /// [`Refusal::ParameterInvalid`], [`Refusal::KeySizeUnsupported`].
    pub(super) fn check_changes(&self, before: &Self) -> Result<(), Refusal> {
        self.check_parts(Some(before))
    }

    fn check_parts(&self, before: Option<&Self>) -> Result<(), Refusal> {
        if before.is_none_or(|before| self.key.spec != before.key.spec) {
            self.key.spec.check_generated()?;
        }
        if before.is_none_or(|before| self.key != before.key) {
            self.key.check()?;
        }
        self.x509.check_parts(before.map(|before| &before.x509))?;
        let is_named_anew = |before: &Self| {
            let (own, other) = (&self.x509, &before.x509);
            own.subject != other.subject || own.names != other.names || self.issuer.name != before.issuer.name
        };
        if before.is_none_or(is_named_anew) {
            self.check_name()?;
        }
        let named_type = self.issuer.certificate_type.as_deref();
        if before.is_none_or(|before| named_type != before.issuer.certificate_type.as_deref())
            && named_type.is_some_and(|name| !is_text(name, TYPE_LENGTH))
        {
            return Err(invalid("cty", "must be 1 to 255 characters"));
        }
        if before.is_none_or(|before| self.lifetime_actions != before.lifetime_actions) {
            self.check_lifetime()?;
        }
        Ok(())
    }

    fn check_name(&self) -> Result<(), Refusal> {
        let has_subject = !self.x509.subject.trim().is_empty();
        if !has_subject && self.x509.names.is_empty() {
            return Err(invalid("x509_props", "a subject or subject alternative names are needed"));
        }
        if !has_subject && self.issuer.name == IssuerChoice::Own && self.x509.names.common_name().is_none() {
            let reason = "a certificate that signs itself needs one, or an alternative name of at most 64 characters";
            return Err(invalid("subject", reason));
        }
        Ok(())
    }

    pub(super) fn check_lifetime(&self) -> Result<(), Refusal> {
        for (index, step) in self.lifetime_actions.iter().enumerate() {
            if step.trigger == LifetimeTrigger::DaysBeforeExpiry(0) {
                return Err(invalid("days_before_expiry", DAYS_BEFORE_EXPIRY));
            }
            if self.lifetime_actions.iter().take(index).any(|earlier| earlier.action == step.action) {
                return Err(invalid("lifetime_actions", "there is at most one of each action_type"));
            }
        }
        Ok(())
    }

    /// For actions and a validity that somebody asked for together. The life of an imported certificate is what it is, and
    /// actions that were written for longer ones are no reason to refuse it.
    pub(super) fn check_days_before_expiry(&self) -> Result<(), Refusal> {
        if self.lifetime_actions.iter().any(|step| self.exceeds_validity(step.trigger)) {
            return Err(invalid("days_before_expiry", DAYS_BEFORE_EXPIRY));
        }
        Ok(())
    }

    pub(super) fn exceeds_validity(&self, trigger: LifetimeTrigger) -> bool {
        let most = self.x509.validity_months.saturating_mul(DAYS_OF_A_MONTH);
        matches!(trigger, LifetimeTrigger::DaysBeforeExpiry(days) if days > most)
    }
}

impl KeyProperties {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        if self.hsm && self.exportable {
            return Err(invalid("exportable", "a key that an HSM protects is not exportable"));
        }
        Ok(())
    }
}

impl X509Properties {
    fn check_parts(&self, before: Option<&Self>) -> Result<(), Refusal> {
        if before.is_none_or(|before| self.subject != before.subject)
            && !self.subject.is_empty()
            && !is_text(&self.subject, SUBJECT_LENGTH)
        {
            return Err(invalid("subject", "must be at most 1024 characters, none of them a control character"));
        }
        if before.is_none_or(|before| self.names != before.names) {
            self.names.check()?;
        }
        if before.is_none_or(|before| self.ekus != before.ekus)
            && (self.ekus.len() > EKUS || !self.ekus.iter().all(|eku| is_object_identifier(eku)))
        {
            return Err(invalid("ekus", "must be object identifiers, such as 1.3.6.1.5.5.7.3.1, and at most 64"));
        }
        if before.is_none_or(|before| self.validity_months != before.validity_months)
            && !VALIDITY_MONTHS.contains(&self.validity_months)
        {
            return Err(invalid("validity_months", "must be between 1 and 1200"));
        }
        Ok(())
    }
}

impl AlternativeNames {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// What a certificate without a subject is called where it needs a name: the first that fits a common name (RFC 5280
    /// appendix A.1).
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        let Self { emails, dns_names, upns, uris, ip_addresses } = self;
        let names = [dns_names, ip_addresses, emails, upns, uris].into_iter().flatten();
        names.map(String::as_str).find(|name| (1..=COMMON_NAME_LENGTH).contains(&name.chars().count()))
    }

    fn count(&self) -> usize {
        let Self { emails, dns_names, upns, uris, ip_addresses } = self;
        [emails, dns_names, upns, uris, ip_addresses].into_iter().map(Vec::len).sum()
    }

    fn check(&self) -> Result<(), Refusal> {
        let Self { emails, dns_names, upns, uris, ip_addresses } = self;
        if self.count() > NAMES {
            return Err(invalid("sans", "there are at most 256 subject alternative names"));
        }
        // Written as ASCII strings in a certificate (RFC 5280 §4.2.1.6); international names come in their ASCII forms.
        let ascii = |text: &String, most| is_text(text, most) && text.is_ascii() && !text.contains(' ');
        all(emails, |email| is_email(email), "emails", "must be addresses of e-mail, in ASCII")?;
        all(dns_names, |name| ascii(name, NAME_LENGTH), "dns_names", "must be names of at most 255 ASCII characters")?;
        all(upns, |name| is_text(name, NAME_LENGTH), "upns", "must be names of at most 255 characters")?;
        let is_uri = |uri: &String| ascii(uri, URI_LENGTH) && uri.find(':').is_some_and(|at| at > 0);
        all(uris, is_uri, "uris", "must be of at most 2048 ASCII characters, with a scheme")?;
        all(ip_addresses, |ip| ip.parse::<IpAddr>().is_ok(), "ipAddresses", "must be IPv4 or IPv6 addresses")
    }
}

fn all(
    names: &[String],
    rule: impl Fn(&String) -> bool,
    parameter: &'static str,
    reason: &'static str,
) -> Result<(), Refusal> {
    if names.iter().all(rule) { Ok(()) } else { Err(invalid(parameter, reason)) }
}

/// Not empty, not longer than that, without control characters.
pub(super) fn is_text(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// Something on either side of one `@`, in ASCII and without spaces: no more can be said without sending to it.
pub(super) fn is_email(text: &str) -> bool {
    let parts = text.split_once('@').filter(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
    parts.is_some() && is_text(text, 254) && text.is_ascii() && !text.contains(' ')
}

/// Dotted decimal, as X.660 numbers them: at least two arcs, none with leading zeros, the second below 40 under the first
/// two roots.
fn is_object_identifier(text: &str) -> bool {
    let is_arc = |arc: &str| {
        !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit()) && (arc == "0" || !arc.starts_with('0'))
    };
    let arcs: Vec<_> = text.split('.').collect();
    let begins = match arcs.as_slice() {
        ["0" | "1", second, ..] => second.parse::<u8>().is_ok_and(|second| second < 40),
        ["2", _, ..] => true,
        _ => false,
    };
    text.len() <= EKU_LENGTH && begins && arcs.into_iter().all(is_arc)
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
