//! The data plane: the objects of vaults and managed HSMs, and what an HSM has beside them.
//!
//! The order of an answer is: container, token, network, route, operation (contract: key-vault §2, "Evaluation order"). Clients
//! send their first request bare to be told where to get a token, so nothing of it is looked at before the token.

mod body;
mod challenge;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod handlers;
mod headers;
mod page;
mod roles;
mod rotation;
mod route;
#[cfg(test)]
mod testkit;
mod version;
mod wire;

use crate::{
    Addresses, Request, Response,
    bearer::{self, NoCaller},
    reply,
    unanswered::Unanswered,
};
use domain::{
    ContainerKind, Event, KeyUse, ObjectAct, ObjectKind, ObjectName, OtherEvent, Refusal, VersionId, access::Caller,
};
use engine::{Asker, Cost, Door, Engine, Error, OpenContainer, Presence, Subject};
use error::{Place, Problem};
use http::StatusCode;
use identity::Identity;
use route::{CertificateOperation, Operation, Route};
use std::sync::Arc;
use version::ApiVersion;
use wire::Audience;

/// Answers for the containers of an installation.
pub struct DataPlane {
    pub door: Door,
    pub identity: Arc<Identity>,
    pub addresses: Arc<Addresses>,
}

/// How a handler ends.
type Answer = Result<Response, Problem>;

/// A request that has a caller, a container and an API version.
struct Call {
    request: Arc<Request>,
    container: Arc<OpenContainer>,
    caller: Caller,
    version: ApiVersion,
}

/// The object that a path names, and the version if it names one.
struct ObjectPath {
    kind: ObjectKind,
    name: ObjectName,
    version: Option<VersionId>,
}

impl DataPlane {
    /// Answers a request to a container. `kind` and `name` come from the host name, or from the default container.
    pub async fn handle(&self, kind: ContainerKind, name: &str, request: &Arc<Request>) -> Response {
        let (mut response, container) = match self.container(kind, name).await {
            Ok(container) => (self.answer(&container, request).await, Some(container)),
            Err(error) => (self.no_container(kind, name, request, error).await, None),
        };
        // A managed HSM does not say where it is to those it does not know (contract: az-client §2, "401 challenge").
        let tells_location = kind == ContainerKind::Vault || response.status() != StatusCode::UNAUTHORIZED;
        let location = container.as_ref().filter(|_| tells_location).map(|open| open.container.location.as_str());
        headers::stamp(&mut response, kind, location, request);
        response
    }

    /// What there is to say without a live container. That there is none of the name anybody may hear; of a deleted one
    /// only who has a token.
    async fn no_container(&self, kind: ContainerKind, name: &str, request: &Request, error: Error) -> Response {
        if matches!(error, Error::Refused(Refusal::ContainerDeleted { .. }))
            && let Err(why) = self.caller(kind, request).await
        {
            return self.not_let_in(why, &place(kind, name, request), request);
        }
        Problem::Engine(error).response(&place(kind, name, request))
    }

    fn not_let_in(&self, why: NoCaller, place: &Place<'_>, request: &Request) -> Response {
        match why {
            NoCaller::Unauthenticated(why) => {
                challenge::response(&self.addresses, place.kind, request, &why, self.identity.now())
            }
            NoCaller::Failed(error) => Problem::Engine(error).response(place),
        }
    }

    /// Whether a request to a container has a caller who may do what its head asks for.
    pub async fn is_allowed(&self, kind: ContainerKind, name: &str, request: &Request) -> bool {
        let Ok(caller) = self.caller(kind, request).await else { return false };
        let Ok(container) = self.container(kind, name).await else { return false };
        let route = route::resolve(kind, request.method.as_str(), &request.segments());
        route.is_ok_and(|route| matches!(self.right(&caller, &container, &route), Some(Ok(()))))
    }

