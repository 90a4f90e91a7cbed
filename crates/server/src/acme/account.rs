//! The account at an ACME server: one for the installation, and one for each external account that issuers bring.
//!
//! Its key is a key of the installation: sealed, used in custody, the same after a restart. Its address is asked for once a
//! process. Who brings an external account has to have its secret: the name of the key depends on it.

use super::{
    connection::Talk,
    jws::{self, Signer},
    problem::Trouble,
};
use aws_lc_rs::hmac;
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use domain::{Issuer, Secret};
use engine::{Order, SystemKey};
use serde_json::{Value, json};

/// Base64url, with or without padding.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// An account that the server knows.
pub struct Account {
    key: SystemKey,
    url: String,
    pub thumbprint: String,
}

impl Account {
    pub fn signer(&self) -> Signer<'_> {
        Signer::Account(&self.key, &self.url)
    }

    pub fn url(&self) -> &str {
        &self.url
    }
}

/// An account elsewhere that the account here is to be bound to: the key's id and the HMAC key.
pub struct ExternalAccount {
    key_id: String,
    mac: hmac::Key,
}

impl ExternalAccount {
    /// What an issuer brings: both of it, or nothing.
    ///
    /// # Errors
    /// [`Trouble::Refused`].
    pub fn of(issuer: &Issuer, password: Option<&Secret>) -> Result<Option<Self>, Trouble> {
        let refused = |message: &str| Trouble::refused("CredentialsInvalid", format!("{}: {message}", issuer.name));
        let key_id = issuer.account_id.as_deref().filter(|id| !id.is_empty());
        match (key_id, password.filter(|password| !password.expose().is_empty())) {
            (None, None) => Ok(None),
            (Some(key_id), Some(password)) => {
                let key = BASE64URL.decode(password.expose().trim_ascii()).map(Secret::new);
                let key = key.map_err(|_| refused("the password is not an HMAC key in base64url"))?;
                let mac = hmac::Key::new(hmac::HMAC_SHA256, key.expose());
                Ok(Some(Self { key_id: key_id.to_owned(), mac }))
            }
            _ => Err(refused("an external account has both an id and a password")),
        }
    }
}

/// The name of the record that the account's key is in.
pub fn key_name(directory: &str, external: Option<&ExternalAccount>) -> String {
    let Some(external) = external else { return format!("acme-account:{directory}") };
    let mac = hmac::sign(&external.mac, format!("strongroom {directory} {}", external.key_id).as_bytes());
    format!("acme-account:{directory}:{}", hex::encode(mac))
}

/// What is said of a new account.
pub struct Terms<'a> {
    pub server: &'a str,
    pub contact: Vec<&'a str>,
    pub agreed: bool,
}

/// Finds the account of a key, or makes it (RFC 8555 §7.3).
///
/// # Errors
/// [`Trouble`].
pub fn open(
    talk: &mut Talk<'_>,
    order: &Order<'_>,
    key_name: &str,
    external: Option<&ExternalAccount>,
    terms: &Terms<'_>,
) -> Result<Account, Trouble> {
    let directory = talk.directory()?;
    if external.is_some() && !directory.meta.external_account_required {
        // Or whoever invents credentials has an account, and a key here, for each.
        let message = format!("{}: it takes no external accounts: leave the id and the password out", terms.server);
        return Err(Trouble::refused("CredentialsInvalid", message));
    }
    let key = order.engine.system_key(key_name)?;
    let existing = json!({ "onlyReturnExisting": true });
    let found = match talk.post(Signer::Key(&key), &directory.new_account, Some(&existing)) {
        // Some servers look for the binding before they look for the account.
        Err(Trouble::Problem(problem))
            if matches!(problem.kind(), "accountDoesNotExist" | "externalAccountRequired") =>
        {
            if let (Some(text), false) = (&directory.meta.terms_of_service, terms.agreed) {
                let server = terms.server;
                return Err(Trouble::refused(
                    "TermsNotAgreed",
                    format!("{server}: its terms of service have to be agreed to in the configuration: {text}"),
                ));
            }
            let payload = new_account(&directory.new_account, &key, external, terms);
            talk.post(Signer::Key(&key), &directory.new_account, Some(&payload))?
        }
        answer => answer?,
    };
    let url = found.location.ok_or_else(|| talk.strange("it does not say where the account is"))?;
    Ok(Account { thumbprint: jws::thumbprint(&key.public), key, url })
}

fn new_account(url: &str, key: &SystemKey, external: Option<&ExternalAccount>, terms: &Terms<'_>) -> Value {
    let mut payload = json!({ "termsOfServiceAgreed": terms.agreed });
    if !terms.contact.is_empty() {
        payload["contact"] = json!(terms.contact);
    }
    if let Some(ExternalAccount { key_id, mac }) = external {
        payload["externalAccountBinding"] = jws::binding(key_id, mac, url, &key.public);
    }
    payload
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{IssuerChanges, IssuerName, UnixTime};

    fn brought(account_id: Option<&str>, password: Option<&str>) -> Result<Option<ExternalAccount>, String> {
        let changes = IssuerChanges {
            provider: Some("ACME".to_owned()),
            account_id: account_id.map(str::to_owned),
            ..IssuerChanges::default()
        };
        let issuer = Issuer::set(IssuerName::parse("le").unwrap(), changes, None, UnixTime(0)).unwrap();
        let password = password.map(|text| Secret::new(text.as_bytes().to_vec()));
        ExternalAccount::of(&issuer, password.as_ref()).map_err(|trouble| match trouble {
            Trouble::Refused(error) => error.message,
            _ => unreachable!("it is refused"),
        })
    }

    #[test]
    fn an_external_account_has_an_id_and_a_key() {
        assert!(brought(None, None).unwrap().is_none() && brought(Some(""), Some("")).unwrap().is_none());
        assert!(brought(Some("id"), Some("c2VjcmV0")).unwrap().is_some());
        for (id, password) in [(Some("id"), None), (None, Some("c2VjcmV0")), (Some("id"), Some(""))] {
            assert_eq!(brought(id, password).err().unwrap(), "le: an external account has both an id and a password");
        }
        let wrong = brought(Some("id"), Some("a secret")).err().unwrap();
        assert!(wrong.ends_with("not an HMAC key in base64url") && !wrong.contains("a secret"), "{wrong}");
    }

    #[test]
    fn each_external_account_has_a_key_that_nobody_finds_without_its_secret() {
        let name = |id, password| key_name("https://acme.example/", brought(id, password).unwrap().as_ref());
        let own = name(None, None);
        assert_eq!(own, "acme-account:https://acme.example/");
        let first = name(Some("id"), Some("c2VjcmV0"));
        assert_eq!(first, name(Some("id"), Some(" c2VjcmV0\n")));
        for other in [own, name(Some("id"), Some("b3RoZXI=")), name(Some("other"), Some("c2VjcmV0"))] {
            assert_ne!(first, other);
        }
        assert!(!first.contains("c2VjcmV0"));
    }
}
