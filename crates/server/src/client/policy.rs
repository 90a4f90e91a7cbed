//! The policy of a certificate: as az spells it, in its files and in what it prints, and as the wire does.

use serde_json::{Map, Value, json};

use super::error::ClientError;
use super::values::json_or_file;

/// Names of members in az and on the wire.
type Names = &'static [(&'static str, &'static str)];

const KEY: Names = &[
    ("curve", "crv"),
    ("exportable", "exportable"),
    ("keySize", "key_size"),
    ("keyType", "kty"),
    ("reuseKey", "reuse_key"),
];
const SECRET: Names = &[("contentType", "contentType")];
const SUBJECT: Names =
    &[("ekus", "ekus"), ("keyUsage", "key_usage"), ("subject", "subject"), ("validityInMonths", "validity_months")];
const SUBJECT_NAMES: Names = &[("dnsNames", "dns_names"), ("emails", "emails"), ("upns", "upns")];
/// az has no words for them yet; they are those that it would have by its own rule.
const NEWER_SUBJECT_NAMES: Names = &[("ipAddresses", "ipAddresses"), ("uris", "uris")];
const ISSUER: Names = &[("certificateTransparency", "cert_transparency"), ("certificateType", "cty"), ("name", "name")];
const TRIGGER: Names = &[("daysBeforeExpiry", "days_before_expiry"), ("lifetimePercentage", "lifetime_percentage")];
const ACTION: Names = &[("actionType", "action_type")];
const ATTRIBUTES: Names = &[("enabled", "enabled")];
const TOLD_ATTRIBUTES: &[&str] = &["created", "expires", "notBefore", "recoverableDays", "recoveryLevel", "updated"];

/// Reads the policy of an option, in camel case or snake case, into the form of the wire. Nothing in it is passed over but
/// what the server says of a policy and nobody can set.
pub fn read(option: &str) -> Result<Map<String, Value>, ClientError> {
    let policy = json_or_file("--policy", option)?;
    if !policy.is_object() {
        return Err(ClientError::Usage("--policy should be a JSON object, or @FILE with one.".into()));
    }
    const SIMPLE: [(&str, &str, Names); 4] = [
        ("keyProperties", "key_props", KEY),
        ("secretProperties", "secret_props", SECRET),
        ("issuerParameters", "issuer", ISSUER),
        ("attributes", "attributes", ATTRIBUTES),
    ];
    let others = ["id", "lifetimeActions", "x509CertificateProperties"];
    refuse_unknown(&policy, &SIMPLE.map(|(az, ..)| az).into_iter().chain(others).collect::<Vec<_>>())?;
    let mut wire = Map::new();
    let subject = member(&policy, "x509CertificateProperties");
    let mut x509 = to_wire(subject, SUBJECT, &["subjectAlternativeNames"])?;
    let names = [SUBJECT_NAMES, NEWER_SUBJECT_NAMES].concat();
    insert(&mut x509, "sans", to_wire(member(subject, "subjectAlternativeNames"), &names, &[])?);
    insert(&mut wire, "x509_props", x509);
    for (az, name, names) in SIMPLE {
        let told = if name == "attributes" { TOLD_ATTRIBUTES } else { &[] };
        insert(&mut wire, name, to_wire(member(&policy, az), names, told)?);
    }
    let actions = match member(&policy, "lifetimeActions") {
        Value::Null => &[],
        Value::Array(actions) => actions.as_slice(),
        _ => return Err(ClientError::Usage("--policy: lifetimeActions should be a list.".into())),
    };
    let actions = actions.iter().map(|each| {
        refuse_unknown(each, &["action", "trigger"])?;
        let trigger = to_wire(member(each, "trigger"), TRIGGER, &[])?;
        Ok(json!({ "action": to_wire(member(each, "action"), ACTION, &[])?, "trigger": trigger }))
    });
    let actions: Vec<Value> = actions.collect::<Result<_, ClientError>>()?;
    if !actions.is_empty() {
        wire.insert("lifetime_actions".into(), Value::Array(actions));
    }
    Ok(wire)
}

