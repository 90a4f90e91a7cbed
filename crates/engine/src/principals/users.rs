//! Users: principals that sign in through an external issuer only, so nothing to sign in with is kept.

use super::roles::remove_principal;
use crate::{Engine, Error};
use domain::{DirectoryRefusal, Guid, Operation, Principal, PrincipalChanges, PrincipalKind, Refusal, access::Caller};
use store::Tx;

/// A user to make.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The id by which the user's issuer knows them; a new one if it is left open.
    pub object_id: Option<Guid>,
    pub display_name: String,
    pub user_principal_name: String,
    pub mail_nickname: Option<String>,
    pub enabled: bool,
}

impl Engine {
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::ParameterInvalid`], [`DirectoryRefusal::UserNameTaken`],
    /// [`DirectoryRefusal::ObjectIdTaken`], [`Refusal::LastAdministrator`].
    pub fn create_user(&self, caller: &Caller, new: &NewUser) -> Result<Principal, Error> {
        let object_id = new.object_id.unwrap_or_else(|| self.new_guid());
        let (operation, path) = (Operation::UserCreate, format!("/users/{object_id}"));
        let work = |tx: &mut dyn Tx, now| {
            let user = Principal {
                user_principal_name: Some(new.user_principal_name.clone()),
                mail_nickname: new.mail_nickname.clone(),
                enabled: new.enabled,
                ..Principal::new(object_id, PrincipalKind::User, &new.display_name, now)
            };
            user.check()?;
            refuse_taken_id(tx, object_id)?;
            refuse_taken_name(tx, &user)?;
            // Whom an issuer vouched for until now may have a role already.
            self.check_privilege(tx, caller, object_id)?;
            tx.put_principal(&user)?;
            Ok(user)
        };
        match new.enabled {
            true => self.change_directory(caller, operation, &path, work),
            false => self.reduce_directory(caller, operation, &path, work),
        }
    }

    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::PrincipalNotFound`], [`Refusal::ParameterInvalid`],
    /// [`DirectoryRefusal::UserNameTaken`], [`Refusal::LastAdministrator`].
    pub fn update_user(&self, caller: &Caller, object_id: Guid, changes: &PrincipalChanges) -> Result<(), Error> {
        self.reduce_directory(caller, Operation::UserUpdate, &format!("/users/{object_id}"), |tx, _| {
            let user = self.known(tx, caller, PrincipalKind::User, object_id)?.change(changes)?;
            refuse_taken_name(tx, &user)?;
            Ok(tx.put_principal(&user)?)
        })
    }

    /// Role assignments that name the user stay. An external issuer still vouches for whom it knows by this id: to keep
    /// somebody out, disable the user.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::PrincipalNotFound`], [`Refusal::LastAdministrator`].
    pub fn delete_user(&self, caller: &Caller, object_id: Guid) -> Result<(), Error> {
        self.reduce_directory(caller, Operation::UserDelete, &format!("/users/{object_id}"), |tx, _| {
            self.known(tx, caller, PrincipalKind::User, object_id)?;
            Ok(remove_principal(tx, object_id)?)
        })
    }
}

/// Whoever has the id as a principal, or as the object that an application is.
fn refuse_taken_id(tx: &mut dyn Tx, object_id: Guid) -> Result<(), Error> {
    let holds = |each: &Principal| each.object_id == object_id || each.application == Some(object_id);
    if tx.principals()?.iter().any(holds) {
        return Err(Refusal::from(DirectoryRefusal::ObjectIdTaken).into());
    }
    Ok(())
}

fn refuse_taken_name(tx: &mut dyn Tx, user: &Principal) -> Result<(), Error> {
    let Some(name) = &user.user_principal_name else { return Ok(()) };
    match tx.principal_by_user_name(name)? {
        Some(other) if other.object_id != user.object_id => Err(Refusal::from(DirectoryRefusal::UserNameTaken).into()),
        _ => Ok(()),
    }
}
