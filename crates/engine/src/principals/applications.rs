//! Applications, their service principals, and the secrets they sign in with.

use super::roles::remove_principal;
use crate::{Engine, Error};
use domain::{
    CalendarDuration, ClientSecret, DirectoryRefusal, Guid, Operation, Principal, PrincipalChanges, PrincipalKind,
    Refusal, Secret, UnixTime, access::Caller,
};
use store::Tx;

/// A service principal to register with its application, as part of an installation's foundation. The secret itself is
/// the caller's; only its hash is kept, and it does not expire.
#[derive(Clone, Debug)]
pub struct NewPrincipal {
    pub object_id: Guid,
    pub app_id: Guid,
    pub display_name: String,
    pub secret_hash: [u8; 32],
}

/// An application to register.
#[derive(Clone, Debug)]
pub struct NewApplication {
    pub display_name: String,
    pub description: Option<String>,
}

/// Which application a change is about: by its own object id, or by its service principal's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Application {
    Registered(Guid),
    Principal(Guid),
}

/// A client secret to make.
#[derive(Clone, Debug, Default)]
pub struct NewSecret {
    pub display_name: Option<String>,
    /// Now, if it is left open.
    pub starts: Option<UnixTime>,
    /// Two years after its start, if it is left open.
    pub expires: Option<UnixTime>,
}

/// A new client secret, and its text: this once. It has no `Debug`.
pub struct AddedSecret {
    pub secret: ClientSecret,
    pub text: Secret,
}

/// What a text is among the secrets of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretVerdict {
    Valid,
    /// It is one of them, but not at this time.
    OutOfDate,
    Unknown,
}

impl Engine {
    /// The record of an application, by the id it signs in with.
    ///
    /// # Errors
    /// [`Refusal::PrincipalNotFound`].
    pub fn principal_by_app(&self, app_id: Guid) -> Result<Principal, Error> {
        Ok(self.directory()?.by_app(app_id).cloned().ok_or(Refusal::PrincipalNotFound)?)
    }

    /// What this text is among the application's secrets now.
    #[must_use]
    pub fn check_client_secret(&self, application: &Principal, text: &str) -> SecretVerdict {
        let (hash, now) = (hash_client_secret(text), self.now());
        let matches = |secret: &&ClientSecret| custody::constant_time_eq(&secret.hash, &hash);
        match application.secrets.iter().filter(matches).map(|secret| secret.is_valid(now)).max() {
            Some(true) => SecretVerdict::Valid,
            Some(false) => SecretVerdict::OutOfDate,
            None => SecretVerdict::Unknown,
        }
    }

    pub(crate) fn principal_of(&self, new: &NewPrincipal) -> Principal {
        let now = self.now();
        let application = Principal::application(self.new_guid(), new.app_id, &new.display_name, now);
        let (id, hash) = (self.new_guid(), new.secret_hash);
        let secrets = vec![ClientSecret { id, display_name: None, hash, starts: now, expires: None }];
        let kind = PrincipalKind::ServicePrincipal;
        Principal { object_id: new.object_id, kind, secrets, ..application }
    }

