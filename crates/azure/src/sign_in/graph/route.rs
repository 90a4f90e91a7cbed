//! From a path under Graph's version to what it asks for.
//!
//! Paths are those of the Microsoft Graph REST API v1.0 reference that `az ad`, `az role` and the SDKs for the directory
//! use. An id may stand in brackets behind its collection too, as OData writes it: `users('ada@contoso.example')`.

/// What there are lists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Collection {
    Users,
    Groups,
    ServicePrincipals,
    Applications,
    DirectoryObjects,
}

impl Collection {
    fn of(segment: &str) -> Option<Self> {
        let all = [Self::Users, Self::Groups, Self::ServicePrincipals, Self::Applications, Self::DirectoryObjects];
        all.into_iter().find(|each| each.name().eq_ignore_ascii_case(segment))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "groups",
            Self::ServicePrincipals => "servicePrincipals",
            Self::Applications => "applications",
            Self::DirectoryObjects => "directoryObjects",
        }
    }
}

/// What is said about one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About<'path> {
    Itself,
    Owners,
    Members {
        transitive: bool,
    },
    /// `members/$ref`: where one is added.
    MemberReferences,
    /// `members/{id}/$ref`: where one is removed.
    MemberReference(&'path str),
    MemberOf {
        transitive: bool,
    },
    GetMemberGroups,
    CheckMemberGroups,
    AddPassword,
    RemovePassword,
}

/// What is said about the roles of the directory: as roles that have members, and as definitions that are assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Roles<'path> {
    All,
    One(&'path str),
    Members(&'path str),
    /// Where a role is given.
    MemberReferences(&'path str),
    /// Where it is taken.
    MemberReference(&'path str, &'path str),
    Templates,
    Template(&'path str),
    Definitions,
    Definition(&'path str),
    Assignments,
    Assignment(&'path str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route<'path> {
    /// Whoever signed in: never a user here.
    Me,
    All(Collection),
    One(Collection, &'path str, About<'path>),
    GetByIds,
    Roles(Roles<'path>),
    /// A first segment that is none of ours.
    Unknown(&'path str),
}

impl<'path> Route<'path> {
    /// `None` below a collection that has nothing of this name.
    pub(super) fn of(path: &[&'path str]) -> Option<Self> {
        let path: Vec<&str> = path.iter().flat_map(|segment| without_brackets(segment)).collect();
        let (first, rest) = path.split_first()?;
        if first.eq_ignore_ascii_case("me") {
            return Some(Self::Me);
        }
        if Roles::ROOTS.iter().any(|root| first.eq_ignore_ascii_case(root)) {
            return Roles::of(first, rest).map(Self::Roles);
        }
        let Some(collection) = Collection::of(first) else { return Some(Self::Unknown(first)) };
        match *rest {
            [] if collection == Collection::DirectoryObjects => None,
            [] => Some(Self::All(collection)),
            [action] if collection == Collection::DirectoryObjects && is_action(action, "getByIds") => {
                Some(Self::GetByIds)
            }
            [id, ref about @ ..] => Some(Self::One(collection, id, About::of(collection, about)?)),
        }
    }
}

impl<'path> Roles<'path> {
    const ROOTS: [&'static str; 3] = ["directoryRoles", "directoryRoleTemplates", "roleManagement"];

    fn of(root: &str, path: &[&'path str]) -> Option<Self> {
        let [roles, templates, _] = Self::ROOTS.map(|known| known.eq_ignore_ascii_case(root));
        Some(match *path {
            [] if roles => Self::All,
            [id] if roles => Self::One(id),
            [id, "members"] if roles => Self::Members(id),
            [id, "members", "$ref"] if roles => Self::MemberReferences(id),
            [id, "members", member, "$ref"] if roles => Self::MemberReference(id, member),
            [] if templates => Self::Templates,
            [id] if templates => Self::Template(id),
            // Of `roleManagement`: others than the directory have roles at Azure, but not here.
            ["directory", "roleDefinitions"] => Self::Definitions,
            ["directory", "roleDefinitions", id] => Self::Definition(id),
            ["directory", "roleAssignments"] => Self::Assignments,
            ["directory", "roleAssignments", id] => Self::Assignment(id),
            _ => return None,
        })
    }
}

impl<'path> About<'path> {
    fn of(collection: Collection, path: &[&'path str]) -> Option<Self> {
        let is_group = collection == Collection::Groups;
        let is_application = matches!(collection, Collection::ServicePrincipals | Collection::Applications);
        let is_principal = collection != Collection::Applications;
        match *path {
            [] => Some(Self::Itself),
            ["owners"] if is_group || is_application => Some(Self::Owners),
            ["members"] if is_group => Some(Self::Members { transitive: false }),
            ["transitiveMembers"] if is_group => Some(Self::Members { transitive: true }),
            ["members", "$ref"] if is_group => Some(Self::MemberReferences),
            ["members", id, "$ref"] if is_group => Some(Self::MemberReference(id)),
            // Whatever somebody is a member of is a group, so the cast changes nothing.
            ["memberOf"] | ["memberOf", "microsoft.graph.group"] if is_principal => {
                Some(Self::MemberOf { transitive: false })
            }
            ["transitiveMemberOf"] | ["transitiveMemberOf", "microsoft.graph.group"] if is_principal => {
                Some(Self::MemberOf { transitive: true })
            }
            [action] if is_principal && is_action(action, "getMemberGroups") => Some(Self::GetMemberGroups),
            [action] if is_principal && is_action(action, "checkMemberGroups") => Some(Self::CheckMemberGroups),
            [action] if is_application && is_action(action, "addPassword") => Some(Self::AddPassword),
            [action] if is_application && is_action(action, "removePassword") => Some(Self::RemovePassword),
            _ => None,
        }
    }
}

/// Actions may be written with their namespace.
fn is_action(segment: &str, name: &str) -> bool {
    segment.strip_prefix("microsoft.graph.").unwrap_or(segment).eq_ignore_ascii_case(name)
}

/// `users('x')` as `users` and `x`; `applications(appId='x')` as `applications` and `appId='x`, for the look-up to read.
fn without_brackets(segment: &str) -> Vec<&str> {
    match segment.strip_suffix("')").and_then(|open| open.split_once('(')) {
        Some((collection, id)) => vec![collection, id.strip_prefix('\'').unwrap_or(id)],
        None => vec![segment],
    }
}
