//! Commands on the directory: who may be given rights, who is in which group, and by what an application signs in.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::error::ClientError;
use super::grammar::Global;
use super::session::Session;
use super::target::segment;

/// Commands on the directory.
#[derive(Subcommand)]
pub enum IdentityCommand {
    /// Users, who sign in through an external issuer
    #[command(subcommand)]
    User(UserCommand),
    /// Groups
    #[command(subcommand)]
    Group(GroupCommand),
    /// Service principals: applications that can sign in
    #[command(subcommand)]
    Sp(SpCommand),
}

/// Commands on users.
#[derive(Subcommand)]
pub enum UserCommand {
    /// Make a user
    Create(NewUser),
    /// List all users
    List(All),
    /// Show a user
    Show(OneUser),
    /// Change a user
    Update(ChangedUser),
    /// Delete a user, for good; role assignments that name the user mean nobody from then on
    Delete(OneUser),
}

/// Commands on groups.
#[derive(Subcommand)]
pub enum GroupCommand {
    /// Make an empty group
    Create(NewGroup),
    /// List all groups
    List(All),
    /// Show a group
    Show(OneGroup),
    /// Delete a group; its members stay
    Delete(OneGroup),
    /// The members of a group
    #[command(subcommand)]
    Member(MemberCommand),
}

/// Commands on the members of a group.
#[derive(Subcommand)]
pub enum MemberCommand {
    /// Put a user, a service principal or a group into a group
    Add(Membership),
    /// List the members of a group
    List(Members),
    /// Take a member out of a group
    Remove(Membership),
}

/// Commands on service principals.
#[derive(Subcommand)]
pub enum SpCommand {
    /// Make an application and its service principal, without a secret
    Create(NewSp),
    /// List all service principals
    List(All),
    /// Show a service principal
    Show(OneSp),
    /// Change a service principal
    Update(ChangedSp),
    /// Delete a service principal with its application and secrets, for good
    Delete(OneSp),
    /// The secrets that an application signs in with
    #[command(subcommand)]
    Secret(SecretCommand),
}

/// Commands on client secrets.
#[derive(Subcommand)]
pub enum SecretCommand {
    /// Make a secret; it is shown this once
    Add(NewSecret),
    /// List an application's secrets, without their text
    List(OneSp),
    /// Remove a secret; whoever has it signs in no more
    Remove(OneSecret),
}

/// `list`.
#[derive(Args)]
pub struct All {
    #[command(flatten)]
    pub global: Global,
}

/// `user create`.
#[derive(Args)]
pub struct NewUser {
    /// Name to show
    #[arg(long)]
    pub display_name: String,
    /// Unique name: name@domain
    #[arg(long)]
    pub user_principal_name: String,
    /// Object id by which the user's issuer knows them; a new one if omitted
    #[arg(long)]
    pub object_id: Option<String>,
    #[command(flatten)]
    pub global: Global,
}

/// A command on a user.
#[derive(Args)]
pub struct OneUser {
    /// Object id or user principal name
    #[arg(long)]
    pub id: String,
    #[command(flatten)]
    pub global: Global,
}

/// `user update`.
#[derive(Args)]
pub struct ChangedUser {
    /// Object id or user principal name
    #[arg(long)]
    pub id: String,
    #[command(flatten)]
    pub changes: Changes,
    #[command(flatten)]
    pub global: Global,
}

/// What can be changed of who can sign in.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub struct Changes {
    /// Name to show
    #[arg(long)]
    pub display_name: Option<String>,
    /// Whether they may act; counts from their next request on
    #[arg(long, action = clap::ArgAction::Set)]
    pub enabled: Option<bool>,
}

/// `group create`.
#[derive(Args)]
pub struct NewGroup {
    /// Name to show
    #[arg(long)]
    pub display_name: String,
    /// What it is for
    #[arg(long)]
    pub description: Option<String>,
    #[command(flatten)]
    pub global: Global,
}

/// A command on a group.
#[derive(Args)]
pub struct OneGroup {
    /// Object id or name
    #[arg(long, short = 'g')]
    pub group: String,
    #[command(flatten)]
    pub global: Global,
}

/// `group member add` and `remove`.
#[derive(Args)]
pub struct Membership {
    /// Object id or name of the group
    #[arg(long, short = 'g')]
    pub group: String,
    /// Object id of the member
    #[arg(long)]
    pub member_id: String,
    #[command(flatten)]
    pub global: Global,
}

/// `group member list`.
#[derive(Args)]
pub struct Members {
    /// Object id or name of the group
    #[arg(long, short = 'g')]
    pub group: String,
    /// Also the members of groups in it
    #[arg(long)]
    pub transitive: bool,
    #[command(flatten)]
    pub global: Global,
}

/// `sp create`.
#[derive(Args)]
pub struct NewSp {
    /// Name to show
    #[arg(long)]
    pub display_name: String,
    #[command(flatten)]
    pub global: Global,
}