    /// Registers an application, without a service principal and without a secret. Two may have the same name.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::ParameterInvalid`].
    pub fn create_application(&self, caller: &Caller, new: &NewApplication) -> Result<Principal, Error> {
        let (object_id, app_id) = (self.new_guid(), self.new_guid());
        self.change_directory(caller, Operation::ApplicationCreate, &format!("/applications/{object_id}"), |tx, now| {
            let named = Principal::application(object_id, app_id, &new.display_name, now);
            let application = Principal { description: new.description.clone(), ..named };
            application.check()?;
            tx.put_principal(&application)?;
            Ok(application)
        })
    }

    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::PrincipalNotFound`], [`Refusal::ParameterInvalid`].
    pub fn update_application(
        &self,
        caller: &Caller,
        object_id: Guid,
        changes: &PrincipalChanges,
    ) -> Result<(), Error> {
        let path = format!("/applications/{object_id}");
        self.change_directory(caller, Operation::ApplicationUpdate, &path, |tx, _| {
            let application = self.application(tx, caller, Application::Registered(object_id))?.change(changes)?;
            Ok(tx.put_principal(&application)?)
        })
    }

    /// Deletes an application with its service principal and its secrets.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::PrincipalNotFound`], [`Refusal::LastAdministrator`].
    pub fn delete_application(&self, caller: &Caller, object_id: Guid) -> Result<(), Error> {
        let path = format!("/applications/{object_id}");
        self.reduce_directory(caller, Operation::ApplicationDelete, &path, |tx, _| {
            let application = self.application(tx, caller, Application::Registered(object_id))?;
            Ok(remove_principal(tx, application.object_id)?)
        })
    }

    /// Gives an application its service principal.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`DirectoryRefusal::ApplicationNotFound`], [`DirectoryRefusal::ServicePrincipalExists`].
    pub fn create_service_principal(&self, caller: &Caller, app_id: Guid, enabled: bool) -> Result<Principal, Error> {
        let object_id = self.new_guid();
        let path = format!("/servicePrincipals/{object_id}");
        self.change_directory(caller, Operation::ServicePrincipalCreate, &path, |tx, _| {
            let found = tx.principal_by_app(app_id)?;
            let application = found.ok_or(Refusal::from(DirectoryRefusal::ApplicationNotFound))?;
            let before = application.object_id;
            let employed = application.employ(object_id).map_err(Refusal::from)?;
            tx.remove_principal(before)?;
            let employed = Principal { enabled, ..employed };
            tx.put_principal(&employed)?;
            Ok(employed)
        })
    }

    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::PrincipalNotFound`], [`Refusal::ParameterInvalid`],
    /// [`Refusal::LastAdministrator`].
    pub fn update_service_principal(
        &self,
        caller: &Caller,
        object_id: Guid,
        changes: &PrincipalChanges,
    ) -> Result<(), Error> {
        let path = format!("/servicePrincipals/{object_id}");
        self.reduce_directory(caller, Operation::ServicePrincipalUpdate, &path, |tx, _| {
            let principal = self.known(tx, caller, PrincipalKind::ServicePrincipal, object_id)?.change(changes)?;
            Ok(tx.put_principal(&principal)?)
        })
    }

    /// Takes the service principal from its application, which stays. A later one is another principal: assignments that
    /// name this one mean nobody for good.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::PrincipalNotFound`], [`Refusal::LastAdministrator`].
    pub fn delete_service_principal(&self, caller: &Caller, object_id: Guid) -> Result<(), Error> {
        let path = format!("/servicePrincipals/{object_id}");
        self.reduce_directory(caller, Operation::ServicePrincipalDelete, &path, |tx, _| {
            let application = self.known(tx, caller, PrincipalKind::ServicePrincipal, object_id)?.dismiss();
            remove_principal(tx, object_id)?;
            Ok(tx.put_principal(&application)?)
        })
    }

    /// Makes a client secret. Its text is returned, and kept nowhere.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::PrincipalNotFound`], [`Refusal::ParameterInvalid`].
    pub fn add_client_secret(
        &self,
        caller: &Caller,
        application: Application,
        new: &NewSecret,
    ) -> Result<AddedSecret, Error> {
        let (id, text) = (self.new_guid(), self.new_client_secret());
        let hash = custody::sha256(text.expose());
        let path = format!("{}/passwords/{id}", path_of(application));
        let secret = self.change_directory(caller, Operation::ClientSecretAdd, &path, |tx, now| {
            let (starts, expires) = new.dates(now)?;
            let secret = ClientSecret { id, display_name: new.display_name.clone(), hash, starts, expires };
            let found = self.application(tx, caller, application)?;
            tx.put_principal(&found.add_secret(secret.clone())?)?;
            Ok(secret)
        })?;
        Ok(AddedSecret { secret, text })
    }

    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::PrincipalNotFound`], [`DirectoryRefusal::SecretNotFound`].
    pub fn remove_client_secret(&self, caller: &Caller, application: Application, id: Guid) -> Result<(), Error> {
        let path = format!("{}/passwords/{id}", path_of(application));
        self.change_directory(caller, Operation::ClientSecretRemove, &path, |tx, _| {
            let found = self.application(tx, caller, application)?;
            Ok(tx.put_principal(&found.remove_secret(id).map_err(Refusal::from)?)?)
        })
    }

    /// The record that a change is about, as the transaction sees it, if the caller may change that one.
    fn application(&self, tx: &mut dyn Tx, caller: &Caller, wanted: Application) -> Result<Principal, Error> {
        match wanted {
            Application::Principal(object_id) => self.known(tx, caller, PrincipalKind::ServicePrincipal, object_id),
            Application::Registered(object_id) => {
                // Which id an application signs in with never changes: that much may come from memory.
                let app_id = self.directory()?.by_application(object_id).and_then(|found| found.app_id);
                let app_id = app_id.ok_or(Refusal::PrincipalNotFound)?;
                let found = tx.principal_by_app(app_id)?.ok_or(Refusal::PrincipalNotFound)?;
                self.check_privilege(tx, caller, found.object_id)?;
                Ok(found)
            }
        }
    }

    /// 240 random bits behind a mark by which a secret is known that lies where none should.
    fn new_client_secret(&self) -> Secret {
        const MARK: &[u8] = b"sr~";
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut bytes = vec![0; 40];
        self.entropy.fill(&mut bytes);
        let random = Secret::new(bytes);
        let letters = random.expose().iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 63)));
        // At once of its full size: what grows leaves copies behind.
        let mut text = Vec::with_capacity(MARK.len() + random.expose().len());
        text.extend(MARK.iter().chain(letters));
        Secret::new(text)
    }
}

impl NewSecret {
    /// When it begins and when it ends.
    fn dates(&self, now: UnixTime) -> Result<(UnixTime, Option<UnixTime>), Refusal> {
        let starts = self.starts.unwrap_or(now);
        let two_years = || CalendarDuration::parse("P2Y").and_then(|years| starts.plus(&years));
        let expires = self.expires.or_else(two_years);
        let invalid = |reason| Refusal::ParameterInvalid { parameter: "endDateTime", reason };
        match expires {
            None => Err(invalid("it is beyond the calendar")),
            Some(end) if end <= starts => Err(invalid("it is not after startDateTime")),
            Some(end) if end <= now => Err(invalid("it has passed")),
            end => Ok((starts, end)),
        }
    }
}

fn path_of(application: Application) -> String {
    match application {
        Application::Registered(object_id) => format!("/applications/{object_id}"),
        Application::Principal(object_id) => format!("/servicePrincipals/{object_id}"),
    }
}

/// What is kept of a client secret: its SHA-256. Secrets are random and long, so a plain hash is enough.
#[must_use]
pub fn hash_client_secret(secret: &str) -> [u8; 32] {
    custody::sha256(secret.as_bytes())
}
