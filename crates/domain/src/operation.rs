//! The operations of the vault: one name each, used for the audit record, the metric label and the transaction.

use crate::ContainerKind;
use serde::{Deserialize, Serialize};

macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident { $($kind:ident: $right:literal),* }),+ $(,)?) => {
        /// An operation of the engine. `name` is what the audit log, metrics and transactions call it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Operation { $($(#[$doc])* $variant),+ }

        impl Operation {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant)),+ }
            }

            /// What a caller must hold for it, by kind of right.
            fn rights(self) -> &'static [(Right, &'static str)] {
                match self { $(Self::$variant => &[$((Right::$kind, $right)),*]),+ }
            }
        }
    };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Right {
    /// Data action under `Microsoft.KeyVault/vaults/`.
    Vault,
    /// Data action under `Microsoft.KeyVault/managedHsm/`.
    Hsm,
    /// Permission of an access policy: `keys get`.
    Policy,
    /// Control-plane action.
    Arm,
    /// Action in the directory.
    Directory,
}

operations! {
    // Keys. Contract: managed-hsm §1.2 and §1.6.
    KeyCreate { Vault: "Microsoft.KeyVault/vaults/keys/create/action", Hsm: "Microsoft.KeyVault/managedHsm/keys/create", Policy: "keys create" },
    KeyImport { Vault: "Microsoft.KeyVault/vaults/keys/import/action", Hsm: "Microsoft.KeyVault/managedHsm/keys/import/action", Policy: "keys import" },
    KeyGet { Vault: "Microsoft.KeyVault/vaults/keys/read", Hsm: "Microsoft.KeyVault/managedHsm/keys/read/action", Policy: "keys get" },
    KeyList { Vault: "Microsoft.KeyVault/vaults/keys/read", Hsm: "Microsoft.KeyVault/managedHsm/keys/read/action", Policy: "keys list" },
    KeyListVersions { Vault: "Microsoft.KeyVault/vaults/keys/read", Hsm: "Microsoft.KeyVault/managedHsm/keys/read/action", Policy: "keys list" },
    KeyUpdate { Vault: "Microsoft.KeyVault/vaults/keys/update/action", Hsm: "Microsoft.KeyVault/managedHsm/keys/write/action", Policy: "keys update" },
    KeyDelete { Vault: "Microsoft.KeyVault/vaults/keys/delete", Hsm: "Microsoft.KeyVault/managedHsm/keys/delete", Policy: "keys delete" },
    KeyGetDeleted { Vault: "Microsoft.KeyVault/vaults/keys/read", Hsm: "Microsoft.KeyVault/managedHsm/keys/deletedKeys/read/action", Policy: "keys get" },
    KeyListDeleted { Vault: "Microsoft.KeyVault/vaults/keys/read", Hsm: "Microsoft.KeyVault/managedHsm/keys/deletedKeys/read/action", Policy: "keys list" },
    KeyRecover { Vault: "Microsoft.KeyVault/vaults/keys/recover/action", Hsm: "Microsoft.KeyVault/managedHsm/keys/deletedKeys/recover/action", Policy: "keys recover" },
    KeyPurge { Vault: "Microsoft.KeyVault/vaults/keys/purge/action", Hsm: "Microsoft.KeyVault/managedHsm/keys/deletedKeys/delete", Policy: "keys purge" },
    KeyBackup { Vault: "Microsoft.KeyVault/vaults/keys/backup/action", Hsm: "Microsoft.KeyVault/managedHsm/keys/backup/action", Policy: "keys backup" },
    KeyRestore { Vault: "Microsoft.KeyVault/vaults/keys/restore/action", Hsm: "Microsoft.KeyVault/managedHsm/keys/restore/action", Policy: "keys restore" },
    KeyRotate { Vault: "Microsoft.KeyVault/vaults/keys/rotate/action", Hsm: "Microsoft.KeyVault/managedHsm/keys/rotate/action", Policy: "keys rotate" },
    KeyRotationPolicyGet { Vault: "Microsoft.KeyVault/vaults/keyrotationpolicies/read", Hsm: "Microsoft.KeyVault/managedHsm/keys/read/action", Policy: "keys getrotationpolicy" },
    KeyRotationPolicySet { Vault: "Microsoft.KeyVault/vaults/keyrotationpolicies/write", Hsm: "Microsoft.KeyVault/managedHsm/keys/write/action", Policy: "keys setrotationpolicy" },
    KeyEncrypt { Vault: "Microsoft.KeyVault/vaults/keys/encrypt/action", Hsm: "Microsoft.KeyVault/managedHsm/keys/encrypt/action", Policy: "keys encrypt" },
    KeyDecrypt { Vault: "Microsoft.KeyVault/vaults/keys/decrypt/action", Hsm: "Microsoft.KeyVault/managedHsm/keys/decrypt/action", Policy: "keys decrypt" },
    KeySign { Vault: "Microsoft.KeyVault/vaults/keys/sign/action", Hsm: "Microsoft.KeyVault/managedHsm/keys/sign/action", Policy: "keys sign" },
    KeyVerify { Vault: "Microsoft.KeyVault/vaults/keys/verify/action", Hsm: "Microsoft.KeyVault/managedHsm/keys/verify/action", Policy: "keys verify" },
    KeyWrap { Vault: "Microsoft.KeyVault/vaults/keys/wrap/action", Hsm: "Microsoft.KeyVault/managedHsm/keys/wrap/action", Policy: "keys wrapKey" },
    KeyUnwrap { Vault: "Microsoft.KeyVault/vaults/keys/unwrap/action", Hsm: "Microsoft.KeyVault/managedHsm/keys/unwrap/action", Policy: "keys unwrapKey" },
    RandomGet { Hsm: "Microsoft.KeyVault/managedHsm/rng/action" },

    // Secrets and certificates, which managed HSMs have none of. Contract: key-vault §3.2, §3.3, §5.
    SecretSet { Vault: "Microsoft.KeyVault/vaults/secrets/setSecret/action", Policy: "secrets set" },
    SecretGet { Vault: "Microsoft.KeyVault/vaults/secrets/getSecret/action", Policy: "secrets get" },
    SecretList { Vault: "Microsoft.KeyVault/vaults/secrets/readMetadata/action", Policy: "secrets list" },
    SecretListVersions { Vault: "Microsoft.KeyVault/vaults/secrets/readMetadata/action", Policy: "secrets list" },
    SecretUpdate { Vault: "Microsoft.KeyVault/vaults/secrets/update/action", Policy: "secrets set" },
    SecretDelete { Vault: "Microsoft.KeyVault/vaults/secrets/delete", Policy: "secrets delete" },
    SecretGetDeleted { Vault: "Microsoft.KeyVault/vaults/secrets/readMetadata/action", Policy: "secrets get" },
    SecretListDeleted { Vault: "Microsoft.KeyVault/vaults/secrets/readMetadata/action", Policy: "secrets list" },
    SecretRecover { Vault: "Microsoft.KeyVault/vaults/secrets/recover/action", Policy: "secrets recover" },
    SecretPurge { Vault: "Microsoft.KeyVault/vaults/secrets/purge/action", Policy: "secrets purge" },
    SecretBackup { Vault: "Microsoft.KeyVault/vaults/secrets/backup/action", Policy: "secrets backup" },
    SecretRestore { Vault: "Microsoft.KeyVault/vaults/secrets/restore/action", Policy: "secrets restore" },
    CertificateCreate { Vault: "Microsoft.KeyVault/vaults/certificates/create/action", Policy: "certificates create" },
    CertificateImport { Vault: "Microsoft.KeyVault/vaults/certificates/import/action", Policy: "certificates import" },
    CertificatePendingMerge { Vault: "Microsoft.KeyVault/vaults/certificates/create/action", Policy: "certificates create" },
    CertificateGet { Vault: "Microsoft.KeyVault/vaults/certificates/read", Policy: "certificates get" },
    CertificateList { Vault: "Microsoft.KeyVault/vaults/certificates/read", Policy: "certificates list" },
    CertificateListVersions { Vault: "Microsoft.KeyVault/vaults/certificates/read", Policy: "certificates list" },
    CertificateUpdate { Vault: "Microsoft.KeyVault/vaults/certificates/update/action", Policy: "certificates update" },
    CertificateDelete { Vault: "Microsoft.KeyVault/vaults/certificates/delete", Policy: "certificates delete" },
    CertificateGetDeleted { Vault: "Microsoft.KeyVault/vaults/certificates/read", Policy: "certificates get" },
    CertificateListDeleted { Vault: "Microsoft.KeyVault/vaults/certificates/read", Policy: "certificates list" },
    CertificateRecover { Vault: "Microsoft.KeyVault/vaults/certificates/recover/action", Policy: "certificates recover" },
    CertificatePurge { Vault: "Microsoft.KeyVault/vaults/certificates/purge/action", Policy: "certificates purge" },
    CertificateBackup { Vault: "Microsoft.KeyVault/vaults/certificates/backup/action", Policy: "certificates backup" },
    CertificateRestore { Vault: "Microsoft.KeyVault/vaults/certificates/restore/action", Policy: "certificates restore" },
    CertificatePolicyGet { Vault: "Microsoft.KeyVault/vaults/certificates/read", Policy: "certificates get" },
    CertificatePolicyUpdate { Vault: "Microsoft.KeyVault/vaults/certificates/update/action", Policy: "certificates update" },
    CertificatePendingGet { Vault: "Microsoft.KeyVault/vaults/certificates/read", Policy: "certificates get" },
    CertificatePendingUpdate { Vault: "Microsoft.KeyVault/vaults/certificates/update/action", Policy: "certificates update" },
    CertificatePendingDelete { Vault: "Microsoft.KeyVault/vaults/certificates/update/action", Policy: "certificates update" },
    /// A certificate came of a pending one. Nobody asks for it.
    CertificateEnroll { },
    /// The service begins the next version of a certificate by itself. Nobody asks for it.
    CertificateRenew { },
    /// The time has come to tell a certificate's contacts. Nobody asks for it.
    CertificateNotify { },
    CertificateContactsGet { Vault: "Microsoft.KeyVault/vaults/certificatecontacts/write", Policy: "certificates managecontacts" },
    CertificateContactsSet { Vault: "Microsoft.KeyVault/vaults/certificatecontacts/write", Policy: "certificates managecontacts" },
    CertificateContactsDelete { Vault: "Microsoft.KeyVault/vaults/certificatecontacts/write", Policy: "certificates managecontacts" },
    CertificateIssuersList { Vault: "Microsoft.KeyVault/vaults/certificatecas/read", Policy: "certificates listissuers" },
    CertificateIssuerGet { Vault: "Microsoft.KeyVault/vaults/certificatecas/read", Policy: "certificates getissuers" },
    CertificateIssuerSet { Vault: "Microsoft.KeyVault/vaults/certificatecas/write", Policy: "certificates setissuers" },
    CertificateIssuerUpdate { Vault: "Microsoft.KeyVault/vaults/certificatecas/write", Policy: "certificates setissuers" },
    CertificateIssuerDelete { Vault: "Microsoft.KeyVault/vaults/certificatecas/delete", Policy: "certificates deleteissuers" },

    // Local roles of a managed HSM. Contract: managed-hsm §1.3.
    HsmRoleDefinitionRead { Hsm: "Microsoft.KeyVault/managedHsm/roleDefinitions/read/action" },
    HsmRoleDefinitionPut { Hsm: "Microsoft.KeyVault/managedHsm/roleDefinitions/write/action" },
    HsmRoleDefinitionDelete { Hsm: "Microsoft.KeyVault/managedHsm/roleDefinitions/delete/action" },
    HsmRoleAssignmentRead { Hsm: "Microsoft.KeyVault/managedHsm/roleAssignments/read/action" },
    HsmRoleAssignmentPut { Hsm: "Microsoft.KeyVault/managedHsm/roleAssignments/write/action" },
    HsmRoleAssignmentDelete { Hsm: "Microsoft.KeyVault/managedHsm/roleAssignments/delete/action" },

    /// No data action is published for it: whoever signed in may (contract: managed-hsm §1.1, trap 6).
    HsmSettingRead { },

    // Control plane. Contract: key-vault §4, managed-hsm §1.5.
    ResourceGroupRead { Arm: "Microsoft.Resources/subscriptions/resourceGroups/read" },
    ResourceGroupPut { Arm: "Microsoft.Resources/subscriptions/resourceGroups/write" },
    ResourceGroupDelete { Arm: "Microsoft.Resources/subscriptions/resourceGroups/delete" },
    VaultRead { Arm: "Microsoft.KeyVault/vaults/read" },
    VaultPut { Arm: "Microsoft.KeyVault/vaults/write" },
    VaultAccessPolicyPut { Arm: "Microsoft.KeyVault/vaults/accessPolicies/write" },
    VaultDelete { Arm: "Microsoft.KeyVault/vaults/delete" },
    /// Needs what creating needs: recovery is a PUT with `createMode`.
    VaultRecover { Arm: "Microsoft.KeyVault/vaults/write" },
    VaultReadDeleted { Arm: "Microsoft.KeyVault/deletedVaults/read" },
    VaultPurge { Arm: "Microsoft.KeyVault/locations/deletedVaults/purge/action" },
    VaultCheckName { Arm: "Microsoft.KeyVault/checkNameAvailability/read" },
    ManagedHsmRead { Arm: "Microsoft.KeyVault/managedHSMs/read" },
    ManagedHsmPut { Arm: "Microsoft.KeyVault/managedHSMs/write" },
    ManagedHsmDelete { Arm: "Microsoft.KeyVault/managedHSMs/delete" },
    ManagedHsmRecover { Arm: "Microsoft.KeyVault/managedHSMs/write" },
    ManagedHsmReadDeleted { Arm: "Microsoft.KeyVault/deletedManagedHsms/read" },
    ManagedHsmPurge { Arm: "Microsoft.KeyVault/locations/deletedManagedHsms/purge/action" },
    ManagedHsmCheckName { Arm: "Microsoft.KeyVault/checkMhsmNameAvailability/read" },
    RoleAssignmentRead { Arm: "Microsoft.Authorization/roleAssignments/read" },
    RoleAssignmentPut { Arm: "Microsoft.Authorization/roleAssignments/write" },
    RoleAssignmentDelete { Arm: "Microsoft.Authorization/roleAssignments/delete" },
    // Reading is for whoever signed in.
    RoleDefinitionPut { Arm: "Microsoft.Authorization/roleDefinitions/write" },
    RoleDefinitionDelete { Arm: "Microsoft.Authorization/roleDefinitions/delete" },
    LockRead { Arm: "Microsoft.Authorization/locks/read" },
    LockPut { Arm: "Microsoft.Authorization/locks/write" },
    LockDelete { Arm: "Microsoft.Authorization/locks/delete" },
    // Event subscriptions of a vault. Microsoft Learn, "Azure permissions for Integration", Microsoft.EventGrid.
    EventSubscriptionRead { Arm: "Microsoft.EventGrid/eventSubscriptions/read" },
    EventSubscriptionReadUrl { Arm: "Microsoft.EventGrid/eventSubscriptions/getFullUrl/action" },
    EventSubscriptionPut { Arm: "Microsoft.EventGrid/eventSubscriptions/write" },
    EventSubscriptionDelete { Arm: "Microsoft.EventGrid/eventSubscriptions/delete" },

    // What was used and what it costs.
    UsageRead { Arm: "Microsoft.Consumption/usageDetails/read" },

    /// The service drops records that have been kept long enough. Nobody can ask for it.
    AuditPrune { },
    // The directory. Source: "Microsoft Entra built-in roles" names the actions. Reading is for whoever signed in.
    UserCreate { Directory: "microsoft.directory/users/create" },
    UserUpdate { Directory: "microsoft.directory/users/basic/update" },
    UserDelete { Directory: "microsoft.directory/users/delete" },
    GroupCreate { Directory: "microsoft.directory/groups/create" },
    GroupUpdate { Directory: "microsoft.directory/groups/basic/update" },
    GroupDelete { Directory: "microsoft.directory/groups/delete" },
    GroupMemberAdd { Directory: "microsoft.directory/groups/members/update" },
    GroupMemberRemove { Directory: "microsoft.directory/groups/members/update" },
    ApplicationCreate { Directory: "microsoft.directory/applications/create" },
    ApplicationUpdate { Directory: "microsoft.directory/applications/basic/update" },
    ApplicationDelete { Directory: "microsoft.directory/applications/delete" },
    ServicePrincipalCreate { Directory: "microsoft.directory/servicePrincipals/create" },
    ServicePrincipalUpdate { Directory: "microsoft.directory/servicePrincipals/basic/update" },
    ServicePrincipalDelete { Directory: "microsoft.directory/servicePrincipals/delete" },
    ClientSecretAdd { Directory: "microsoft.directory/applications/credentials/update" },
    ClientSecretRemove { Directory: "microsoft.directory/applications/credentials/update" },
    DirectoryRoleAssignmentPut { Directory: "microsoft.directory/roleAssignments/allProperties/allTasks" },
    DirectoryRoleAssignmentDelete { Directory: "microsoft.directory/roleAssignments/allProperties/allTasks" },
}

