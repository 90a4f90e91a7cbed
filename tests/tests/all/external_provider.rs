//! `strongroom init` and `strongroom serve` beside an OpenID Connect provider, each in a process of its own, over TLS.

use domain::access::{azure_roles, hsm_roles};
use e2e::{
    client::{Answer, Client, Principal, Target, es256},
    production::{Installation, TENANT},
    provider::Provider,
};
use serde_json::{Value, json};
use std::process::Output;

const ADMIN: &str = "00000000-0000-4000-8000-0000000000aa";
const ALICE: &str = "00000000-0000-4000-8000-0000000000a1";
const GROUP: &str = "00000000-0000-4000-8000-0000000000b1";
/// What the server says when it has fetched other keys than it had.
const CHANGED: &str = "the keys of the issuer have changed";
const PROVIDERS: &str = "providers/Microsoft.KeyVault";

fn provider() -> Provider {
    Provider::start(env!("CARGO_BIN_EXE_provider"))
}

fn configuration(provider: &Provider, embedded: bool) -> String {
    let (issuer, ca_file) = (&provider.issuer, provider.ca_file());
    format!(
        "[identity]\nembedded = {embedded}\n[identity.external]\nissuer = \"{issuer}\"\nca_file = \"{}\"\n",
        ca_file.display()
    )
}

/// What `init` says, by name.
fn said(output: &Output, name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("='")?.strip_suffix('\''));
    line.map(str::to_owned)
}

