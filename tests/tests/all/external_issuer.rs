//! An external issuer in process: real fronts, real keys and signatures, a provider that is a list of documents, and a
//! clock that can be moved.

use super::site::{
    ADMIN, ARM, Answer, HSM, NOBODY, SUBSCRIPTION, Site, TENANT, VAULT, addresses, hsm, new_hsm, new_vault, request,
    role, vault,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Curve, Guid, SignatureAlgorithm};
use e2e::token_key::{TokenKey, hmac_token, key_set, unsigned_token};
use engine::{Clock as _, SystemClock};
use identity::{Algorithm, ClaimNames, Document, Documents, ExternalSettings, News, Trust, group_id, subject_id};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

const ISSUER: &str = "https://login.example.com/realms/keys";
const JWKS_URI: &str = "https://login.example.com/realms/keys/certs";
const VAULTS: &str = "https://vault.localhost:8443";
const HSMS: &str = "https://managedhsm.localhost:8443";
const MANAGER: &str = "https://localhost:8443";

#[derive(Default)]
struct Published {
    /// `None`: the provider can't be reached.
    jwks: Mutex<Option<String>>,
    fetches: AtomicUsize,
    /// Somebody to wait for before an answer.
    gate: Mutex<Option<Arc<Barrier>>>,
}