/// Sets a member of one of the policy's parts.
pub fn set(policy: &mut Map<String, Value>, part: &str, name: &str, value: Value) {
    let place = policy.entry(part).or_insert_with(|| json!({}));
    place[name] = value;
}

/// A policy as az prints it.
pub fn shown(policy: &Value, id: Value, attributes: Value) -> Value {
    let x509 = &policy["x509_props"];
    let mut subject = to_az(x509, SUBJECT);
    let mut names = to_az(&x509["sans"], SUBJECT_NAMES);
    for (az, wire) in NEWER_SUBJECT_NAMES.iter().filter(|(_, wire)| says_something(wire, &x509["sans"][wire])) {
        names[az] = x509["sans"][wire].clone();
    }
    subject["subjectAlternativeNames"] = names;
    let actions = policy["lifetime_actions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let actions = actions
        .iter()
        .map(|each| json!({ "action": to_az(&each["action"], ACTION), "trigger": to_az(&each["trigger"], TRIGGER) }));
    json!({
        "attributes": attributes,
        "id": id,
        "issuerParameters": to_az(&policy["issuer"], ISSUER),
        // az loses the curve on the way; whoever makes a policy of this one needs it.
        "keyProperties": to_az(&policy["key_props"], KEY),
        "lifetimeActions": actions.collect::<Vec<Value>>(),
        "secretProperties": to_az(&policy["secret_props"], SECRET),
        "x509CertificateProperties": subject,
    })
}

/// The issuer of a pending certificate as az prints it.
pub fn shown_issuer(issuer: &Value) -> Value {
    to_az(issuer, ISSUER)
}

/// The policy that az proposes, or its template of one with everything in it.
pub fn proposed(scaffold: bool) -> Value {
    let usage = ["cRLSign", "dataEncipherment", "digitalSignature", "keyEncipherment", "keyAgreement", "keyCertSign"];
    let mut policy = json!({
        "issuerParameters": { "certificateTransparency": null, "name": "Self" },
        "keyProperties": { "curve": null, "exportable": true, "keySize": 2048, "keyType": "RSA", "reuseKey": true },
        "lifetimeActions": [{ "action": { "actionType": "AutoRenew" }, "trigger": { "daysBeforeExpiry": 90 } }],
        "secretProperties": { "contentType": "application/x-pkcs12" },
        "x509CertificateProperties": {
            "keyUsage": usage,
            "subject": "CN=CLIGetDefaultPolicy",
            "validityInMonths": 12,
        },
    });
    if scaffold {
        policy["issuerParameters"]["certificateType"] = json!("(optional) DigiCert, GlobalSign or WoSign");
        policy["issuerParameters"]["name"] = json!("Unknown, Self, or {IssuerName}");
        policy["keyProperties"]["keyType"] = json!("(optional) RSA or RSA-HSM (default RSA)");
        policy["lifetimeActions"][0]["trigger"]["lifetimePercentage"] = Value::Null;
        policy["secretProperties"]["contentType"] = json!("application/x-pkcs12 or application/x-pem-file");
        policy["x509CertificateProperties"] = json!({
            "ekus": ["1.3.6.1.5.5.7.3.1"],
            "keyUsage": usage,
            "subject": "C=US, ST=WA, L=Redmond, O=Contoso, OU=Contoso HR, CN=www.contoso.com",
            "subjectAlternativeNames": {
                "dnsNames": ["hr.contoso.com", "m.contoso.com"],
                "emails": ["hello@contoso.com"],
                "upns": [],
            },
            "validityInMonths": 24,
        });
    }
    policy
}

/// A member by its name in camel case, or by the same name in snake case.
fn member<'a>(value: &'a Value, camel: &str) -> &'a Value {
    value.get(camel).or_else(|| value.get(snake(camel))).unwrap_or(&Value::Null)
}

