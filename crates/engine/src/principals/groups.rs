//! Groups and who is in them.

use super::roles::remove_principal;
use crate::{Engine, Error};
use domain::{
    DirectoryRefusal, Guid, Operation, Principal, PrincipalChanges, PrincipalKind, Refusal, access::Caller, closure,
};
use store::{Fault, Tx};

/// A group to make.
#[derive(Clone, Debug)]
pub struct NewGroup {
    pub display_name: String,
    pub mail_nickname: Option<String>,
    pub description: Option<String>,
}

impl Engine {
    /// Makes an empty group. Two groups may have the same name.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::ParameterInvalid`].
    pub fn create_group(&self, caller: &Caller, new: &NewGroup) -> Result<Principal, Error> {
        let object_id = self.new_guid();
        self.change_directory(caller, Operation::GroupCreate, &format!("/groups/{object_id}"), |tx, now| {
            let group = Principal {
                mail_nickname: new.mail_nickname.clone(),
                description: new.description.clone(),
                ..Principal::new(object_id, PrincipalKind::Group, &new.display_name, now)
            };
            group.check()?;
            tx.put_principal(&group)?;
            Ok(group)
        })
    }

    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::PrincipalNotFound`], [`Refusal::ParameterInvalid`].
    pub fn update_group(&self, caller: &Caller, object_id: Guid, changes: &PrincipalChanges) -> Result<(), Error> {
        self.change_directory(caller, Operation::GroupUpdate, &format!("/groups/{object_id}"), |tx, _| {
            let group = self.known(tx, caller, PrincipalKind::Group, object_id)?.change(changes)?;
            Ok(tx.put_principal(&group)?)
        })
    }

    /// Its members stay; what they could do through it ends.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::PrincipalNotFound`], [`Refusal::LastAdministrator`].
    pub fn delete_group(&self, caller: &Caller, object_id: Guid) -> Result<(), Error> {
        self.reduce_directory(caller, Operation::GroupDelete, &format!("/groups/{object_id}"), |tx, _| {
            self.known(tx, caller, PrincipalKind::Group, object_id)?;
            Ok(remove_principal(tx, object_id)?)
        })
    }

    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::PrincipalNotFound`] of either, [`DirectoryRefusal::MemberExists`],
    /// [`DirectoryRefusal::MembershipCycle`].
    pub fn add_group_member(&self, caller: &Caller, group: Guid, member: Guid) -> Result<(), Error> {
        let path = format!("/groups/{group}/members/{member}");
        self.change_directory(caller, Operation::GroupMemberAdd, &path, |tx, _| {
            self.known(tx, caller, PrincipalKind::Group, group)?;
            let joining = tx.principal_by_object(member)?.filter(|found| found.kind.can_be_member());
            joining.ok_or(Refusal::PrincipalNotFound)?;
            if tx.groups_of(member)?.contains(&group) {
                return Err(Refusal::from(DirectoryRefusal::MemberExists).into());
            }
            if member == group || holders_of(tx, group)?.contains(&member) {
                return Err(Refusal::from(DirectoryRefusal::MembershipCycle).into());
            }
            Ok(tx.insert_membership(group, member)?)
        })
    }

    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::PrincipalNotFound`] of the group, [`DirectoryRefusal::MemberNotFound`],
    /// [`Refusal::LastAdministrator`].
    pub fn remove_group_member(&self, caller: &Caller, group: Guid, member: Guid) -> Result<(), Error> {
        let path = format!("/groups/{group}/members/{member}");
        self.reduce_directory(caller, Operation::GroupMemberRemove, &path, |tx, _| {
            self.known(tx, caller, PrincipalKind::Group, group)?;
            if !tx.groups_of(member)?.contains(&group) {
                return Err(Refusal::from(DirectoryRefusal::MemberNotFound).into());
            }
            Ok(tx.remove_membership(group, member)?)
        })
    }
}

/// Every group that a group is in.
fn holders_of(tx: &mut dyn Tx, group: Guid) -> Result<Vec<Guid>, Fault> {
    closure(group, |id| tx.groups_of(id))
}
