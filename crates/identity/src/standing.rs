//! What a token's claims are worth now: whether its principal is still there, and which groups they are in.
//!
//! Asked for every request. A token lives for an hour; its principal may be deleted, disabled or taken out of a group
//! meanwhile, also before a restart, and that counts from the next request on.

use crate::{Claims, TokenError};
use domain::{Directory, Guid, PrincipalKind, Standing};

impl Claims {
    /// Every group of the principal that the claims speak of: those of the directory, which has to be that of now, and
    /// those that the claims themselves name. The embedded issuer names none; whoever has a token of its own has to be in
    /// the directory still. An external issuer knows principals that the directory need not know.
    ///
    /// # Errors
    /// [`TokenError::Gone`].
    pub fn groups_in(&self, directory: &Directory) -> Result<Vec<Guid>, TokenError> {
        merged(directory.standing(self.object_id), &self.groups, self.embedded)
    }
}

fn merged(standing: Standing<'_>, claimed: &[Guid], is_ours: bool) -> Result<Vec<Guid>, TokenError> {
    match standing {
        Standing::Enabled { kind, groups } if may_show(kind, is_ours) => {
            let more = claimed.iter().filter(|claimed| !groups.contains(claimed));
            Ok(groups.iter().chain(more).copied().collect())
        }
        Standing::Unknown if !is_ours => Ok(claimed.to_vec()),
        // Somebody else may have the id of a service principal that is gone: our token was not for them.
        Standing::Enabled { .. } | Standing::Unknown | Standing::Disabled => Err(TokenError::Gone),
    }
}

/// Whose tokens an issuer can have issued. A group shows none, whatever a provider writes into the claim.
fn may_show(kind: PrincipalKind, is_ours: bool) -> bool {
    match kind {
        PrincipalKind::ServicePrincipal => true,
        PrincipalKind::User => !is_ours,
        PrincipalKind::Group | PrincipalKind::Application => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_the_directorys_and_the_claims() {
        let [one, two, three] = [1, 2, 3].map(Guid::from_u128);
        let both = [one, two];
        let standing = |kind| Standing::Enabled { kind, groups: &both };
        let (robot, user) = (standing(PrincipalKind::ServicePrincipal), standing(PrincipalKind::User));
        assert_eq!(merged(robot, &[], true), Ok(vec![one, two]));
        assert_eq!(merged(user, &[], true), Err(TokenError::Gone));
        assert_eq!(merged(standing(PrincipalKind::Group), &[], false), Err(TokenError::Gone));
        assert_eq!(merged(user, &[two, three], false), Ok(vec![one, two, three]));
        assert_eq!(merged(Standing::Unknown, &[three], false), Ok(vec![three]));
        assert_eq!(merged(Standing::Unknown, &[three], true), Err(TokenError::Gone));
        for is_ours in [true, false] {
            assert_eq!(merged(Standing::Disabled, &[three], is_ours), Err(TokenError::Gone));
        }
    }
}