fn snake(camel: &str) -> String {
    let mut snake = String::new();
    for each in camel.chars() {
        if each.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(each.to_ascii_lowercase());
    }
    snake
}

/// What is said, by the names of the wire. `others` are members that are read elsewhere, or are not for clients to set.
fn to_wire(part: &Value, names: &[(&str, &str)], others: &[&str]) -> Result<Map<String, Value>, ClientError> {
    refuse_unknown(part, &names.iter().map(|(az, _)| *az).chain(others.iter().copied()).collect::<Vec<_>>())?;
    let members = names.iter().map(|(az, wire)| ((*wire).to_owned(), member(part, az)));
    let said = members.filter(|(name, value)| says_something(name, value));
    Ok(said.map(|(name, value)| (name, value.clone())).collect())
}

/// Refuses a part of a policy with members that mean nothing here: a certificate would lack what they ask for.
fn refuse_unknown(part: &Value, known: &[&str]) -> Result<(), ClientError> {
    let members = match part {
        Value::Null => return Ok(()),
        Value::Object(members) => members,
        _ => return Err(ClientError::Usage(format!("--policy: there should be an object with {}.", known.join(", ")))),
    };
    let is_known = |name: &str| known.iter().any(|known| *known == name || snake(known) == name);
    match members.iter().find(|(name, value)| !value.is_null() && !is_known(name)) {
        None => Ok(()),
        Some((name, _)) => {
            Err(ClientError::Usage(format!("--policy: '{name}' is not known. Known are {} there.", known.join(", "))))
        }
    }
}

/// Every member, by az's names; null where nothing is said.
fn to_az(part: &Value, names: Names) -> Value {
    let shown = |wire: &str| if says_something(wire, &part[wire]) { part[wire].clone() } else { Value::Null };
    Value::Object(names.iter().map(|(az, wire)| ((*az).to_owned(), shown(wire))).collect())
}

/// As az has it, an empty list says nothing, but for that of the extended uses: there shall be none.
fn says_something(name: &str, value: &Value) -> bool {
    !value.is_null() && (name == "ekus" || value.as_array().is_none_or(|list| !list.is_empty()))
}