/// A command on a service principal.
#[derive(Args)]
pub struct OneSp {
    /// Object id or application id
    #[arg(long)]
    pub id: String,
    #[command(flatten)]
    pub global: Global,
}

/// `sp update`.
#[derive(Args)]
pub struct ChangedSp {
    /// Object id or application id
    #[arg(long)]
    pub id: String,
    #[command(flatten)]
    pub changes: Changes,
    #[command(flatten)]
    pub global: Global,
}

/// `sp secret add`.
#[derive(Args)]
pub struct NewSecret {
    /// Object id or application id
    #[arg(long)]
    pub id: String,
    /// Name to tell it from others by
    #[arg(long)]
    pub display_name: Option<String>,
    /// When it ends, in UTC: 2030-12-31T23:59:59Z; in two years if omitted
    #[arg(long)]
    pub end_date: Option<String>,
    #[command(flatten)]
    pub global: Global,
}

/// `sp secret remove`.
#[derive(Args)]
pub struct OneSecret {
    /// Object id or application id
    #[arg(long)]
    pub id: String,
    /// Id of the secret
    #[arg(long)]
    pub key_id: String,
    #[command(flatten)]
    pub global: Global,
}

impl IdentityCommand {
    /// The options that every command has.
    pub fn global(&self) -> &Global {
        use IdentityCommand as Identity;
        match self {
            Identity::User(UserCommand::List(args))
            | Identity::Group(GroupCommand::List(args))
            | Identity::Sp(SpCommand::List(args)) => &args.global,
            Identity::User(UserCommand::Create(args)) => &args.global,
            Identity::User(UserCommand::Show(args) | UserCommand::Delete(args)) => &args.global,
            Identity::User(UserCommand::Update(args)) => &args.global,
            Identity::Group(GroupCommand::Create(args)) => &args.global,
            Identity::Group(GroupCommand::Show(args) | GroupCommand::Delete(args)) => &args.global,
            Identity::Group(GroupCommand::Member(MemberCommand::List(args))) => &args.global,
            Identity::Group(GroupCommand::Member(MemberCommand::Add(args) | MemberCommand::Remove(args))) => {
                &args.global
            }
            Identity::Sp(SpCommand::Create(args)) => &args.global,
            Identity::Sp(
                SpCommand::Show(args) | SpCommand::Delete(args) | SpCommand::Secret(SecretCommand::List(args)),
            ) => &args.global,
            Identity::Sp(SpCommand::Update(args)) => &args.global,
            Identity::Sp(SpCommand::Secret(SecretCommand::Add(args))) => &args.global,
            Identity::Sp(SpCommand::Secret(SecretCommand::Remove(args))) => &args.global,
        }
    }
}

/// Carries a command out and gives what is to be printed.
pub fn carry_out(session: &mut Session<'_>, command: &IdentityCommand) -> Result<Value, ClientError> {
    let mut directory = Directory { session };
    let printed = match command {
        IdentityCommand::User(command) => directory.user(command)?,
        IdentityCommand::Group(command) => directory.group(command)?,
        IdentityCommand::Sp(command) => directory.sp(command)?,
    };
    Ok(shown(printed))
}

/// An answer without what only says where it came from.
fn shown(mut answer: Value) -> Value {
    if let Some(members) = answer.as_object_mut() {
        members.retain(|name, _| name != "@odata.context");
    }
    answer
}

/// The directory of one server.
struct Directory<'s, 'w> {
    session: &'s mut Session<'w>,
}

impl Directory<'_, '_> {
    fn user(&mut self, command: &UserCommand) -> Result<Value, ClientError> {
        let path = |id: &str| format!("/users/{}", segment(id));
        match command {
            UserCommand::Create(args) => {
                let mut body = json!({
                    "displayName": args.display_name,
                    "userPrincipalName": args.user_principal_name,
                    "accountEnabled": true,
                });
                if let Some(id) = &args.object_id {
                    body["id"] = json!(id);
                }
                self.session.graph("POST", "/users", Some(&body))
            }
            UserCommand::List(_) => Ok(self.session.graph_list("/users")?.into()),
            UserCommand::Show(args) => self.session.graph("GET", &path(&args.id), None),
            UserCommand::Update(args) => self.update(&path(&args.id), &args.changes),
            UserCommand::Delete(args) => self.session.graph("DELETE", &path(&args.id), None),
        }
    }

    fn group(&mut self, command: &GroupCommand) -> Result<Value, ClientError> {
        match command {
            GroupCommand::Create(args) => {
                let body = json!({
                    "displayName": args.display_name,
                    "description": args.description,
                    "mailEnabled": false,
                    "securityEnabled": true,
                });
                self.session.graph("POST", "/groups", Some(&body))
            }
            GroupCommand::List(_) => Ok(self.session.graph_list("/groups")?.into()),
            GroupCommand::Show(args) => {
                let path = self.group_path(&args.group)?;
                self.session.graph("GET", &path, None)
            }
            GroupCommand::Delete(args) => {
                let path = self.group_path(&args.group)?;
                self.session.graph("DELETE", &path, None)
            }
            GroupCommand::Member(command) => self.member(command),
        }
    }