fn complaint(output: &Output) -> String {
    assert!(!output.status.success(), "init should have failed");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// An installation that takes a provider's tokens only.
struct World {
    provider: Provider,
    installation: Installation,
    client: Client,
    subscription: String,
}

impl World {
    fn new() -> Self {
        let provider = provider();
        let mut installation = Installation::configured(&configuration(&provider, false));
        let made = installation.init(&["--administrator", ADMIN]);
        assert!(made.status.success(), "{made:?}");
        assert_eq!(said(&made, "APP_SECRET"), None, "nobody could use it");
        assert_eq!(said(&made, "ADMINISTRATOR_OBJECT_ID").as_deref(), Some(ADMIN));
        let subscription = said(&made, "SUBSCRIPTION").unwrap();
        // A token that came before the first fetch would ask for one, and the next may not ask so soon.
        installation.serve_until(&[CHANGED]);
        let client = installation.client("");
        Self { provider, installation, client, subscription }
    }

    fn call(&self, target: &Target, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        let body = Some(body).filter(|body| !body.is_null());
        target.try_call_with(token, method, path, body).unwrap_or_else(|error| {
            panic!("{method} {path}: {error:?}\n{}", self.installation.log());
        })
    }

    /// A call of somebody's, by the claims that the provider writes of them.
    fn by(&self, claims: &Value, target: &Target, method: &str, path: &str, body: &Value) -> Answer {
        self.call(target, &self.provider.token(target.resource(), claims), method, path, body)
    }

    fn manage(&self, target: &Target, path: &str, body: &Value) {
        self.by(&json!({ "oid": ADMIN, "sub": "x" }), target, "PUT", path, body).expect(path);
    }

    fn group(&self) -> String {
        format!("/subscriptions/{}/resourceGroups/default", self.subscription)
    }

    /// A vault whose keys the group may use, and a managed HSM whose keys Alice may use.
    fn furnish(&self) -> (Target, Target) {
        let group = self.group();
        let vault = json!({ "location": "local", "properties": {
            "tenantId": TENANT, "sku": { "family": "A", "name": "premium" }, "enableRbacAuthorization": true,
        } });
        self.manage(&self.client.arm(), &format!("{group}/{PROVIDERS}/vaults/kv1"), &vault);
        let hsm = json!({ "location": "local", "sku": { "family": "B", "name": "Standard_B1" }, "properties": {
            "tenantId": TENANT, "initialAdminObjectIds": [ADMIN],
        } });
        self.manage(&self.client.arm(), &format!("{group}/{PROVIDERS}/managedHSMs/hsm1"), &hsm);
        let id = |roles: &[domain::access::RoleDefinition], name: &str| {
            roles.iter().find(|role| role.name == name).unwrap().id
        };
        let roles = format!("/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions", self.subscription);
        let officer = json!({ "properties": {
            "roleDefinitionId": format!("{roles}/{}", id(azure_roles(), "Key Vault Crypto Officer")), "principalId": GROUP,
        } });
        let scope = format!("{group}/{PROVIDERS}/vaults/kv1/providers/Microsoft.Authorization/roleAssignments/{ALICE}");
        self.manage(&self.client.arm_authorization(), &scope, &officer);
        let (vault, hsm) = (self.client.vault("kv1"), self.client.hsm("hsm1"));
        let user = json!({ "properties": {
            "roleDefinitionId": format!(
                "Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/{}",
                id(hsm_roles(), "Managed HSM Crypto User")
            ),
            "principalId": ALICE,
        } });
        self.manage(&hsm, &format!("/providers/Microsoft.Authorization/roleAssignments/{GROUP}"), &user);
        (vault, hsm)
    }
}

#[test]
fn users_of_the_provider_use_keys_by_role_while_its_keys_change() {
    let world = World::new();
    let (vault, hsm) = world.furnish();
    let member = json!({ "oid": "00000000-0000-4000-8000-0000000000c1", "sub": "x", "groups": ["other", GROUP] });
    let outsider = json!({ "oid": "00000000-0000-4000-8000-0000000000c2", "sub": "x", "groups": ["other"] });
    let alice = json!({ "oid": ALICE, "sub": "x" });
    let ec = json!({ "kty": "EC", "crv": "P-256" });

    world.by(&member, &vault, "POST", "/keys/k/create", &ec).expect("the group's role");
    world.by(&member, &vault, "POST", "/keys/k/sign", &es256(&[1; 32])).expect("the group's role");
    let refused = world.by(&outsider, &vault, "POST", "/keys/k/sign", &es256(&[1; 32]));
    assert_eq!((refused.status, refused.inner_code()), (403, "ForbiddenByRbac"), "{}", refused.body);
    assert_eq!(world.by(&member, &hsm, "POST", "/keys/k/create", &ec).status, 403);
    world.by(&alice, &hsm, "POST", "/keys/k/create", &ec).expect("Alice's role");
    world.by(&alice, &hsm, "POST", "/keys/k/sign", &es256(&[1; 32])).expect("Alice's role");
    let by_ec = world.provider.token_of("ec", hsm.resource(), &alice);
    world.call(&hsm, &by_ec, "GET", "/keys/k", &Value::Null).expect("ES256");

    // The provider changes its keys: the first token of a new one makes them known, and the old one's are void.
    let old = world.provider.token(hsm.resource(), &alice);
    world.call(&hsm, &old, "GET", "/keys/k", &Value::Null).expect("before");
    let fetches = world.provider.fetches();
    world.provider.rotate();
    world.by(&alice, &hsm, "GET", "/keys/k", &Value::Null).expect("the new key");
    assert_eq!(world.provider.fetches(), fetches + 1);
    for void in [old, by_ec, world.provider.token_of("previous", hsm.resource(), &alice)] {
        let refused = world.call(&hsm, &void, "GET", "/keys/k", &Value::Null);
        assert_eq!((refused.status, refused.code()), (401, "Unauthorized"), "{}", refused.body);
        assert!(refused.message().starts_with("The token is signed with an unknown key."), "{}", refused.message());
        let challenge = refused.headers["www-authenticate"].to_str().unwrap().to_owned();
        assert!(challenge.contains("error=\"insufficient_claims\", claims=\""), "{challenge}");
    }
    world.by(&member, &vault, "POST", "/keys/k/sign", &es256(&[1; 32])).expect("RS256 by the new key");
    world.installation.await_log(&[CHANGED]);
}

#[test]
fn tokens_that_are_not_right_get_the_documented_401() {
    let world = World::new();
    let (vault, hsm) = world.furnish();
    let (issuer, admin) = (&world.provider.issuer, json!({ "oid": ADMIN, "sub": "x" }));
    let with = |name: &str, value: Value| {
        let mut claims = admin.clone();
        claims[name] = value;
        claims
    };
    let unknown = "The token is signed with an unknown key.";
    let cases = [
        (
            "rsa",
            with("iss", json!("https://evil.example")),
            format!("AKV10032: Invalid issuer. Expected one of {issuer}, found https://evil.example."),
        ),
        (
            "ec",
            with("aud", json!("https://vault.azure.com")),
            format!("AKV10022: Invalid audience. Expected {}, found: https://vault.azure.com.", vault.resource()),
        ),
        ("rsa", with("exp", json!(-301)), "The token has expired.".to_owned()),
        ("rsa", with("nbf", json!(400)), "Token not yet valid".to_owned()),
        ("rsa", with("tid", json!(ALICE)), "The token is from another tenant.".to_owned()),
        ("none", admin.clone(), "The signature algorithm of the token is not accepted.".to_owned()),
        ("stranger", admin.clone(), unknown.to_owned()),
    ];
    for (key, claims, message) in cases {
        let token = world.provider.token_of(key, vault.resource(), &claims);
        let refused = world.call(&vault, &token, "GET", "/keys", &Value::Null);
        assert_eq!((refused.status, refused.code(), refused.message()), (401, "Unauthorized", message.as_str()));
        let challenge = refused.headers["www-authenticate"].to_str().unwrap();
        let expected = format!("Bearer authorization=\"{issuer}\", resource=\"{}\"", vault.resource());
        assert!(challenge.starts_with(&expected), "{challenge}");
    }
    // The right token at the wrong door.
    let of_vault = world.provider.token(vault.resource(), &admin);
    let refused = world.call(&hsm, &of_vault, "GET", "/keys", &Value::Null);
    assert!(refused.message().starts_with("AKV10022: Invalid audience."), "{}", refused.message());
    let refused = world.call(&world.client.arm(), &of_vault, "GET", &world.group(), &Value::Null);
    assert_eq!((refused.status, refused.code()), (401, "InvalidAuthenticationTokenAudience"));
    // Nobody makes the server ask the provider without end.
    let before = world.provider.fetches();
    for _ in 0..30 {
        let stranger = world.provider.token_of("stranger", vault.resource(), &admin);
        assert_eq!(world.call(&vault, &stranger, "GET", "/keys", &Value::Null).status, 401);
    }
    assert!(world.provider.fetches() - before <= 3, "one in ten seconds");
}

#[test]
fn with_the_embedded_issuer_off_nobody_signs_in_here() {
    let world = World::new();
    let issuer = &world.provider.issuer;
    let description = |answer: Answer| {
        assert_eq!(answer.status, 400, "{}", answer.body);
        answer.body["error_description"].as_str().unwrap().to_owned()
    };
    for (method, path) in
        [("POST", "oauth2/v2.0/token"), ("POST", "oauth2/token"), ("GET", "v2.0/.well-known/openid-configuration")]
    {
        let said = description(world.client.plain(method, &format!("/{TENANT}/{path}"), None).unwrap());
        assert!(said.contains("Nobody signs in here") && said.contains(issuer.as_str()), "{said}");
    }
    let cloud =
        world.client.plain("GET", "/metadata/endpoints?api-version=2022-09-01", None).unwrap().expect("metadata");
    assert_eq!(cloud["authentication"]["loginEndpoint"], json!(issuer));
    let missing = world.client.plain("GET", &world.group(), None).unwrap();
    let challenge = missing.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with(&format!("Bearer authorization_uri=\"{issuer}\"")), "{challenge}");
}