    async fn caller(&self, kind: ContainerKind, request: &Request) -> Result<Caller, NoCaller> {
        bearer::caller(&self.door, &self.identity, request, self.addresses.container_audiences(kind)).await
    }

    async fn answer(&self, container: &Arc<OpenContainer>, request: &Arc<Request>) -> Response {
        let kind = container.kind();
        let caller = match self.caller(kind, request).await {
            Ok(caller) => caller,
            Err(why) => {
                let response = self.not_let_in(why, &place(kind, "", request), request);
                let by =
                    Asker::Stranger { origin: &request.origin(), address: request.address, correlation_id: request.id };
                let event = Event::Other(OtherEvent::Authentication);
                let unanswered = Unanswered::new(self.door.engine(), event, by, Subject::within(container, ""));
                return told(unanswered, response, &place(kind, "", request));
            }
        };
        let routed = route::resolve(kind, request.method.as_str(), &request.segments()).map_err(Problem::NoRoute);
        let (event, path) = match &routed {
            Ok(route) => (route.event(), route.subject_path()),
            Err(_) => (Event::Other(OtherEvent::Unknown), String::new()),
        };
        let subject = Subject::within(container, &path);
        // The engine's gate asks this again, of whatever gets there; what does not is closed to strangers here.
        let admitted = container.admit(&caller).map_err(Problem::from);
        let asked = admitted.and(routed).and_then(|route| Ok((route, api_version(request)?)));
        let (route, version) = match asked {
            Ok(asked) => asked,
            Err(problem) => {
                let place = located(container, &caller, request);
                let unanswered = Unanswered::new(self.door.engine(), event, Asker::Caller(&caller), subject);
                return told(unanswered, problem.response(&place), &place);
            }
        };
        let (request, container) = (Arc::clone(request), Arc::clone(container));
        let call = Arc::new(Call { request, container, caller, version });
        let unanswered = Unanswered::new(self.door.engine(), event, Asker::Caller(&call.caller), subject);
        let response = match self.perform(&call, &route).await {
            Ok(response) => response,
            Err(problem) => self.owed(&call, &route, problem).response(&call.place(&route)),
        };
        told(unanswered, response, &call.place(&route))
    }

    /// Who may not do a thing is told so, and not what is wrong with the body: rights come before shape (contract:
    /// key-vault §2, "Evaluation order"). The engine checks rights by itself, but never sees a body that does not parse.
    fn owed(&self, call: &Call, route: &Route<'_>, problem: Problem) -> Problem {
        if !matches!(problem, Problem::BadParameter(_)) {
            return problem;
        }
        match self.right(&call.caller, &call.container, route) {
            Some(Err(error)) => Problem::Engine(error),
            Some(Ok(())) | None => problem,
        }
    }

    /// Whether a caller may do what a route stands for; `None` if no right guards it.
    fn right(&self, caller: &Caller, container: &OpenContainer, route: &Route<'_>) -> Option<Result<(), Error>> {
        let operation = route.operation.guarded()?;
        Some(self.door.engine().check_access(caller, operation, container, &route.guarded_path()))
    }

    /// The container, from memory if it is open; otherwise read where waiting for the disk is allowed.
    async fn container(&self, kind: ContainerKind, name: &str) -> Result<Arc<OpenContainer>, Error> {
        if let Some(open) = self.door.engine().opened_container(kind, name) {
            return Ok(open);
        }
        let name = name.to_owned();
        self.door.run(Cost::Durable, move |engine| engine.open_container(kind, &name)).await
    }

