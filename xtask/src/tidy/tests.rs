//! Each rule on small samples: what it must find, and what it must leave alone.

use super::{
    Finding, edges,
    functions::{Function, functions, inline_test_lines},
    lexer, manifests, places,
    share::Share,
    sizes,
    source::Source,
    words,
};
use crate::project::Package;
use std::path::Path;

fn rust(text: &str) -> Source {
    Source::new("crates/sample/src/sample.rs", text)
}

fn lines(findings: &[Finding]) -> Vec<usize> {
    findings.iter().map(|finding| finding.line).collect()
}

fn package(name: &str, dependencies: &[&str]) -> Package {
    Package {
        name: name.to_owned(),
        manifest: format!("crates/{name}/Cargo.toml"),
        dependencies: dependencies.iter().map(|name| (*name).to_owned()).collect(),
        features: Vec::new(),
    }
}

fn code(text: &str) -> String {
    lexer::split(text).code
}

#[test]
fn literals_are_blank_in_the_code_view() {
    assert_eq!(code(r#"a("{", '{', b'}', b"}") "#), "a(   ,    , b   , b   ) ");
    assert_eq!(
        code(r#"a("\"{", '\'', '\\', '\u{7d}')b"#),
        format!("a({}, {}, {}, {})b", " ".repeat(5), " ".repeat(4), " ".repeat(4), " ".repeat(8))
    );
}

#[test]
fn raw_strings_end_at_their_own_hashes() {
    assert_eq!(code(r##"r#"{ " }"# x"##).trim(), "x");
    assert_eq!(code(r##"br"{\" x"##).trim(), "x");
    assert_eq!(code("r#fn { }"), "r#fn { }");
    assert_eq!(code(r#"bar"{" x"#), "bar    x");
}

#[test]
fn lifetimes_are_code() {
    let text = "fn f<'a, 'b>(x: &'a str, y: &'_ [u8]) -> &'a str where 'b: 'a { 'l: loop { break 'l } }";
    assert_eq!(code(text), text);
}

#[test]
fn comments_nest_and_have_a_view_of_their_own() {
    let views = lexer::split("a /* { /* } */ { */ b // }\nc \"// no\"");
    assert_eq!(views.code.split_whitespace().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(views.comments.trim(), "/* { /* } */ { */   // }");
    assert_eq!(views.code.lines().count(), 2);
}

#[test]
fn both_views_keep_the_lines_of_the_text() {
    let text = "let a = \"one\ntwo\";\n/* three\nfour */ let 'é' = r\"\n\";\n";
    let views = lexer::split(text);
    assert_eq!(views.code.matches('\n').count(), text.matches('\n').count());
    assert_eq!(views.comments.matches('\n').count(), text.matches('\n').count());
}

#[test]
fn functions_are_measured_from_fn_to_brace() {
    let text = "trait T {\n    fn declared(&self, x: [u8; 3]);\n}\nfn one() {}\nasync fn two<F: Fn(u8)>(f: F)\nwhere\n    F: Fn(fn(u8) -> u8),\n{\n    call(|| { \"}\" });\n}\n";
    assert_eq!(
        functions(&code(text)),
        [
            Function { name: "one".to_owned(), line: 4, lines: 1 },
            Function { name: "two".to_owned(), line: 5, lines: 6 },
        ]
    );
}

#[test]
fn pointers_to_functions_and_words_that_contain_fn_are_no_functions() {
    assert_eq!(functions(&code("type A = fn(u8); let fnord = r#fn; struct B { c: fn() }")), []);
}

#[test]
fn functions_within_functions_and_macros_are_found() {
    let names: Vec<String> = functions(&code("fn a() { fn b() {} } macro_rules! m { () => { fn $name() {} } }"))
        .into_iter()
        .map(|function| function.name)
        .collect();
    assert_eq!(names, ["a", "b", "$name"]);
}

#[test]
fn a_function_of_seventy_lines_passes_and_one_more_fails() {
    let of = |lines: usize| rust(&format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2)));
    assert_eq!(sizes::check(&of(70)), []);
    assert_eq!(lines(&sizes::check(&of(71))), [1]);
}

#[test]
fn a_handler_may_have_thirty_lines() {
    let text = format!("fn list() {{\n{}}}\n", "    step();\n".repeat(29));
    let at = |path| sizes::check(&Source::new(path, &text)).len();
    assert_eq!(at("crates/azure/src/keys/handlers.rs"), 1);
    assert_eq!(at("crates/azure/src/handlers/keys.rs"), 1);
    assert_eq!(at("crates/azure/src/keys.rs"), 0);
}

#[test]
fn a_file_may_have_five_hundred_lines_and_a_test_file_nine_hundred() {
    let at = |path, lines: usize| sizes::check(&Source::new(path, &"//!\n".repeat(lines))).len();
    assert_eq!(at("crates/engine/src/key.rs", 500), 0);
    assert_eq!(at("crates/engine/src/key.rs", 501), 1);
    assert_eq!(at("crates/engine/src/key/tests.rs", 900), 0);
    assert_eq!(at("crates/engine/tests/keys.rs", 901), 1);
}

#[test]
fn an_edge_outside_the_table_is_found() {
    let packages = [package("strongroom-domain", &[]), package("strongroom-store", &["strongroom-domain", "serde"])];
    assert_eq!(edges::check(&packages), []);
    let packages = [package("strongroom-domain", &["strongroom-store"]), package("strongroom-store", &[])];
    let findings = edges::check(&packages);
    assert_eq!(findings.len(), 1);
    assert!(findings[0].message.contains("strongroom-domain may not depend on strongroom-store"), "{findings:?}");
}

#[test]
fn a_crate_may_turn_on_its_own_features_for_its_tests() {
    assert_eq!(edges::check(&[package("strongroom-custody", &["strongroom-custody"])]), []);
}

#[test]
fn the_fronts_touch_neither_store_nor_custody_nor_each_other() {
    let others = ["strongroom-store", "strongroom-custody", "strongroom-uko"];
    let mut packages = vec![package("strongroom-azure", &others)];
    packages.extend(others.map(|name| package(name, &[])));
    assert_eq!(edges::check(&packages).len(), 3);
}

#[test]
fn a_crate_without_a_row_is_found() {
    assert_eq!(edges::check(&[package("strongroom-helpers", &[])]).len(), 1);
}

#[test]
fn confined_dependencies_stay_where_they_belong() {
    assert_eq!(edges::check(&[package("strongroom-store", &["rusqlite"])]), []);
    assert_eq!(edges::check(&[package("strongroom-engine", &["tokio", "aws-lc-rs"])]), []);
    assert_eq!(edges::check(&[package("strongroom-engine", &["rusqlite"])]).len(), 1);
    assert_eq!(edges::check(&[package("strongroom-domain", &["tokio", "hyper", "aws-lc-rs"])]).len(), 3);
}

#[test]
fn a_workspace_dependency_says_why_it_is_here() {
    let text = "[workspace.dependencies]\nours = { path = \"x\" }\na = \"1\" # the reason\nb = \"1#2\"\nc = \"1\" #\n[other]\nd = 1\n";
    assert_eq!(lines(&manifests::check(&[Source::new("Cargo.toml", text)], &[])), [4, 5]);
}

#[test]
fn a_member_takes_its_dependencies_from_the_workspace() {
    let text = "[lints]\nworkspace = true\n[dependencies]\na.workspace = true\nb = { workspace = true, features = [\"x\"] }\nc = \"1\"\n[dev-dependencies.d]\nversion = \"1\"\n";
    let package = package("a", &[]);
    let findings = manifests::check(&[Source::new(&package.manifest, text)], &[package]);
    assert_eq!(lines(&findings), [6, 7]);
}

#[test]
fn a_member_has_the_lints_of_the_workspace() {
    let package = package("a", &[]);
    assert_eq!(manifests::check(&[Source::new(&package.manifest, "[dependencies]\n")], &[package]).len(), 1);
}

#[test]
fn stubs_are_found_in_code_only() {
    let stub = |name: &str| rust(&format!("//! A\nlet a = \"{name}!()\"; // {name}!()\n{name}!();\nmy_{name}!();\n"));
    for name in ["todo", "unimplemented", "dbg"] {
        assert_eq!(lines(&words::check_code(&stub(name))), [3], "{name}");
    }
}

#[test]
fn notes_to_oneself_are_found_in_comments_only() {
    let marker = concat!("FIX", "ME");
    let source = rust(&format!("//! A\nlet a = \"{marker}\";\n// {marker}: later\n// {marker}D\n"));
    assert_eq!(lines(&words::check_markers(&source)), [3]);
    assert_eq!(lines(&words::check_markers(&Source::new("README.md", &format!("a\n{marker}\n")))), [2]);
    assert_eq!(words::check_markers(&Source::new("package-lock.json", marker)), []);
}

#[test]
fn silenced_lints_and_tests_are_found() {
    let found = |attribute: &str| words::check_code(&rust(attribute)).len();
    assert_eq!(found("#[allow(dead_code)]"), 1);
    assert_eq!(found("#![allow(dead_code, reason = \"r\")]"), 1);
    assert_eq!(found("#[cfg_attr(test, allow(dead_code))]"), 1);
    assert_eq!(found("#[expect(dead_code)]"), 1);
    assert_eq!(found("#[expect(\n    dead_code,\n    reason = \"r\"\n)]"), 0);
    assert_eq!(found(concat!("#[ig", "nore]")), 1);
    assert_eq!(found(concat!("#[ig", "nore = \"slow\"]")), 1);
    assert_eq!(found("#[serde(rename = \"allow(\")] struct A; // #[allow(x)]"), 0);
}

#[test]
fn a_file_begins_with_what_it_is() {
    assert_eq!(words::check_opening(&rust("//! Names.\n")), None);
    assert!(words::check_opening(&rust("use std::fmt;\n//! Names.\n")).is_some());
    assert!(words::check_opening(&rust("")).is_some());
}

#[test]
fn paths_of_a_machine_are_found() {
    let root = Path::new("/srv/checkout/strongroom");
    let found = |text: &str| places::check(&Source::new("a.md", text), root).len();
    for folder in [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/")] {
        assert_eq!(found(&format!("see {folder}a")), 1, "{folder}");
        assert_eq!(found(&format!("\"{folder}a\"")), 1, "{folder}");
        assert_eq!(found(&format!("https://host{folder}a")), 0, "{folder}");
    }
    assert_eq!(found("made in /srv/checkout/strongroom/target"), 1);
    assert_eq!(found("/etc/strongroom"), 0);
}

#[test]
fn registry_hosts_are_found_but_in_cargos_lock_file() {
    let text = concat!("https://index.crates", ".io/x\n");
    let root = Path::new("/");
    assert_eq!(places::check(&Source::new("a.toml", text), root).len(), 1);
    assert_eq!(places::check(&Source::new("Cargo.lock", text), root), []);
    assert_eq!(places::check(&Source::new("fuzz/Cargo.lock", text), root), []);
}

#[test]
fn inline_test_modules_count_as_tests() {
    assert_eq!(inline_test_lines(&code("fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n")), 4);
    assert_eq!(inline_test_lines(&code("#[cfg(test)]\nmod tests;\nfn a() {\n}\n")), 0);
}

#[test]
fn the_share_counts_test_files_and_inline_tests() {
    let sources = [
        Source::new("crates/a/src/lib.rs", "//! A.\nfn a() {}\nfn b() {}\n"),
        Source::new("crates/a/src/tests.rs", "//! T.\n"),
        Source::new("README.md", "not program text\n"),
    ];
    let share = Share::of(&sources);
    assert!(share.to_string().starts_with("tests: 1 of 4 lines, 25 %"), "{share}");
    assert_eq!(share.check(), None);
    assert!(Share::of(&sources[..1]).check().is_some());
}

#[test]
fn a_finding_says_where_what_and_what_to_do() {
    let finding = Finding::new("a.rs", 7, "size", "split it");
    assert_eq!(finding.to_string(), "a.rs:7: [size] split it");
}
