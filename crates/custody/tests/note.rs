//! Signed notes and checkpoints: the specification's own examples, and what must not be taken for one.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, wherever in it")]

use custody::{
    conformance::SeededEntropy,
    note::{Checkpoint, NoteError, NoteSigner, NoteVerifier},
};
use domain::Secret;

/// The example of C2SP signed-note.
const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

fn signer(name: &str, seed: u64) -> NoteSigner {
    NoteSigner::generate(name, &SeededEntropy::new(seed)).unwrap().0
}

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: "strongroom/one".to_owned(), size: 70_000, root: [7; 32] }
}

#[test]
fn the_example_of_the_specification_is_verified_by_its_key() {
    let verifier: NoteVerifier = KEY.parse().unwrap();
    assert_eq!(verifier.to_string(), KEY);
    assert_eq!(verifier.name(), "example.com/foo");
    assert_eq!(verifier.open(NOTE), Ok("This is an example message.\n"));
}

#[test]
fn a_note_is_opened_by_its_signer_s_key_only() {
    let note = signer("strongroom/one", 1).sign("text\n\nwith an empty line\n");
    let open = |signer: &NoteSigner| signer.verifier().open(&note).map(str::to_owned);
    assert_eq!(open(&signer("strongroom/one", 1)).as_deref(), Ok("text\n\nwith an empty line\n"));
    assert_eq!(open(&signer("strongroom/one", 2)), Err(NoteError::NotSigned), "another key of the name");
    assert_eq!(open(&signer("strongroom/two", 1)), Err(NoteError::NotSigned), "the key under another name");
}

#[test]
fn a_seed_makes_the_same_key_again() {
    let (made, seed) = NoteSigner::generate("strongroom/one", &SeededEntropy::new(1)).unwrap();
    let again = NoteSigner::from_seed("strongroom/one", &seed).unwrap();
    assert_eq!(again.verifier(), made.verifier());
    assert_eq!(made.verifier().to_string().parse(), Ok(again.verifier().clone()));
    assert!(NoteSigner::from_seed("strongroom/one", &Secret::new(vec![1; 31])).is_err());
    for name in ["", "a b", "a+b", "a\u{2003}b", "a\n"] {
        assert!(NoteSigner::from_seed(name, &seed).is_err(), "{name:?}");
    }
}

#[test]
fn signatures_of_others_are_looked_past_and_a_wrong_one_of_ours_is_not() {
    let (ours, theirs) = (signer("strongroom/one", 1), signer("witness.example/w", 2));
    let text = checkpoint().to_string();
    let (note, other) = (ours.sign(&text), theirs.sign(&text));
    let (_, signature) = other.rsplit_once("\n\n").unwrap();
    let both = format!("{note}{signature}");
    assert_eq!(ours.verifier().open(&both), Ok(text.as_str()));
    assert_eq!(theirs.verifier().open(&both), Ok(text.as_str()));
    // A signature of ours over another text, beside a good one.
    let elsewhere = ours.sign("another text\n");
    let (_, wrong) = elsewhere.rsplit_once("\n\n").unwrap();
    assert_eq!(ours.verifier().open(&format!("{note}{wrong}")), Err(NoteError::WrongSignature));
    assert_eq!(theirs.verifier().open(&note), Err(NoteError::NotSigned));
}

#[test]
fn a_note_with_any_byte_changed_is_refused() {
    let signer = signer("strongroom/one", 1);
    let note = signer.sign(&checkpoint().to_string());
    for at in 0..note.len() {
        for bit in 0..8 {
            let mut changed = note.clone().into_bytes();
            changed[at] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(changed) else { continue };
            assert!(signer.verifier().open(&changed).is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn what_is_not_a_note_is_refused() {
    let signer = signer("strongroom/one", 1);
    let note = signer.sign("text\n");
    let signature = note.strip_prefix("text\n\n").unwrap();
    for wrong in [
        "",
        "\n",
        "text\n",
        "text\n\n",
        "text\n\nno signature\n",
        "text\n\n\u{2014} strongroom/one AAAA\n",
        "text\n\n\u{2014} strongroom/one AAAAAA\n",
        "text\n\n\u{2014}  AAAAAAAA\n",
        "te\txt\n\n\u{2014} strongroom/one AAAAAAAA\n",
        note.trim_end(),
        &format!("{note}\n"),
        &format!("text\n\n{}", signature.repeat(65)),
    ] {
        let refused = signer.verifier().open(wrong);
        assert!(matches!(refused, Err(NoteError::Malformed(_))), "{wrong:?}: {refused:?}");
    }
    assert_eq!(signer.verifier().open(&format!("text\n\n{}", signature.repeat(64))), Ok("text\n"));
}

#[test]
fn what_is_not_a_verifier_key_is_refused() {
    for wrong in [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U0=",
        "example.com/foo+530d903a+!",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ] {
        assert!(matches!(wrong.parse::<NoteVerifier>(), Err(NoteError::NotVerifier(_))), "{wrong}");
    }
}

#[test]
fn a_checkpoint_has_three_lines() {
    let text = checkpoint().to_string();
    assert_eq!(text, "strongroom/one\n70000\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n");
    assert_eq!(text.parse(), Ok(checkpoint()));
    assert_eq!(format!("{text}an extension\n").parse(), Ok(checkpoint()));
    let empty = Checkpoint { size: 0, ..checkpoint() };
    assert_eq!(empty.to_string().parse(), Ok(empty));
}

#[test]
fn what_is_not_a_checkpoint_is_refused() {
    const ROOT: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    for wrong in [
        String::new(),
        "origin\n5\n".to_owned(),
        format!("origin\n5\n{ROOT}"),
        format!("\n5\n{ROOT}\n"),
        format!("origin\n05\n{ROOT}\n"),
        format!("origin\n+5\n{ROOT}\n"),
        format!("origin\n\n{ROOT}\n"),
        format!("origin\n18446744073709551616\n{ROOT}\n"),
        "origin\n5\nBwc=\n".to_owned(),
        "origin\n5\n!\n".to_owned(),
        format!("origin\n5\n{ROOT}\n\n"),
    ] {
        assert!(matches!(wrong.parse::<Checkpoint>(), Err(NoteError::NotCheckpoint(_))), "{wrong:?}");
    }
}

#[test]
fn a_checkpoint_of_another_log_is_refused_though_the_key_signed_it() {
    let signer = signer("strongroom/one", 1);
    assert_eq!(signer.verifier().open_checkpoint(&signer.sign(&checkpoint().to_string())), Ok(checkpoint()));
    let other = Checkpoint { origin: "strongroom/two".to_owned(), ..checkpoint() };
    let refused = signer.verifier().open_checkpoint(&signer.sign(&other.to_string()));
    assert!(matches!(refused, Err(NoteError::NotCheckpoint(_))), "{refused:?}");
}
