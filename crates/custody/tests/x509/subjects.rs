//! Subjects: read as people write them, encoded, and refused if they are none.

use super::{refused, with_subject, written};
use domain::{AlternativeNames, X509Properties};

fn without_names(subject: &str) -> X509Properties {
    X509Properties { names: AlternativeNames::default(), ..with_subject(subject) }
}

#[test]
fn subjects_are_read_as_people_write_them() {
    for (subject, normal) in [
        ("CN=contoso.com", "CN=contoso.com"),
        ("cn=contoso.com,o=Contoso", "CN=contoso.com, O=Contoso"),
        ("  CN = contoso.com ;  O = Contoso  Group ", "CN=contoso.com, O=Contoso  Group"),
        ("CN=a, OU=b, O=c, L=Redmond, ST=WA, C=US", "CN=a, OU=b, O=c, L=Redmond, S=WA, C=US"),
        ("C=US, S=WA, CN=a", "C=US, S=WA, CN=a"),
        ("emailAddress=a@b.c, CN=x", "E=a@b.c, CN=x"),
        ("E=a@b.c,CN=x", "E=a@b.c, CN=x"),
        ("CN=x, DC=contoso, DC=com", "CN=x, DC=contoso, DC=com"),
        ("serialNumber=12-34, CN=x", "SERIALNUMBER=12-34, CN=x"),
        ("2.5.4.3=x", "CN=x"),
        ("OID.2.5.4.97=VATDE-1, CN=x", "OID.2.5.4.97=VATDE-1, CN=x"),
        ("oid.1.2.840.113549.1.9.2=n", "OID.1.2.840.113549.1.9.2=n"),
        (r#"O="Contoso, Ltd""#, r#"O="Contoso, Ltd""#),
        (r#"O="a ""b"" c""#, r#"O="a ""b"" c""#),
        (r"O=Contoso\, Ltd", r#"O="Contoso, Ltd""#),
        (r"O=Contoso\2C Ltd", r#"O="Contoso, Ltd""#),
        (r"O=\C3\BCber", "O=über"),
        (r"CN=a\\b", r#"CN="a\\b""#),
        (r"CN=\ a\ ", "CN=\" a \""),
        ("CN=\"a \"", "CN=\"a \""),
        ("CN=#0C0161", "CN=a"),
        ("CN=#1E020061", "CN=a"),
        ("CN=#020101", "CN=#020101"),
        ("CN=a=b", "CN=\"a=b\""),
        ("CN=über, O=日本", "CN=über, O=日本"),
        ("CN=a+OU=b, O=c", "CN=a + OU=b, O=c"),
    ] {
        let (read, _) = written(subject);
        assert_eq!(read, normal, "{subject}");
        assert_eq!(written(&read).0, normal, "what is written reads the same");
    }
}

#[test]
fn the_innermost_part_of_a_subject_is_written_first_and_encoded_last() {
    let (_, der) = written("CN=leaf, O=group, C=US");
    let at = |text: &[u8]| der.windows(text.len()).position(|window| window == text).unwrap();
    assert!(at(b"US") < at(b"group") && at(b"group") < at(b"leaf"));
    // PrintableString for all that it can write, UTF8String for the others.
    at(b"\x06\x03\x55\x04\x06\x13\x02US");
    at(b"\x06\x03\x55\x04\x03\x13\x04leaf");
    for (subject, value) in [
        ("CN=a.b-c (d)", b"\x06\x03\x55\x04\x03\x13\x09a.b-c (d)".as_slice()),
        ("CN=*.a", b"\x06\x03\x55\x04\x03\x0c\x03*.a"),
        ("O=\u{fc}", b"\x06\x03\x55\x04\x0a\x0c\x02\xc3\xbc"),
    ] {
        let (_, der) = written(subject);
        assert!(der.windows(value.len()).any(|window| window == value), "{subject}");
    }
}

#[test]
fn subjects_that_are_none_are_refused() {
    for subject in [
        "contoso.com",
        "CN",
        "CN=",
        "CN=a,",
        "CN=a,,O=b",
        ",CN=a",
        "XY=a",
        "=a",
        "1.2.a=b",
        "9.9=a",
        "/CN=a/O=b",
        "CN=\"a",
        "CN=\"a\"b",
        "CN=a\"b",
        "CN=a\\",
        "CN=\\ff",
        "CN=#",
        "CN=#0",
        "CN=#0c05aa",
        "CN=#zz",
        "CN=a\0",
        "CN=a\nb",
        "CN=\\0Aa",
        "C=USA",
        "C=#0C03555341",
        "C=1",
        "C=ü",
        "E=ü@b.c",
        "serialNumber=a_b",
        "CN=a+",
        "CN=a+b",
    ] {
        assert_eq!(refused(&with_subject(subject)), Some("subject"), "{subject}");
    }
    assert_eq!(refused(&with_subject(&format!("CN={}", "é".repeat(64)))), None);
    assert_eq!(refused(&with_subject(&format!("CN={}", "é".repeat(65)))), Some("subject"), "ub-common-name");
    assert_eq!(refused(&with_subject(&vec!["CN=a"; 64].join(","))), None);
    assert_eq!(refused(&with_subject(&vec!["CN=a"; 65].join(","))), Some("subject"));
    assert_eq!(refused(&without_names("")), Some("subject"), "neither subject nor names");
}