    async fn perform(&self, call: &Arc<Call>, route: &Route<'_>) -> Answer {
        use Operation as Op;
        match route.operation {
            Op::Object(kind, act) => self.act(call, route, kind, act).await,
            Op::CreateKey => self.create_key(call, route.object()?).await,
            Op::ImportKey => self.import_key(call, route.object()?).await,
            Op::RotateKey => self.rotate_key(call, route.object()?).await,
            Op::GetRotationPolicy => self.get_rotation_policy(call, route.object()?).await,
            Op::SetRotationPolicy => self.set_rotation_policy(call, route.object()?).await,
            Op::UseKey(KeyUse::Sign) => self.sign(call, route.object()?).await,
            Op::UseKey(KeyUse::Verify) => self.verify(call, route.object()?).await,
            Op::UseKey(KeyUse::Encrypt) => self.encrypt(call, route.object()?).await,
            Op::UseKey(KeyUse::Decrypt) => self.decrypt(call, route.object()?).await,
            Op::UseKey(KeyUse::Wrap) => self.wrap_key(call, route.object()?).await,
            Op::UseKey(KeyUse::Unwrap) => self.unwrap_key(call, route.object()?).await,
            Op::SetSecret => self.set_secret(call, route.object()?).await,
            Op::Certificate(operation) => self.certificate(call, route, operation).await,
            Op::GetRandomBytes => self.get_random_bytes(call).await,
            Op::ListRoleDefinitions => self.list_role_definitions(call, route).await,
            Op::GetRoleDefinition => self.get_role_definition(call, route).await,
            Op::PutRoleDefinition => self.put_role_definition(call, route).await,
            Op::DeleteRoleDefinition => self.delete_role_definition(call, route).await,
            Op::ListRoleAssignments => self.list_role_assignments(call, route).await,
            Op::GetRoleAssignment => self.get_role_assignment(call, route).await,
            Op::PutRoleAssignment => self.put_role_assignment(call, route).await,
            Op::DeleteRoleAssignment => self.delete_role_assignment(call, route).await,
            Op::ListSettings => Ok(handlers::settings::list()),
            Op::GetSetting => handlers::settings::get(route),
            Op::NotSupported(what) => Err(Problem::NotSupported(what)),
        }
    }

    /// Does what can be done to an object of any kind.
    async fn act(&self, call: &Arc<Call>, route: &Route<'_>, kind: ObjectKind, act: ObjectAct) -> Answer {
        match act {
            ObjectAct::List => self.list_objects(call, kind, Presence::Live).await,
            ObjectAct::ListDeleted => self.list_objects(call, kind, Presence::Deleted).await,
            ObjectAct::ListVersions => self.list_versions(call, route.object()?).await,
            ObjectAct::Get => self.get_object(call, route.object()?).await,
            ObjectAct::Update => self.update_object(call, route.object()?).await,
            ObjectAct::Delete => self.delete_object(call, route.object()?).await,
            ObjectAct::GetDeleted => self.get_deleted_object(call, route.object()?).await,
            ObjectAct::Recover => self.recover_object(call, route.object()?).await,
            ObjectAct::Purge => self.purge_object(call, route.object()?).await,
            ObjectAct::Backup => self.backup_object(call, route.object()?).await,
            ObjectAct::Restore => self.restore_object(call, kind).await,
        }
    }

    async fn certificate(&self, call: &Arc<Call>, route: &Route<'_>, operation: CertificateOperation) -> Answer {
        use CertificateOperation as Op;
        match operation {
            Op::Create => self.create_certificate(call, route.object()?).await,
            Op::Import => self.import_certificate(call, route.object()?).await,
            Op::Merge => self.merge_certificate(call, route.object()?).await,
            Op::GetPending => self.get_pending(call, route.object()?).await,
            Op::CancelPending => self.cancel_pending(call, route.object()?).await,
            Op::DeletePending => self.delete_pending(call, route.object()?).await,
            Op::GetPolicy => self.get_policy(call, route.object()?).await,
            Op::UpdatePolicy => self.update_policy(call, route.object()?).await,
            Op::GetContacts => self.get_contacts(call).await,
            Op::SetContacts => self.set_contacts(call).await,
            Op::DeleteContacts => self.delete_contacts(call).await,
            Op::ListIssuers => self.list_issuers(call).await,
            Op::GetIssuer => self.get_issuer(call, route).await,
            Op::SetIssuer => self.set_issuer(call, route).await,
            Op::UpdateIssuer => self.update_issuer(call, route).await,
            Op::DeleteIssuer => self.delete_issuer(call, route).await,
        }
    }