fn insert(body: &mut Map<String, Value>, name: &str, part: Map<String, Value>) {
    if !part.is_empty() {
        body.insert(name.to_owned(), Value::Object(part));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_in_both_cases_and_printed_in_az_s() {
        let wire = json!({
            "attributes": {"enabled": true},
            "issuer": {"name": "Self", "cty": "OV"},
            "key_props": {"kty": "EC", "crv": "P-256", "exportable": false, "reuse_key": true},
            "lifetime_actions": [{"trigger": {"lifetime_percentage": 80}, "action": {"action_type": "AutoRenew"}}],
            "secret_props": {"contentType": "application/x-pem-file"},
            "x509_props": {
                "subject": "CN=a", "sans": {"dns_names": ["a.example"]}, "ekus": ["1.3.6.1.5.5.7.3.1"],
                "key_usage": ["digitalSignature"], "validity_months": 3,
            },
        });
        let snake = json!({
            "attributes": {"enabled": true, "not_before": null},
            "issuer_parameters": {"name": "Self", "certificate_type": "OV"},
            "key_properties": {"key_type": "EC", "curve": "P-256", "exportable": false, "reuse_key": true},
            "lifetime_actions": [{"trigger": {"lifetime_percentage": 80}, "action": {"action_type": "AutoRenew"}}],
            "secret_properties": {"content_type": "application/x-pem-file"},
            "x509_certificate_properties": {
                "subject": "CN=a", "subject_alternative_names": {"dns_names": ["a.example"], "emails": []},
                "ekus": ["1.3.6.1.5.5.7.3.1"], "key_usage": ["digitalSignature"], "validity_in_months": 3,
            },
        });
        let camel = shown(&wire, json!("id"), json!({"enabled": true}));
        assert_eq!(camel["x509CertificateProperties"]["subjectAlternativeNames"]["upns"], Value::Null);
        for spelling in [snake, camel] {
            assert_eq!(Value::Object(read(&spelling.to_string()).unwrap()), wire);
        }
    }

    #[test]
    fn every_kind_of_alternative_name_is_read_and_printed() {
        let wire = json!({"x509_props": {"sans": {
            "dns_names": ["a.example"], "emails": ["a@a.example"], "upns": ["b@a.example"],
            "uris": ["spiffe://a/b"], "ipAddresses": ["192.0.2.1"],
        }}});
        let snake = json!({"x509_certificate_properties": {"subject_alternative_names": {
            "dns_names": ["a.example"], "emails": ["a@a.example"], "upns": ["b@a.example"],
            "uris": ["spiffe://a/b"], "ip_addresses": ["192.0.2.1"],
        }}});
        let camel = shown(&wire, Value::Null, Value::Null);
        let names = &camel["x509CertificateProperties"]["subjectAlternativeNames"];
        assert_eq!((&names["ipAddresses"], &names["uris"]), (&json!(["192.0.2.1"]), &json!(["spiffe://a/b"])));
        for spelling in [snake, camel] {
            assert_eq!(Value::Object(read(&spelling.to_string()).unwrap()), wire);
        }
    }

    #[test]
    fn what_means_nothing_in_a_policy_is_refused() {
        for (policy, named) in [
            (json!({"key_props": {"kty": "EC"}}), "'key_props'"),
            (json!({"keyProperties": {"kty": "EC"}}), "'kty'"),
            (json!({"keyProperties": "EC"}), "keyType"),
            (json!({"x509CertificateProperties": {"sans": {"dns_names": ["a"]}}}), "'sans'"),
            (json!({"x509CertificateProperties": {"subjectAlternativeNames": {"ips": ["::1"]}}}), "'ips'"),
            (json!({"lifetimeActions": {"action": {}}}), "lifetimeActions"),
            (json!({"lifetimeActions": [{"trigger": {"days": 30}}]}), "'days'"),
            (json!({"lifetimeActions": [{"when": 30}]}), "'when'"),
        ] {
            let Err(ClientError::Usage(said)) = read(&policy.to_string()) else { panic!("{policy} was taken") };
            assert!(said.contains(named), "{said}");
        }
        let told =
            json!({"id": "https://h/certificates/c/policy", "attributes": {"created": "2026", "updated": "2026"}});
        assert_eq!(read(&told.to_string()).unwrap(), Map::new());
        assert_eq!(read(r#"{"of a later version": null}"#).unwrap(), Map::new());
    }

    #[test]
    fn an_empty_list_says_something_only_of_extended_uses() {
        let text = r#"{"x509CertificateProperties":{"ekus":[],"keyUsage":[],"subjectAlternativeNames":{"upns":[]}},"lifetimeActions":[]}"#;
        let wire = Value::Object(read(text).unwrap());
        assert_eq!(wire, json!({"x509_props": {"ekus": []}}));
        let shown = shown(&json!({"x509_props": {"ekus": [], "key_usage": []}}), Value::Null, Value::Null);
        assert_eq!(shown["x509CertificateProperties"]["ekus"], json!([]));
        assert_eq!(shown["x509CertificateProperties"]["keyUsage"], Value::Null);
        assert_eq!(shown["lifetimeActions"], json!([]));
    }

    #[test]
    fn what_is_not_an_object_is_no_policy() {
        for text in ["[]", "CN=a", "@nowhere.json"] {
            assert!(matches!(read(text), Err(ClientError::Usage(_))), "{text}");
        }
    }

    #[test]
    fn the_proposed_policy_and_the_template_can_be_read_back() {
        for scaffold in [false, true] {
            let wire = read(&proposed(scaffold).to_string()).unwrap();
            assert_eq!(wire["key_props"]["key_size"], 2048);
            assert_eq!(wire["x509_props"]["key_usage"].as_array().unwrap().len(), 6);
        }
    }
}