impl Published {
    fn keys(&self, keys: &[&TokenKey]) {
        *self.jwks.lock().unwrap() = Some(key_set(keys));
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

impl Documents for Published {
    fn fetch(&self, url: &str) -> Result<Document, String> {
        let body = if url == JWKS_URI {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            let gate = self.gate.lock().unwrap().clone();
            if let Some(gate) = gate {
                gate.wait();
            }
            self.jwks.lock().unwrap().clone().ok_or("connection refused")?
        } else {
            json!({ "issuer": ISSUER, "jwks_uri": JWKS_URI }).to_string()
        };
        Ok(Document { body: body.into_bytes(), max_age_seconds: None })
    }

    fn tell(&self, _: &News<'_>) {}
}

/// A site, its provider, and the provider's keys.
struct World {
    site: Site,
    published: Arc<Published>,
    rsa: TokenKey,
    ec: TokenKey,
}

fn world(embedded: bool) -> World {
    let published = Arc::new(Published::default());
    let (rsa, ec) = (TokenKey::rsa("r", SignatureAlgorithm::Rs256, 0), TokenKey::ec("e", Curve::P256));
    published.keys(&[&rsa, &ec]);
    let settings = ExternalSettings {
        issuer: ISSUER.to_owned(),
        audiences: vec!["api://strongroom".to_owned()],
        algorithms: Algorithm::USUAL.to_vec(),
        clock_skew_seconds: 300,
        claims: ClaimNames::default(),
    };
    let trust = Trust { embedded, external: Some((settings, Arc::clone(&published) as Arc<dyn Documents>)) };
    let addresses = if embedded { addresses() } else { addresses().with_authority(ISSUER.to_owned()) };
    let world = World { site: Site::trusting(trust, addresses), published, rsa, ec };
    world.manage("PUT", &vault("kv1"), &new_vault()).is(200);
    world.manage("PUT", &hsm("hsm1"), &new_hsm()).is(202);
    world
}

impl World {
    fn claims(&self, audience: &str, subject: &str) -> Value {
        let now = self.site.identity.now().0;
        json!({ "iss": ISSUER, "aud": audience, "sub": subject, "iat": now, "nbf": now, "exp": now + 3600 })
    }

    /// The administrator, as the provider knows them.
    fn admin(&self, audience: &str) -> Value {
        let mut claims = self.claims(audience, "admin");
        claims["oid"] = json!(ADMIN);
        claims
    }

    fn manage(&self, method: &str, path: &str, body: &Value) -> Answer {
        let token = self.rsa.token(&self.admin(MANAGER));
        let uri = format!(
            "{path}?api-version={}",
            if path.contains("roleAssignments") { "2022-04-01" } else { "2024-11-01" }
        );
        self.site.resource_manager(request(ARM, method, &uri, Some(&token), body.to_string().as_bytes()))
    }

    fn list_keys(&self, host: &str, token: &str) -> Answer {
        self.site.data_plane(host, request(host, "GET", "/keys?api-version=7.6", Some(token), b""))
    }

    fn list_groups(&self, token: &str) -> Answer {
        let uri = format!("/subscriptions/{SUBSCRIPTION}/resourcegroups?api-version=2024-11-01");
        self.site.resource_manager(request(ARM, "GET", &uri, Some(token), b""))
    }

    /// What each front says to a token of its audience.
    fn everywhere(&self, token: impl Fn(&str) -> String) -> [Answer; 3] {
        [self.list_keys(VAULT, &token(VAULTS)), self.list_keys(HSM, &token(HSMS)), self.list_groups(&token(MANAGER))]
    }

    fn grant(&self, name: u128, principal: Guid) {
        let definition = format!(
            "/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{}",
            role("Key Vault Crypto User")
        );
        let path =
            format!("{}/providers/Microsoft.Authorization/roleAssignments/{}", vault("kv1"), Guid::from_u128(name));
        let body = json!({ "properties": { "roleDefinitionId": definition, "principalId": principal } });
        self.manage("PUT", &path, &body).is(201);
    }
}

#[test]
fn a_token_of_the_provider_opens_what_its_subjects_roles_say() {
    let world = world(true);
    for key in [&world.rsa, &world.ec] {
        assert_eq!(
            world.everywhere(|audience| key.token(&world.admin(audience))).map(|answer| answer.status),
            [200; 3]
        );
    }
    let anywhere = world.everywhere(|_| world.rsa.token(&world.admin("api://strongroom/")));
    assert_eq!(anywhere.map(|answer| answer.status), [200; 3]);
    let of = |subject: &str| world.list_keys(VAULT, &world.rsa.token(&world.claims(VAULTS, subject)));
    // Whoever is refused is told the object id that a role can be given to.
    let refused = of("alice").refused(403, "Forbidden");
    let alice = subject_id(ISSUER, "alice");
    assert!(refused.message().contains(&format!("oid={alice};iss={ISSUER}")), "{}", refused.message());
    world.grant(1, alice);
    of("alice").is(200);
    of("bob").is(403);
    of(&NOBODY.to_string()).is(403);
}

#[test]
fn the_directory_may_know_a_subject_and_puts_them_into_its_groups() {
    let world = world(true);
    let (alice, site) = (subject_id(ISSUER, "alice"), &world.site);
    // One token throughout.
    let token = world.rsa.token(&world.claims(VAULTS, "alice"));
    let status = || world.list_keys(VAULT, &token).status;
    let group = site.graph(ADMIN, "POST", "/groups", &json!({ "displayName": "Operators" })).is(201).body;
    let group = group["id"].as_str().unwrap();
    world.grant(1, Guid::parse(group).unwrap());
    assert_eq!(status(), 403);
    let user = json!({ "id": alice, "displayName": "Alice", "userPrincipalName": "alice@example.com" });
    site.graph(ADMIN, "POST", "/users", &user).is(201);
    let member = json!({ "@odata.id": format!("https://graph.microsoft.com/v1.0/users/{alice}") });
    site.graph(ADMIN, "POST", &format!("/groups/{group}/members/$ref"), &member).is(204);
    assert_eq!(status(), 200);
    let path = format!("/users/{alice}");
    site.graph(ADMIN, "PATCH", &path, &json!({ "accountEnabled": false })).is(204);
    let refused = world.list_keys(VAULT, &token).refused(401, "Unauthorized");
    assert!(refused.claims().contains("nbf"));
    site.graph(ADMIN, "PATCH", &path, &json!({ "accountEnabled": true })).is(204);
    assert_eq!(status(), 200);
    // Whom the directory does not know, the provider still vouches for: with what the token itself says.
    site.graph(ADMIN, "DELETE", &path, &Value::Null).is(204);
    assert_eq!(status(), 403);
    world.grant(2, alice);
    assert_eq!(status(), 200);
}

#[test]
fn a_role_of_a_group_is_its_members_by_claim() {
    let world = world(true);
    let numbered = Guid::from_u128(77);
    world.grant(1, group_id(ISSUER, "operators"));
    world.grant(2, numbered);
    let of = |groups: Value| {
        let mut claims = world.claims(VAULTS, "carol");
        claims["groups"] = groups;
        world.list_keys(VAULT, &world.rsa.token(&claims)).status
    };
    assert_eq!(of(json!(["others", "operators"])), 200);
    assert_eq!(of(json!([numbered])), 200);
    assert_eq!([of(json!([])), of(json!(["Operators"])), of(Value::Null)], [403; 3]);
    // Who is called like the group is not in it.
    world.list_keys(VAULT, &world.rsa.token(&world.claims(VAULTS, "operators"))).is(403);
}

/// Every front refuses the token of its audience with 401, the documented message and a challenge that names the provider.
fn assert_refused(world: &World, what: &str, token: impl Fn(&str) -> String, message: &str) {
    let [vault, hsm, manager] = world.everywhere(token);
    for answer in [&vault, &hsm, &manager] {
        assert_eq!(answer.status, 401, "{what}: {}", answer.body);
    }
    assert_eq!((vault.error(), vault.message()), ((401, "Unauthorized"), message), "{what}");
    let of_hsm = message.replace("https://vault.localhost", "https://managedhsm.localhost");
    assert!(hsm.message().starts_with(&format!("{of_hsm} (Activity ID: ")), "{what}: {}", hsm.message());
    for answer in [&vault, &hsm] {
        let challenge = format!("Bearer authorization=\"{ISSUER}\", resource=\"https://");
        assert!(answer.header("www-authenticate").starts_with(&challenge), "{what}");
    }
    let challenge = format!("Bearer authorization_uri=\"{ISSUER}\", error=\"");
    assert!(manager.header("www-authenticate").starts_with(&challenge), "{what}");
    assert!(manager.error().1.contains("Authentication"), "{what}: {}", manager.body);
}

const MALFORMED: &str = "The token is malformed.";

#[test]
fn every_claim_that_is_not_right_is_refused_in_its_documented_words() {
    let world = world(false);
    let now = world.site.identity.now().0;
    let issuer = format!("AKV10032: Invalid issuer. Expected one of {ISSUER}, found https://evil.example.");
    let audience = "AKV10022: Invalid audience. Expected https://vault.localhost:8443, found: https://elsewhere.";
    for (name, value, message) in [
        ("iss", json!("https://evil.example"), issuer.as_str()),
        ("iss", Value::Null, MALFORMED),
        ("aud", json!("https://elsewhere"), audience),
        ("aud", json!(["https://elsewhere"]), audience),
        ("tid", json!(Guid::from_u128(9)), "The token is from another tenant."),
        ("exp", json!(now - 301), "The token has expired."),
        ("exp", Value::Null, MALFORMED),
        ("nbf", json!(now + 400), "Token not yet valid"),
        ("iat", json!(now + 400), "Token not yet valid"),
        ("oid", json!(5), MALFORMED),
        ("groups", json!({}), MALFORMED),
        ("filler", json!("x".repeat(16 * 1024)), MALFORMED),
    ] {
        for key in [&world.rsa, &world.ec] {
            let token = |audience: &str| {
                let mut claims = world.admin(audience);
                claims[name] = value.clone();
                key.token(&claims)
            };
            assert_refused(&world, name, token, message);
        }
    }
}

#[test]
fn every_signature_that_does_not_hold_is_refused() {
    let world = world(false);
    let (unknown, algorithm) =
        ("The token is signed with an unknown key.", "The signature algorithm of the token is not accepted.");
    for (header, message) in [
        (json!({ "alg": "RS256", "kid": "e" }), algorithm),
        (json!({ "alg": "PS256", "kid": "r" }), algorithm),
        (json!({ "alg": "RS512", "kid": "r" }), algorithm),
        (json!({ "alg": "ES256", "kid": "e" }), unknown),
        (json!({ "alg": "RS256", "kid": "nobody's" }), unknown),
        (json!({ "alg": "RS256", "kid": "r", "crit": ["exp"] }), MALFORMED),
        (json!({ "alg": "RS256", "kid": "r", "typ": "logout+jwt" }), MALFORMED),
        (json!({ "alg": ["RS256"], "kid": "r" }), MALFORMED),
    ] {
        // Signed with the RSA key, and RS256, whatever the header says.
        let token = |audience: &str| world.rsa.token_with(&header, &world.admin(audience));
        assert_refused(&world, &header.to_string(), token, message);
    }
    let stranger = TokenKey::rsa("stranger", SignatureAlgorithm::Rs256, 1);
    assert_refused(&world, "stranger", |audience| stranger.token(&world.admin(audience)), unknown);
    let impostor = TokenKey::rsa("r", SignatureAlgorithm::Rs256, 1);
    assert_refused(&world, "impostor", |audience| impostor.token(&world.admin(audience)), unknown);
    for (header, message) in [
        (json!({ "alg": "none", "kid": "r" }), algorithm),
        (json!({ "alg": "None" }), algorithm),
        (json!({ "alg": "" }), algorithm),
        (json!({ "alg": "RS256", "kid": "r" }), unknown),
    ] {
        let token = |audience: &str| unsigned_token(&header, &world.admin(audience));
        assert_refused(&world, &header.to_string(), token, message);
    }
    for (alg, message) in [("HS256", algorithm), ("RS256", unknown)] {
        let header = json!({ "alg": alg, "kid": "r" });
        let token = |audience: &str| hmac_token(&header, &world.admin(audience), &world.rsa.public_bytes());
        assert_refused(&world, alg, token, message);
    }
    assert_refused(&world, "garbage", |_| "a.b.c".to_owned(), MALFORMED);
}

#[test]
fn a_claim_that_is_there_twice_is_refused() {
    let world = world(true);
    let claims = world.admin(VAULTS).to_string();
    let doubled = claims.replacen('{', &format!("{{\"oid\":\"{NOBODY}\","), 1);
    // Signed over the text itself, which no JSON library would write.
    let token = world.rsa.token_over(&json!({ "alg": "RS256", "kid": "r" }).to_string(), &doubled);
    assert_eq!(world.list_keys(VAULT, &token).is(401).message(), "The token is malformed.");
    world.list_keys(VAULT, &world.rsa.token_over(&json!({ "alg": "RS256", "kid": "r" }).to_string(), &claims)).is(200);
}

#[test]
fn neither_issuer_can_speak_for_the_other() {
    let world = world(true);
    let own = world.site.token(ADMIN, VAULTS);
    world.list_keys(VAULT, &own).is(200);
    let read = |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
    let mut parts = own.split('.');
    let (header, claims) = (read(parts.next().unwrap()), read(parts.next().unwrap()));
    // The provider's key under our name and our key's id.
    let refused = |token: &str| world.list_keys(VAULT, token).is(401).message().to_owned();
    let unknown = "The token is signed with an unknown key.";
    assert_eq!(refused(&world.ec.token_with(&header, &claims)), unknown);
    assert_eq!(refused(&world.ec.token(&claims)), unknown);
    // The provider's name over our key's id.
    let mut header = header;
    assert_eq!(refused(&world.ec.token_with(&header, &world.admin(VAULTS))), unknown);
    header["kid"] = json!("e");
    world.list_keys(VAULT, &world.ec.token_with(&header, &world.admin(VAULTS))).is(200);
    // An issuer that is neither is told of both.
    let mut foreign = claims;
    foreign["iss"] = json!("https://evil.example");
    let expected = format!("https://sts.windows.net/{TENANT}/, {ISSUER}");
    let message = format!("AKV10032: Invalid issuer. Expected one of {expected}, found https://evil.example.");
    assert_eq!(refused(&world.ec.token(&foreign)), message);
}

#[test]
fn without_the_embedded_issuer_nobody_signs_in_here() {
    let world = world(false);
    // A token of an installation of this tenant that has its own issuer.
    let own = Site::empty().token(ADMIN, VAULTS);
    let refused = world.list_keys(VAULT, &own).is(401);
    let message =
        format!("AKV10032: Invalid issuer. Expected one of {ISSUER}, found https://sts.windows.net/{TENANT}/.");
    assert_eq!(refused.message(), message);
    assert!(!world.site.identity.issues_tokens() && world.site.identity.jwks().keys.is_empty());

    let local = [127, 0, 0, 1];
    for (method, path) in [
        ("GET", format!("/{TENANT}/v2.0/.well-known/openid-configuration")),
        ("GET", "/common/discovery/keys".to_owned()),
        ("GET", "/common/discovery/instance?authorization_endpoint=https://localhost:8443/common/".to_owned()),
        ("GET", format!("/{TENANT}/oauth2/v2.0/authorize")),
        ("POST", format!("/{TENANT}/oauth2/v2.0/devicecode")),
        ("POST", format!("/{TENANT}/oauth2/token")),
        ("POST", "/adfs/oauth2/token".to_owned()),
    ] {
        let answer =
            world.site.sign_in(request(ARM, method, &path, None, b"grant_type=client_credentials"), local).is(400);
        assert_eq!(answer.body["error"], "invalid_request", "{path}");
        let description = answer.body["error_description"].as_str().unwrap();
        assert!(description.contains(&format!("takes tokens of '{ISSUER}'")), "{description}");
    }
    // The site names a managed identity, and yet there is none.
    let mut machine = request(
        ARM,
        "GET",
        &format!("/metadata/identity/oauth2/token?api-version=2018-02-01&resource={VAULTS}"),
        None,
        b"",
    );
    machine.headers_mut().insert("metadata", "true".parse().unwrap());
    assert_eq!(world.site.sign_in(machine, local).is(400).body["error_description"], "Identity not found");
}

#[test]
fn addresses_say_where_to_sign_in() {
    let login = |world: &World, host: &str| {
        let uri = "/metadata/endpoints?api-version=2022-09-01";
        let answer = world.site.resource_manager(request(host, "GET", uri, None, b"")).is(200);
        answer.body["authentication"]["loginEndpoint"].as_str().unwrap().to_owned()
    };
    let off = world(false);
    assert_eq!(login(&off, ARM), ISSUER);
    assert_eq!(login(&off, "management.azure.com"), ISSUER);
    let missing = off.site.data_plane(VAULT, request(VAULT, "GET", "/keys", None, b"")).is(401);
    assert_eq!(missing.header("www-authenticate"), format!("Bearer authorization=\"{ISSUER}\", resource=\"{VAULTS}\""));
    let both = world(true);
    assert_eq!(login(&both, ARM), "https://localhost:8443/adfs");
    let missing = both.site.data_plane(VAULT, request(VAULT, "GET", "/keys", None, b"")).is(401);
    assert!(missing.header("www-authenticate").starts_with(&format!("Bearer authorization=\"{MANAGER}/{TENANT}\"")));
}

#[test]
fn a_new_key_is_learned_by_the_first_token_that_names_it() {
    let world = world(true);
    let (old, new) = (&world.rsa, TokenKey::rsa("r2", SignatureAlgorithm::Rs256, 1));
    let old_token = old.token(&world.admin(VAULTS));
    world.list_keys(VAULT, &old_token).is(200);
    let before = world.published.fetches();
    world.site.clock.advance(60);
    world.published.keys(&[&new]);
    world.list_keys(VAULT, &old_token).is(200);
    world.list_keys(VAULT, &new.token(&world.admin(VAULTS))).is(200);
    assert_eq!(world.published.fetches(), before + 1);
    // The old key is gone with the refresh, and with it the token that was remembered.
    let refused = world.list_keys(VAULT, &old_token).is(401);
    assert_eq!(refused.message(), "The token is signed with an unknown key.");
    assert!(refused.claims().contains("nbf"), "a client fetches another token by itself");
    world.list_keys(VAULT, &old.token(&world.admin(VAULTS))).is(401);
    // Made-up keys ask once every ten seconds, however many there are.
    world.site.clock.advance(60);
    let before = world.published.fetches();
    for number in 0..20 {
        let stranger = TokenKey::ec(&format!("stranger-{number}"), Curve::P256);
        world.list_keys(VAULT, &stranger.token(&world.admin(VAULTS))).is(401);
        world.list_keys(HSM, &stranger.token(&world.admin(HSMS))).is(401);
        world.list_groups(&stranger.token(&world.admin(MANAGER))).is(401);
    }
    // The clock runs on by itself while this does.
    assert!((1..=2).contains(&(world.published.fetches() - before)));
}

#[test]
fn everybody_waits_for_one_fetch() {
    const CALLERS: usize = 8;
    let world = world(true);
    world.site.clock.advance(60);
    let new = TokenKey::ec("e2", Curve::P256);
    world.published.keys(&[&new]);
    let before = world.published.fetches();
    let gate = Arc::new(Barrier::new(2));
    *world.published.gate.lock().unwrap() = Some(Arc::clone(&gate));
    let token = new.token(&world.admin(VAULTS));
    thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(|| world.list_keys(VAULT, &token).status)).collect();
        // Whoever asks meanwhile finds the fetch under way; the provider answers once somebody lets it.
        gate.wait();
        for caller in callers {
            assert_eq!(caller.join().unwrap(), 200);
        }
    });
    assert_eq!(world.published.fetches(), before + 1);
}

