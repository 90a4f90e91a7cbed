//! The attribute table: every use in every state.

use super::*;
use std::fmt::Write as _;

const NOW: UnixTime = UnixTime(1_000_000);

fn attributes(enabled: bool, not_before: Option<i64>, expires: Option<i64>) -> Attributes {
    let at = |offset: Option<i64>| offset.map(|offset| NOW.plus_seconds(offset));
    Attributes { enabled, not_before: at(not_before), expires: at(expires), created: NOW, updated: NOW }
}

#[test]
fn which_use_works_in_which_state() {
    let states = [
        ("enabled", attributes(true, None, None)),
        ("disabled", attributes(false, None, None)),
        ("not yet valid", attributes(true, Some(1), None)),
        ("valid from now", attributes(true, Some(0), None)),
        ("expires now", attributes(true, None, Some(0))),
        ("expires in a second", attributes(true, None, Some(1))),
        ("disabled and expired", attributes(false, None, Some(-1))),
    ];
    let mut table = String::new();
    for (state, attributes) in &states {
        for key_use in KeyUse::ALL {
            let verdict = match permits(attributes, KeyOperation::ALL, key_use, NOW) {
                Ok(()) => "works".to_owned(),
                Err(refusal) => refusal.to_string(),
            };
            writeln!(table, "{state:<22}{:<10}{verdict}", key_use.operation()).unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn an_operation_that_key_ops_lacks_is_forbidden_after_the_state_was_checked() {
    let operation = KeyOperation::Sign;
    let only_verify = [KeyOperation::Verify];
    let check = |attributes: &Attributes| permits(attributes, &only_verify, KeyUse::Sign, NOW);
    assert_eq!(check(&attributes(true, None, None)), Err(Refusal::KeyOperationForbidden { operation }));
    assert_eq!(check(&attributes(false, None, None)), Err(Refusal::KeyDisabled { operation }));
}
