//! Sealing, the hierarchy of keys, the root key and backups, through the public interface.
#![expect(clippy::panic, reason = "helpers of tests")]

use custody::conformance::SeededEntropy;
use custody::{
    BackupBlob, Context, Entropy, Error, Fault, PassphraseParameters, Purpose, RootKey, WrappingKey, constant_time_eq,
    open_backup, seal_backup, sha256,
};
use domain::{ContainerId, Guid, Refusal, Sealed, Secret, VersionId};

fn entropy() -> SeededEntropy {
    SeededEntropy::new(1)
}

fn place() -> Context<'static> {
    Context {
        container: Some(ContainerId(Guid::from_u128(1))),
        kind: "key",
        name: "ORDERS",
        version: Some(VersionId::from_bytes([7; 16])),
        purpose: Purpose::Material,
    }
}

fn root_of(seed: u64) -> RootKey {
    let mut bytes = [0; 32];
    SeededEntropy::new(seed).fill(&mut bytes);
    RootKey::from_key_file(&bytes).unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn a_sealed_blob_opens_at_its_place() {
    let key = WrappingKey::generate(&entropy()).unwrap();
    for length in [0, 1, 16, 1000] {
        let plaintext = vec![0x5a; length];
        let sealed = key.seal(&place(), &plaintext, &entropy()).unwrap();
        assert_eq!(sealed.0.len(), 1 + 12 + length + 16);
        assert_eq!(key.open(&place(), &sealed).unwrap().expose(), plaintext);
    }
}

#[test]
fn a_blob_moved_to_another_row_does_not_open() {
    let key = WrappingKey::generate(&entropy()).unwrap();
    let sealed = key.seal(&place(), b"material", &entropy()).unwrap();
    let elsewhere = [
        Context { container: None, ..place() },
        Context { container: Some(ContainerId(Guid::from_u128(2))), ..place() },
        Context { kind: "secret", ..place() },
        Context { kind: "", name: "KEYORDERS", ..place() },
        Context { kind: "keyO", name: "RDERS", ..place() },
        Context { name: "orders", ..place() },
        Context { name: "", ..place() },
        Context { version: None, ..place() },
        Context { version: Some(VersionId::from_bytes([8; 16])), ..place() },
        Context { purpose: Purpose::ObjectKey, ..place() },
        Context { purpose: Purpose::ContainerKey, ..place() },
        Context { purpose: Purpose::SystemKey, ..place() },
        Context { purpose: Purpose::Backup, ..place() },
        Context { purpose: Purpose::BackupKey, ..place() },
    ];
    for context in elsewhere {
        assert_eq!(key.open(&context, &sealed).err(), Some(Fault::SealBroken), "{context:?}");
    }
}

#[test]
fn a_blob_sealed_by_another_key_does_not_open() {
    let one = WrappingKey::generate(&SeededEntropy::new(1)).unwrap();
    let two = WrappingKey::generate(&SeededEntropy::new(2)).unwrap();
    let sealed = one.seal(&place(), b"material", &entropy()).unwrap();
    assert_eq!(two.open(&place(), &sealed).err(), Some(Fault::SealBroken));
}

#[test]
fn a_blob_changed_or_cut_anywhere_does_not_open() {
    let key = WrappingKey::generate(&entropy()).unwrap();
    let sealed = key.seal(&place(), b"material", &entropy()).unwrap();
    for position in 0..sealed.0.len() {
        let mut changed = sealed.clone();
        changed.0[position] ^= 1;
        let due = if position == 0 { Fault::FormatUnknown } else { Fault::SealBroken };
        assert_eq!(key.open(&place(), &changed).err(), Some(due), "{position}");
        let cut = Sealed(sealed.0[..position].to_vec());
        assert_eq!(key.open(&place(), &cut).err(), Some(Fault::SealBroken), "{position}");
    }
    let longer = Sealed([sealed.0.as_slice(), &[0]].concat());
    assert_eq!(key.open(&place(), &longer).err(), Some(Fault::SealBroken));
}

#[test]
fn the_same_plaintext_seals_to_another_blob_each_time() {
    let key = WrappingKey::generate(&entropy()).unwrap();
    let entropy = entropy();
    let one = key.seal(&place(), b"material", &entropy).unwrap();
    let two = key.seal(&place(), b"material", &entropy).unwrap();
    assert_ne!(one, two);
}

/// The stored form is for ever: a change of nonce, associated data or layout must be a new format.
#[test]
fn the_format_of_a_sealed_blob_does_not_drift() {
    let root = RootKey::from_key_file(&[0xab; 31].iter().copied().chain([0xcd]).collect::<Vec<_>>()).unwrap();
    let sealed = root.as_wrapping().seal(&place(), b"material", &entropy()).unwrap();
    assert_eq!(hex::encode(&sealed.0), SEALED);
    let blob = seal_backup(&root.backup_key("vault:a:b").unwrap(), "vault:a:b", &secret("payload"), &entropy());
    assert_eq!(hex::encode(blob.unwrap()), BACKUP);
}

const SEALED: &str = "015692161d100b05e5910a2deca172164716e775bfa9c25cdedab068a03c7c5bfc54478af1";
const BACKUP: &str =
    "5352424b0100097661756c743a613a62015692161d100b05e5910a2decaae4c2dc09f9b6b24f7a099e8e85e883a9aedeca5a45bf";

#[test]
fn a_chain_of_keys_leads_from_the_root_to_the_material() {
    let (entropy, root) = (entropy(), root_of(3));
    let container = Context { kind: "vault", name: "V", version: None, purpose: Purpose::ContainerKey, ..place() };
    let object = Context { version: None, purpose: Purpose::ObjectKey, ..place() };
    let container_key = WrappingKey::generate(&entropy).unwrap();
    let object_key = WrappingKey::generate(&entropy).unwrap();
    let sealed_container = root.as_wrapping().seal_key(&container, &container_key, &entropy).unwrap();
    let sealed_object = container_key.seal_key(&object, &object_key, &entropy).unwrap();
    let material = object_key.seal(&place(), b"material", &entropy).unwrap();

    let container_key = root.as_wrapping().open_key(&container, &sealed_container).unwrap();
    let object_key = container_key.open_key(&object, &sealed_object).unwrap();
    assert_eq!(object_key.open(&place(), &material).unwrap().expose(), b"material");
    assert_eq!(root.as_wrapping().open_key(&object, &sealed_container).err(), Some(Fault::SealBroken));
    assert_eq!(root.as_wrapping().open_key(&object, &sealed_object).err(), Some(Fault::SealBroken));
}

#[test]
fn a_sealed_text_is_not_taken_for_a_key() {
    let key = WrappingKey::generate(&entropy()).unwrap();
    let sealed = key.seal(&place(), b"not 32 bytes", &entropy()).unwrap();
    assert_eq!(key.open_key(&place(), &sealed).err(), Some(Fault::SealBroken));
}

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

fn same_root(one: &RootKey, two: &RootKey) -> bool {
    one.seal_check(&entropy()).and_then(|check| two.verify_check(&check)).is_ok()
}

#[test]
fn a_key_file_may_be_raw_hexadecimal_or_base64() {
    let (root, text) = RootKey::new_key_file(&entropy()).unwrap();
    assert_eq!(text.expose().len(), 45);
    assert!(same_root(&root, &RootKey::from_key_file(text.expose()).unwrap()));
    let mut raw = [0; 32];
    entropy().fill(&mut raw);
    let hexadecimal = hex::encode(raw);
    for contents in [
        raw.to_vec(),
        hexadecimal.clone().into_bytes(),
        hexadecimal.to_uppercase().into_bytes(),
        format!("\n {hexadecimal}\r\n").into_bytes(),
        text.expose().trim_ascii().to_vec(),
        text.expose().trim_ascii().strip_suffix(b"=").unwrap().to_vec(),
    ] {
        assert!(same_root(&root, &RootKey::from_key_file(&contents).unwrap()), "{contents:?}");
    }
}

#[test]
fn a_key_file_that_is_none_says_why() {
    let cases: [(&[u8], &str); 8] = [
        (b"", "empty"),
        (b"\n", "empty"),
        (&[1; 31], "expected"),
        (&[0x80; 33], "expected"),
        (b"correct horse battery staple 123", "text"),
        (&[b'z'; 64], "hexadecimal"),
        (&[b'!'; 44], "base64"),
        (&[0x80; 32], "same"),
    ];
    for (contents, word) in cases {
        let fault = RootKey::from_key_file(contents).err().unwrap();
        assert!(matches!(fault, Fault::KeyFileInvalid(_)) && fault.to_string().contains(word), "{fault}");
    }
}

#[test]
fn a_wrong_root_is_noticed_before_anything_is_opened() {
    let (one, two) = (root_of(1), root_of(2));
    let check = one.seal_check(&entropy()).unwrap();
    assert_eq!(one.verify_check(&check), Ok(()));
    assert_eq!(two.verify_check(&check), Err(Fault::WrongRoot));
    assert_eq!(one.verify_check(&Sealed(vec![9; 40])), Err(Fault::FormatUnknown));
    assert_eq!(one.verify_check(&Sealed(Vec::new())), Err(Fault::WrongRoot));
}

fn cheap() -> PassphraseParameters {
    PassphraseParameters { memory_kib: 19 * 1024, iterations: 2, parallelism: 1, salt: vec![1; 16] }
}

#[test]
fn a_passphrase_and_its_parameters_give_the_same_root_again() {
    let stored = serde_json::to_string(&cheap()).unwrap();
    assert_eq!(stored, r#"{"memory_kib":19456,"iterations":2,"parallelism":1,"salt":"AQEBAQEBAQEBAQEBAQEBAQ=="}"#);
    let root = RootKey::from_passphrase(&secret("correct horse"), &cheap()).unwrap();
    let again = RootKey::from_passphrase(&secret("correct horse"), &serde_json::from_str(&stored).unwrap()).unwrap();
    assert!(same_root(&root, &again));
    let others = [
        (secret("correct Horse"), cheap()),
        (secret("correct horse"), PassphraseParameters { salt: vec![2; 16], ..cheap() }),
        (secret("correct horse"), PassphraseParameters { iterations: 3, ..cheap() }),
    ];
    for (passphrase, parameters) in others {
        assert!(!same_root(&root, &RootKey::from_passphrase(&passphrase, &parameters).unwrap()));
    }
}

#[test]
fn weak_passphrases_and_parameters_are_refused() {
    let recommended = PassphraseParameters::recommended(&entropy());
    assert_eq!((recommended.memory_kib, recommended.iterations, recommended.salt.len()), (65536, 3, 16));
    let weak = [
        (secret("short"), recommended.clone()),
        (secret("long enough"), PassphraseParameters { memory_kib: 8, ..recommended.clone() }),
        (secret("long enough"), PassphraseParameters { memory_kib: u32::MAX, ..recommended.clone() }),
        (secret("long enough"), PassphraseParameters { iterations: 1, ..recommended.clone() }),
        (secret("long enough"), PassphraseParameters { iterations: u32::MAX, ..recommended.clone() }),
        (secret("long enough"), PassphraseParameters { parallelism: 0, ..recommended.clone() }),
        (secret("long enough"), PassphraseParameters { salt: vec![1; 15], ..recommended }),
    ];
    for (passphrase, parameters) in weak {
        let fault = RootKey::from_passphrase(&passphrase, &parameters).err().unwrap();
        assert!(matches!(fault, Fault::PassphraseInvalid(_)), "{fault}");
    }
}

const SCOPE: &str = "vault:0b1f6471-1bf0-4dda-aec3-cb9272f09590:europe";

#[test]
fn a_backup_opens_in_its_scope_and_nowhere_else() {
    let root = root_of(1);
    let key = root.backup_key(SCOPE).unwrap();
    let blob = seal_backup(&key, SCOPE, &secret("payload"), &entropy()).unwrap();
    assert_eq!(BackupBlob::parse(&blob).unwrap().scope(), SCOPE);
    // Derived anew: the container it came from may be long gone.
    let again = root.backup_key(SCOPE).unwrap();
    assert_eq!(open_backup(&again, SCOPE, &blob).unwrap().expose(), b"payload");

    let invalid = Some(Error::Refused(Refusal::BackupInvalid));
    let other = "hsm:another";
    let other_key = root.backup_key(other).unwrap();
    assert_eq!(open_backup(&other_key, other, &blob).err(), invalid);
    assert_eq!(open_backup(&key, other, &blob).err(), invalid);
    assert_eq!(open_backup(&other_key, SCOPE, &blob).err(), invalid);
    let other_root = root_of(2).backup_key(SCOPE).unwrap();
    assert_eq!(open_backup(&other_root, SCOPE, &blob).err(), invalid);
}

#[test]
fn a_backup_whose_scope_was_rewritten_does_not_open() {
    let key = root_of(1).backup_key("aaaa").unwrap();
    let blob = seal_backup(&key, "aaaa", &secret("payload"), &entropy()).unwrap();
    let mut rewritten = blob.clone();
    rewritten[7..11].copy_from_slice(b"bbbb");
    assert_eq!(open_backup(&key, "bbbb", &rewritten).err(), Some(Refusal::BackupInvalid.into()));
}

#[test]
fn a_backup_changed_or_cut_anywhere_does_not_open() {
    let key = root_of(1).backup_key(SCOPE).unwrap();
    let blob = seal_backup(&key, SCOPE, &secret("payload"), &entropy()).unwrap();
    for position in 0..blob.len() {
        let mut changed = blob.clone();
        changed[position] ^= 1;
        assert_eq!(open_backup(&key, SCOPE, &changed).err(), Some(Refusal::BackupInvalid.into()), "{position}");
        let cut = &blob[..position];
        assert_eq!(open_backup(&key, SCOPE, cut).err(), Some(Refusal::BackupInvalid.into()), "{position}");
    }
}

#[test]
fn a_fingerprint_is_sha_256_and_comparison_is_exact() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(hex::encode(sha256(b"")), empty);
    assert!(constant_time_eq(&sha256(b"a"), &sha256(b"a")));
    assert!(!constant_time_eq(&sha256(b"a"), &sha256(b"b")));
    assert!(!constant_time_eq(b"a", b"ab"));
}

#[test]
fn faults_and_refusals_show_no_secret() {
    let root = RootKey::from_key_file(b"hunter2 hunter2 hunter2 hunter2!").err().unwrap();
    let passphrase = RootKey::from_passphrase(&secret("hunter2"), &cheap()).err().unwrap();
    for shown in [format!("{root} {root:?}"), format!("{passphrase} {passphrase:?}")] {
        assert!(!shown.contains("hunter2"));
    }
}