    /// Runs work for a call on the engine.
    async fn run<T: Send + 'static>(
        &self,
        call: &Arc<Call>,
        cost: Cost,
        work: impl FnOnce(&Engine, &Call) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let call = Arc::clone(call);
        self.door.run(cost, move |engine| work(engine, &call)).await
    }
}

/// Tells the audit log how a request ended. One that the log can't take is not answered as done.
fn told(unanswered: Unanswered<'_>, response: Response, place: &Place<'_>) -> Response {
    match unanswered.answered(reply::ending(&response)) {
        Ok(()) => response,
        Err(error) => Problem::Engine(error).response(place),
    }
}

/// The API version of a request. There is no default (contract: key-vault §0).
fn api_version(request: &Request) -> Result<ApiVersion, Problem> {
    match request.api_version() {
        None | Some("") => Err(Problem::BadParameter("The query parameter 'api-version' is missing.".to_owned())),
        Some(text) => ApiVersion::parse(text)
            .ok_or_else(|| Problem::BadParameter(format!("The API version '{text}' is not supported."))),
    }
}

/// What error texts can mention before the request has a route.
fn place<'a>(kind: ContainerKind, container_name: &'a str, request: &'a Request) -> Place<'a> {
    Place {
        kind,
        container_name,
        container: None,
        caller: None,
        host: &request.host,
        method: request.method.as_str(),
        request_id: request.id,
        object: ObjectKind::Key,
        name: "",
        version: None,
        digest_property: "value",
    }
}

/// What they can mention once the caller is known.
fn located<'a>(open: &'a OpenContainer, caller: &'a Caller, request: &'a Request) -> Place<'a> {
    let container = &open.container;
    let unknown = place(container.kind(), container.name.as_str(), request);
    Place { container: Some(container), caller: Some(caller), ..unknown }
}

impl Call {
    fn audience(&self) -> Audience<'_> {
        Audience { kind: self.container.kind(), version: self.version, host: &self.request.host }
    }

    fn place<'a>(&'a self, route: &Route<'a>) -> Place<'a> {
        let verifies = route.operation == Operation::UseKey(KeyUse::Verify);
        Place {
            object: route.operation.kind(),
            name: route.name.unwrap_or_default(),
            version: route.version,
            digest_property: if verifies { "digest" } else { "value" },
            ..located(&self.container, &self.caller, &self.request)
        }
    }
}

impl Route<'_> {
    fn object(&self) -> Result<ObjectPath, Problem> {
        let name = self.name.unwrap_or_default();
        // An object of this name could be made and never be reached: its path is that of an operation.
        let name = ObjectName::parse(name).filter(|name| !is_reserved(self.operation.kind(), name));
        let name = name.ok_or_else(|| Refusal::NameInvalid { name: self.name.unwrap_or_default().to_owned() })?;
        // What is no version names none: the lookup finds that out, after the caller's rights have been checked.
        let version = self.version.map(|text| VersionId::parse(text).unwrap_or(VersionId::from_bytes(NO_VERSION)));
        Ok(ObjectPath { kind: self.operation.kind(), name, version })
    }
}

/// Whether a path with this name would be that of an operation (contract: key-vault §1, "Reserved second segments").
fn is_reserved(kind: ObjectKind, name: &ObjectName) -> bool {
    let words: &[&str] = match kind {
        ObjectKind::Key | ObjectKind::Secret => &["restore"],
        ObjectKind::Certificate => &["restore", "contacts", "issuers"],
    };
    words.iter().any(|word| name.as_str().eq_ignore_ascii_case(word))
}

/// No version has this id: they are random.
const NO_VERSION: [u8; 16] = [0; 16];