impl Operation {
    fn right(self, kind: Right) -> Option<&'static str> {
        self.rights().iter().find(|(of, _)| *of == kind).map(|(_, right)| *right)
    }

    /// The data action it needs in a container of this kind; `None` where the operation does not exist there.
    #[must_use]
    pub fn data_action(self, kind: ContainerKind) -> Option<&'static str> {
        self.right(match kind {
            ContainerKind::Vault => Right::Vault,
            ContainerKind::ManagedHsm => Right::Hsm,
        })
    }

    /// Whether it changes something: its record is then part of the change's own transaction.
    #[must_use]
    pub fn is_change(self) -> bool {
        !matches!(
            self,
            Self::KeyGet
                | Self::KeyList
                | Self::KeyListVersions
                | Self::KeyGetDeleted
                | Self::KeyListDeleted
                | Self::KeyRotationPolicyGet
                | Self::KeyEncrypt
                | Self::KeyDecrypt
                | Self::KeySign
                | Self::KeyVerify
                | Self::KeyWrap
                | Self::KeyUnwrap
                | Self::RandomGet
                | Self::SecretGet
                | Self::SecretList
                | Self::SecretListVersions
                | Self::SecretGetDeleted
                | Self::SecretListDeleted
                | Self::CertificateGet
                | Self::CertificateList
                | Self::CertificateListVersions
                | Self::CertificateGetDeleted
                | Self::CertificateListDeleted
                | Self::CertificatePolicyGet
                | Self::CertificatePendingGet
                | Self::CertificateContactsGet
                | Self::CertificateIssuersList
                | Self::CertificateIssuerGet
                | Self::HsmRoleDefinitionRead
                | Self::HsmRoleAssignmentRead
                | Self::HsmSettingRead
                | Self::ResourceGroupRead
                | Self::VaultRead
                | Self::VaultReadDeleted
                | Self::VaultCheckName
                | Self::ManagedHsmRead
                | Self::ManagedHsmReadDeleted
                | Self::ManagedHsmCheckName
                | Self::RoleAssignmentRead
                | Self::LockRead
                | Self::EventSubscriptionRead
                | Self::EventSubscriptionReadUrl
                | Self::UsageRead
        )
    }

    /// Whether it is answered only after a signed checkpoint covers its record: what destroys for good, and what changes
    /// who may do what.
    #[must_use]
    pub fn needs_checkpoint(self) -> bool {
        matches!(
            self,
            Self::KeyPurge
                | Self::SecretPurge
                | Self::CertificatePurge
                | Self::VaultPurge
                | Self::ManagedHsmPurge
                | Self::HsmRoleAssignmentPut
                | Self::HsmRoleAssignmentDelete
                | Self::RoleAssignmentPut
                | Self::RoleAssignmentDelete
                | Self::HsmRoleDefinitionPut
                | Self::HsmRoleDefinitionDelete
                | Self::RoleDefinitionPut
                | Self::RoleDefinitionDelete
                | Self::VaultAccessPolicyPut
                // Access policies and the permission model are parts of a vault; first administrators, of a managed HSM.
                | Self::VaultPut
                | Self::ManagedHsmPut
                // A deletion takes the role assignments on it away, and without soft delete it is final.
                | Self::VaultDelete
                | Self::ManagedHsmDelete
                // Who can sign in, and whose rights are theirs.
                | Self::UserCreate
                | Self::UserUpdate
                | Self::UserDelete
                | Self::GroupDelete
                | Self::GroupMemberAdd
                | Self::GroupMemberRemove
                | Self::ApplicationDelete
                | Self::ServicePrincipalCreate
                | Self::ServicePrincipalUpdate
                | Self::ServicePrincipalDelete
                | Self::ClientSecretAdd
                | Self::ClientSecretRemove
                | Self::DirectoryRoleAssignmentPut
                | Self::DirectoryRoleAssignmentDelete
        )
    }

    /// The HTTP status that its documents give its success. Contract: key-vault §3 and §4, managed-hsm §1.3; for the
    /// directory, the Microsoft Graph REST API v1.0 reference.
    #[must_use]
    pub fn success_status(self) -> u16 {
        match self {
            Self::HsmRoleAssignmentPut
            | Self::HsmRoleDefinitionPut
            | Self::RoleAssignmentPut
            | Self::RoleDefinitionPut
            | Self::EventSubscriptionPut
            | Self::UserCreate
            | Self::GroupCreate
            | Self::ApplicationCreate
            | Self::ServicePrincipalCreate
            | Self::DirectoryRoleAssignmentPut
            | Self::CertificatePendingMerge => 201,
            Self::ManagedHsmPut
            | Self::ManagedHsmRecover
            | Self::ManagedHsmDelete
            | Self::ManagedHsmPurge
            | Self::VaultPurge
            | Self::CertificateCreate => 202,
            Self::KeyPurge
            | Self::SecretPurge
            | Self::CertificatePurge
            | Self::UserUpdate
            | Self::UserDelete
            | Self::GroupUpdate
            | Self::GroupDelete
            | Self::GroupMemberAdd
            | Self::GroupMemberRemove
            | Self::ApplicationUpdate
            | Self::ApplicationDelete
            | Self::ServicePrincipalUpdate
            | Self::ServicePrincipalDelete
            | Self::ClientSecretRemove
            | Self::DirectoryRoleAssignmentDelete => 204,
            _ => 200,
        }
    }

    /// The operation of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|operation| operation.name() == name)
    }

    /// Whether it only looks at what is deleted.
    #[must_use]
    pub fn looks_at_deleted(self) -> bool {
        matches!(
            self,
            Self::KeyGetDeleted
                | Self::KeyListDeleted
                | Self::SecretGetDeleted
                | Self::SecretListDeleted
                | Self::CertificateGetDeleted
                | Self::CertificateListDeleted
        )
    }

    /// The access-policy permission it needs: collection and permission word.
    #[must_use]
    pub fn policy_permission(self) -> Option<(&'static str, &'static str)> {
        self.right(Right::Policy)?.split_once(' ')
    }

    /// The control-plane action it needs.
    #[must_use]
    pub fn arm_action(self) -> Option<&'static str> {
        self.right(Right::Arm)
    }

    /// The action it needs in the directory.
    #[must_use]
    pub fn directory_action(self) -> Option<&'static str> {
        self.right(Right::Directory)
    }
}