#[test]
fn a_provider_that_is_away_for_a_day_is_trusted_no_longer() {
    let world = world(true);
    let token = |seconds: i64| {
        let mut claims = world.admin(VAULTS);
        claims["exp"] = json!(world.site.identity.now().0 + seconds);
        world.rsa.token(&claims)
    };
    let long = token(7 * 86_400);
    world.list_keys(VAULT, &long).is(200);
    *world.published.jwks.lock().unwrap() = None;
    world.site.clock.advance(86_400 - 600);
    world.list_keys(VAULT, &long).is(200);
    world.list_keys(VAULT, &token(3600)).is(200);
    world.site.clock.advance(600);
    for stale in [long.clone(), token(3600)] {
        let refused = world.list_keys(VAULT, &stale).is(401);
        assert_eq!(refused.message(), "The keys of the token's issuer can't be had. Try again later.");
        assert_eq!(refused.claims(), "", "a new token would be no better");
    }
    // Our own tokens do not mind.
    world.list_keys(VAULT, &world.site.token(ADMIN, VAULTS)).is(200);
    world.published.keys(&[&world.rsa]);
    world.site.clock.advance(60);
    world.list_keys(VAULT, &long).is(200);
}

#[test]
fn a_schedule_is_kept_without_anybody_asking() {
    let world = world(true);
    world.site.identity.refresh_keys();
    assert!(!world.site.identity.keys_are_due());
    let before = world.published.fetches();
    world.site.clock.advance(3600);
    assert!(world.site.identity.keys_are_due());
    world.published.keys(&[&world.ec]);
    let remembered = world.rsa.token(&world.admin(VAULTS));
    world.list_keys(VAULT, &remembered).is(200);
    world.site.identity.refresh_keys();
    assert_eq!(world.published.fetches(), before + 1);
    world.list_keys(VAULT, &remembered).is(401);
    assert!(SystemClock.now() < world.site.identity.now());
}