#[test]
fn both_issuers_serve_side_by_side() {
    let provider = provider();
    let mut installation = Installation::configured(&configuration(&provider, true));
    let made = installation.init(&["--administrator-subject", "root@example"]);
    assert!(made.status.success(), "{made:?}");
    installation.serve();
    let fact = |name| format!("{name}='{}'\n", said(&made, name).unwrap());
    let facts: String = ["TENANT", "APP_ID", "APP_SECRET", "OBJECT_ID"].map(fact).concat();
    let client = installation.client(&facts);
    let group = format!("/subscriptions/{}/resourceGroups/default", said(&made, "SUBSCRIPTION").unwrap());
    let arm = client.arm_authorization();
    // With the secret, at the embedded issuer.
    arm.by(Principal::Administrator)
        .get(&format!("{group}/providers/Microsoft.Authorization/roleAssignments"))
        .expect("own");
    // With the subject, at the provider.
    let root = json!({ "sub": "root@example" });
    let call = |claims: &Value| {
        let token = provider.token(arm.resource(), claims);
        let path = format!("{group}/providers/Microsoft.Authorization/roleAssignments");
        arm.try_call_with(&token, "GET", &path, None).unwrap()
    };
    let assignments = call(&root).expect("the provider's");
    let owner = said(&made, "ADMINISTRATOR_OBJECT_ID").unwrap();
    assert!(assignments.to_string().contains(&owner), "{assignments}");
    assert_eq!(call(&json!({ "sub": "somebody@example" })).status, 403);
    // Clients that are not told otherwise sign in here.
    let missing = client.plain("GET", &group, None).unwrap();
    let challenge = missing.headers["www-authenticate"].to_str().unwrap().to_owned();
    assert!(challenge.starts_with(&format!("Bearer authorization_uri=\"{}/{TENANT}\"", installation.base_url())));
}

