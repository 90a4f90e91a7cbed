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
const ISSUER: Names = &[("certificateTransparency", "cert_transparency"), ("certificateType", "cty"), ("name", "name")];
const TRIGGER: Names = &[("daysBeforeExpiry", "days_before_expiry"), ("lifetimePercentage", "lifetime_percentage")];
const ACTION: Names = &[("actionType", "action_type")];
const ATTRIBUTES: Names = &[("enabled", "enabled")];

/// Reads the policy of an option, in camel case or snake case, into the form of the wire.
pub fn read(option: &str) -> Result<Map<String, Value>, ClientError> {
    let policy = json_or_file("--policy", option)?;
    if !policy.is_object() {
        return Err(ClientError::Usage("--policy should be a JSON object, or @FILE with one.".into()));
    }
    let mut wire = Map::new();
    let subject = member(&policy, "x509CertificateProperties");
    let mut x509 = to_wire(subject, SUBJECT);
    insert(&mut x509, "sans", to_wire(member(subject, "subjectAlternativeNames"), SUBJECT_NAMES));
    insert(&mut wire, "x509_props", x509);
    for (az, name, names) in [
        ("keyProperties", "key_props", KEY),
        ("secretProperties", "secret_props", SECRET),
        ("issuerParameters", "issuer", ISSUER),
        ("attributes", "attributes", ATTRIBUTES),
    ] {
        insert(&mut wire, name, to_wire(member(&policy, az), names));
    }
    let actions = member(&policy, "lifetimeActions").as_array().map(Vec::as_slice).unwrap_or_default();
    if !actions.is_empty() {
        let actions = actions.iter().map(|each| {
            let trigger = to_wire(member(each, "trigger"), TRIGGER);
            json!({ "action": to_wire(member(each, "action"), ACTION), "trigger": trigger })
        });
        wire.insert("lifetime_actions".into(), actions.collect());
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
    subject["subjectAlternativeNames"] = to_az(&x509["sans"], SUBJECT_NAMES);
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
    let mut snake = String::new();
    for each in camel.chars() {
        if each.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(each.to_ascii_lowercase());
    }
    value.get(camel).or_else(|| value.get(snake)).unwrap_or(&Value::Null)
}

/// What is said, by the names of the wire.
fn to_wire(part: &Value, names: Names) -> Map<String, Value> {
    let members = names.iter().map(|(az, wire)| ((*wire).to_owned(), member(part, az)));
    members.filter(|(name, value)| says_something(name, value)).map(|(name, value)| (name, value.clone())).collect()
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
