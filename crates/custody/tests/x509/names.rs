//! Alternative names and usages: which are refused, and what names do where there is no subject.

use super::{VALIDITY, entropy, of_authority, properties, refused, request, signer, texts, with_subject, written};
use custody::{
    Error, SoftwareProvider,
    conformance::keys::{ec_keys, refusal},
    x509::{Certificate, check_changes, issue, self_signed},
};
use domain::{AlternativeNames, Refusal, X509Properties};

#[test]
fn alternative_names_and_usages_that_are_none_are_refused() {
    type Member = fn(&mut X509Properties) -> &mut Vec<String>;
    let members: [(&str, Member, &[&str], &[&str]); 6] = [
        (
            "dns_names",
            |properties| &mut properties.names.dns_names,
            &["localhost", "*.a.b", "xn--bcher-kva.example", "_dmarc.a", "1.2.3.4.in-addr.arpa"],
            &["", ".", "a.", ".a", "a..b", "-a.b", "a-.b", "*", "a.*.b", "*a.b", "ü.de", "a b", "a,b", "a\0.b"],
        ),
        (
            "emails",
            |properties| &mut properties.names.emails,
            &["a@b", "first.last+tag@contoso.com"],
            &["", "a", "@b", "a@", "a@b@c", "a b@c", "ü@b.c", "a@b..c"],
        ),
        (
            "upns",
            |properties| &mut properties.names.upns,
            &["a@b", "ü@contoso"],
            &["", "a", "@b", "a@", "a b@c", "a\n@b"],
        ),
        (
            "uris",
            |properties| &mut properties.names.uris,
            &["https://a/b", "urn:uuid:1", "spiffe://a/b"],
            &["", "a", "/a", ":a", "1a:b", "https:", "https://a b", "https://ü"],
        ),
        (
            "ipAddresses",
            |properties| &mut properties.names.ip_addresses,
            &["1.2.3.4", "::1"],
            &["", "1.2.3", "1.2.3.4/8", "a", "[::1]"],
        ),
        (
            "ekus",
            |properties| &mut properties.ekus,
            &["1.3.6.1.5.5.7.3.2", "2.5.29.37.0"],
            &["", "a", "1", "1.", ".1", "1..2", "3.1", "1.40", "serverAuth", "1.2.x"],
        ),
    ];
    for (name, member, good, bad) in members {
        for value in good {
            let mut properties = properties();
            *member(&mut properties) = texts(&[value]);
            assert_eq!(refused(&properties), None, "{name} {value}");
        }
        for value in bad {
            let mut properties = properties();
            member(&mut properties).push((*value).to_owned());
            assert_eq!(refused(&properties), Some(name), "{name} {value}");
        }
    }
    let long = format!("{}.{}", "a".repeat(63), "b".repeat(63));
    let with = |name: String| X509Properties {
        names: AlternativeNames { dns_names: vec![name], ..AlternativeNames::default() },
        ..properties()
    };
    assert_eq!(refused(&with(format!("{long}.{long}"))), Some("dns_names"), "255 characters");
    assert_eq!(refused(&with(long)), None);
    assert_eq!(refused(&with("a".repeat(64))), Some("dns_names"));
}

/// RFC 5280 §4.2.1.6: the extension is critical if, and only if, there is no subject.
#[test]
fn alternative_names_are_critical_without_a_subject() {
    const NOT_CRITICAL: &[u8] = b"\x06\x03\x55\x1d\x11\x04";
    const CRITICAL: &[u8] = b"\x06\x03\x55\x1d\x11\x01\x01\xff\x04";
    let has = |der: &[u8], part: &[u8]| der.windows(part.len()).any(|window| window == part);
    let (_, named) = written("CN=a");
    assert!(has(&named, NOT_CRITICAL) && !has(&named, CRITICAL));
    let key = &ec_keys(&SoftwareProvider)[0];
    let root = of_authority(key, "CN=root");
    let unnamed = issue(&request(key, &with_subject("")), &root, &*key.handle, VALIDITY, &entropy()).unwrap();
    assert!(Certificate::read(&unnamed).unwrap().subject.is_empty() && has(&unnamed, CRITICAL));
}

/// RFC 5280 §4.1.2.4: an issuer has a name.
#[test]
fn what_signs_itself_without_a_subject_is_called_by_an_alternative_name() {
    let key = &ec_keys(&SoftwareProvider)[0];
    let signed = |names| {
        let properties = X509Properties { names, ..with_subject("") };
        let der = self_signed(&properties, VALIDITY, signer(key), &entropy())?;
        let read = Certificate::read(&der)?;
        assert_eq!((&read.issuer, &read.properties().names), (&read.subject, &properties.names));
        Ok::<_, Error>(read.subject)
    };
    let none = AlternativeNames::default();
    assert_eq!(signed(properties().names).unwrap(), "CN=www.contoso.com");
    assert_eq!(
        signed(AlternativeNames { upns: texts(&["a+b@contoso.com"]), ..none.clone() }).unwrap(),
        "CN=\"a+b@contoso.com\""
    );
    let long = format!("{}.contoso.com", "a".repeat(60));
    let dns_names = texts(&[&long]);
    let other = AlternativeNames { dns_names, ip_addresses: texts(&["10.0.0.1"]), ..none };
    assert_eq!(signed(other.clone()).unwrap(), "CN=10.0.0.1");
    let refusal = refusal(signed(AlternativeNames { ip_addresses: Vec::new(), ..other }));
    assert!(matches!(refusal, Refusal::ParameterInvalid { parameter: "subject", .. }));
}

#[test]
fn only_what_is_changed_is_to_be_encodable() {
    let odd = X509Properties {
        subject: "no name".to_owned(),
        names: AlternativeNames { dns_names: texts(&["no name"]), ..AlternativeNames::default() },
        ekus: texts(&["no identifier"]),
        ..properties()
    };
    assert_eq!(check_changes(&odd, &X509Properties { validity_months: 7, ..odd.clone() }), Ok(()));
    for (changed, wrong) in [
        (X509Properties { subject: "none either".to_owned(), ..odd.clone() }, "subject"),
        (X509Properties { ekus: texts(&["none either"]), ..odd.clone() }, "ekus"),
        (
            X509Properties {
                names: AlternativeNames { emails: texts(&["ä@b"]), ..AlternativeNames::default() },
                ..odd.clone()
            },
            "emails",
        ),
    ] {
        let refusal = check_changes(&odd, &changed).unwrap_err();
        assert!(matches!(refusal, Refusal::ParameterInvalid { parameter, .. } if parameter == wrong), "{wrong}");
    }
}