#[test]
fn a_provider_that_is_not_there_stops_its_tokens_and_nothing_else() {
    let provider = provider();
    let more = configuration(&provider, true);
    // Whom the certificate is of is not whom we trust.
    let more = more.replace(&provider.ca_file().display().to_string(), "ca.pem");
    let mut installation = Installation::configured(&more);
    let made = installation.init(&[]);
    installation.serve();
    let fact = |name| format!("{name}='{}'\n", said(&made, name).unwrap());
    let client = installation.client(&["TENANT", "APP_ID", "APP_SECRET"].map(fact).concat());
    let arm = client.arm();
    let path = format!(
        "/subscriptions/{}/resourceGroups/default/{PROVIDERS}/vaults/none",
        said(&made, "SUBSCRIPTION").unwrap()
    );
    assert_eq!(arm.get(&path).status, 404, "our own tokens are good");
    let token = provider.token(arm.resource(), &json!({ "oid": ADMIN, "sub": "x" }));
    let refused = arm.try_call_with(&token, "GET", &path, None).unwrap();
    assert_eq!((refused.status, refused.code()), (401, "InvalidAuthenticationToken"));
    assert_eq!(refused.message(), "Authentication failed: the keys of the token's issuer can't be had.");
    assert_eq!(provider.fetches(), 0, "nothing was asked over a connection to somebody unknown");
    installation.await_log(&["none of its tokens is taken"]);
}

#[test]
fn keys_that_are_published_in_a_wrong_way_are_not_believed() {
    let provider = provider();
    let mut installation = Installation::configured(&configuration(&provider, true));
    let made = installation.init(&[]);
    let path = format!("/subscriptions/{}/resourceGroups/default", said(&made, "SUBSCRIPTION").unwrap());
    for (fault, why, refusal) in [
        ("huge", "the response body is larger than request limit", "the keys of the token's issuer can't be had"),
        ("moved", "the answer is 302 Found", "the keys of the token's issuer can't be had"),
        ("text", "no JWK set: ", "the keys of the token's issuer can't be had"),
        ("name", "the discovery document is of ", "the keys of the token's issuer can't be had"),
        ("secret", "its secret part is published", "the token is not signed with a known key"),
    ] {
        provider.fail(fault);
        installation.serve_until(&[why]);
        let arm = installation.client("").arm();
        let token = provider.token(arm.resource(), &json!({ "oid": ADMIN, "sub": "x" }));
        let refused = arm.try_call_with(&token, "GET", &path, None).unwrap();
        assert_eq!(
            (refused.status, refused.message()),
            (401, format!("Authentication failed: {refusal}.").as_str()),
            "{fault}"
        );
        installation.stop();
    }
}

#[test]
fn init_makes_no_installation_that_nobody_could_administer() {
    let provider = provider();
    let external_only = Installation::configured(&configuration(&provider, false));
    let said = complaint(&external_only.init(&[]));
    assert!(said.contains("--administrator OBJECT_ID or --administrator-subject SUB"), "{said}");
    let said = complaint(&external_only.init(&["--administrator", "alice"]));
    assert!(said.contains("expected a GUID"), "{said}");
    let said = complaint(&external_only.init(&["--administrator", ADMIN, "--administrator-subject", "x"]));
    assert!(said.contains("cannot be used with"), "{said}");
    assert!(
        external_only.init(&["--administrator", ADMIN]).status.success(),
        "nothing stands in the way of a second try"
    );

    let embedded_only = Installation::configured("");
    for argument in ["--administrator", "--administrator-subject"] {
        let said = complaint(&embedded_only.init(&[argument, ADMIN]));
        assert!(said.contains("only with an [identity.external]"), "{said}");
    }
    let nobody = Installation::configured("identity.embedded = false\n");
    let said = complaint(&nobody.init(&["--administrator", ADMIN]));
    assert!(said.contains("strongroom.toml, line 8: ") && said.contains("nobody could ever sign in"), "{said}");
}