    fn member(&mut self, command: &MemberCommand) -> Result<Value, ClientError> {
        match command {
            MemberCommand::Add(args) => {
                let path = format!("{}/members/$ref", self.group_path(&args.group)?);
                let base = &self.session.settings().base;
                let body = json!({ "@odata.id": format!("{base}/v1.0/directoryObjects/{}", args.member_id) });
                self.session.graph("POST", &path, Some(&body))
            }
            MemberCommand::Remove(args) => {
                let path = format!("{}/members/{}/$ref", self.group_path(&args.group)?, segment(&args.member_id));
                self.session.graph("DELETE", &path, None)
            }
            MemberCommand::List(args) => {
                let members = if args.transitive { "transitiveMembers" } else { "members" };
                let path = format!("{}/{members}", self.group_path(&args.group)?);
                Ok(self.session.graph_list(&path)?.into())
            }
        }
    }

    fn sp(&mut self, command: &SpCommand) -> Result<Value, ClientError> {
        match command {
            SpCommand::Create(args) => {
                let body = json!({ "displayName": args.display_name });
                let application = self.session.graph("POST", "/applications", Some(&body))?;
                let body = json!({ "appId": application["appId"], "accountEnabled": true });
                self.session.graph("POST", "/servicePrincipals", Some(&body))
            }
            SpCommand::List(_) => Ok(self.session.graph_list("/servicePrincipals")?.into()),
            SpCommand::Show(args) => self.service_principal(&args.id),
            SpCommand::Update(args) => {
                let path = self.sp_path(&args.id)?;
                self.update(&path, &args.changes)
            }
            SpCommand::Delete(args) => {
                let app_id = text(&self.service_principal(&args.id)?, "appId");
                self.session.graph("DELETE", &format!("/applications(appId='{}')", segment(&app_id)), None)
            }
            SpCommand::Secret(command) => self.secret(command),
        }
    }

    fn secret(&mut self, command: &SecretCommand) -> Result<Value, ClientError> {
        match command {
            SecretCommand::Add(args) => {
                let principal = self.service_principal(&args.id)?;
                let password = json!({ "displayName": args.display_name, "endDateTime": args.end_date });
                let path = format!("/servicePrincipals/{}/addPassword", segment(&text(&principal, "id")));
                let body = json!({ "passwordCredential": password });
                let mut added = self.session.graph("POST", &path, Some(&body))?;
                added["appId"] = principal["appId"].clone();
                Ok(added)
            }
            SecretCommand::List(args) => Ok(self.service_principal(&args.id)?["passwordCredentials"].take()),
            SecretCommand::Remove(args) => {
                let path = format!("{}/removePassword", self.sp_path(&args.id)?);
                self.session.graph("POST", &path, Some(&json!({ "keyId": args.key_id })))
            }
        }
    }

    /// Changes who can sign in, and gives what has come of it.
    fn update(&mut self, path: &str, changes: &Changes) -> Result<Value, ClientError> {
        let mut body = Map::new();
        if let Some(name) = &changes.display_name {
            body.insert("displayName".into(), json!(name));
        }
        if let Some(enabled) = changes.enabled {
            body.insert("accountEnabled".into(), json!(enabled));
        }
        self.session.graph("PATCH", path, Some(&Value::Object(body)))?;
        self.session.graph("GET", path, None)
    }

    /// The path of a group, by its id or by its name, which several may have.
    fn group_path(&mut self, group: &str) -> Result<String, ClientError> {
        if is_guid(group) {
            return Ok(format!("/groups/{group}"));
        }
        let filter = segment(&format!("displayName eq '{}'", group.replace('\'', "''")));
        let found = self.session.graph_list(&format!("/groups?$filter={filter}"))?;
        match found.as_slice() {
            [one] => Ok(format!("/groups/{}", text(one, "id"))),
            [] => Err(ClientError::NotFound(format!("There is no group '{group}'."))),
            _ => Err(ClientError::Usage(format!("Several groups are called '{group}': name one by its id."))),
        }
    }

    fn sp_path(&mut self, id: &str) -> Result<String, ClientError> {
        Ok(format!("/servicePrincipals/{}", text(&self.service_principal(id)?, "id")))
    }

    /// A service principal, by its application's id or by its own.
    fn service_principal(&mut self, id: &str) -> Result<Value, ClientError> {
        let filter = segment(&format!("servicePrincipalNames/any(c:c eq '{}')", id.replace('\'', "''")));
        let mut found = self.session.graph_list(&format!("/servicePrincipals?$filter={filter}"))?;
        match found.pop() {
            Some(found) => Ok(found),
            None => self.session.graph("GET", &format!("/servicePrincipals/{}", segment(id)), None),
        }
    }
}

fn text(object: &Value, name: &str) -> String {
    object[name].as_str().unwrap_or_default().to_owned()
}

fn is_guid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
