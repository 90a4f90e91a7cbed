//! The project's own tasks, run as `cargo xtask <verb>`.
//!
//! Knows the workspace from outside: its files, its manifests, its commands. Knows nothing of what the crates do.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program speaks on its standard streams")]

mod clients;
mod command;
mod project;
mod steps;
mod tidy;

use command::Command;
use project::Project;
use std::process::ExitCode;
use steps::Steps;

const USAGE: &str = "\
Usage: cargo xtask <verb>

  check           formatting, clippy with warnings as errors, tidy
  tidy            the rules of the house: crate edges, sizes, banned words, manifests, test share
  test            everything: check, all Rust tests, then the real clients (installs what they need)
  test --quick    the same without the real clients
  clients [args]  only the real clients; arguments go to pytest: cargo xtask clients -k rotate
  accept          runs the Rust tests and accepts the snapshots they produce; read the diff before committing
  bench [args]    builds for release and runs the benchmarks";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// What went wrong and what to do about it, for the person at the terminal.
type Outcome = Result<(), String>;

fn run(arguments: &[&str]) -> Outcome {
    let project = Project::load()?;
    match arguments {
        ["check"] => Steps::of("check", |steps| check(&project, steps)),
        ["tidy"] => tidy::run(&project),
        ["test"] => Steps::of("test", |steps| {
            check(&project, steps)?;
            rust_tests(&project, steps)?;
            client_tests(&project, steps, &[])
        }),
        ["clients", rest @ ..] => Steps::of("clients", |steps| {
            steps.run("build", || build(&project).run())?;
            client_tests(&project, steps, rest)
        }),
        ["test", "--quick"] => Steps::of("test --quick", |steps| {
            check(&project, steps)?;
            rust_tests(&project, steps)
        }),
        ["accept"] => Steps::of("accept", |steps| {
            steps.run("build", || build(&project).run())?;
            steps.run("Rust tests, accepting snapshots", || {
                cargo_test(&project).env("INSTA_UPDATE", "always").env("INSTA_FORCE_PASS", "1").run()
            })
        }),
        ["bench", rest @ ..] => Steps::of("bench", |steps| bench(&project, steps, rest)),
        ["help" | "--help" | "-h"] | [] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(format!("no such verb: {}\n\n{USAGE}", arguments.join(" "))),
    }
}

fn check(project: &Project, steps: &mut Steps) -> Outcome {
    steps.run("tools", rust_tools)?;
    steps.run("formatting", || Command::cargo(&["fmt", "--all", "--check"]).run())?;
    steps.run("clippy", || {
        let clippy = Command::cargo(&["clippy", "--workspace", "--all-targets"]);
        clippy.args(&project.test_features()).args(&["--", "-D", "warnings"]).run()
    })?;
    steps.run("tidy", || tidy::run(project))
}

/// A minimal toolchain lacks rustfmt and clippy; rustup can add them.
fn rust_tools() -> Outcome {
    for (verb, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if !Command::cargo(&[verb, "--version"]).succeeds() {
            Command::new("rustup", &["component", "add", component]).run()?;
        }
    }
    Ok(())
}

/// The same packages and features as the tests, so that dependencies are compiled once.
fn build(project: &Project) -> Command {
    Command::cargo(&["build", "--workspace", "--bins"]).args(&project.test_features())
}

fn cargo_test(project: &Project) -> Command {
    let test = Command::cargo(&["test", "--workspace"]).args(&project.test_features());
    test.env("STRONGROOM_BIN", project.binary("debug"))
}

fn rust_tests(project: &Project, steps: &mut Steps) -> Outcome {
    steps.run("build", || build(project).run())?;
    steps.run("Rust tests", || cargo_test(project).run())
}

fn client_tests(project: &Project, steps: &mut Steps, rest: &[&str]) -> Outcome {
    steps.run("client environment", || clients::prepare(project))?;
    steps.run("client tests", || clients::test(project, rest))
}

fn bench(project: &Project, steps: &mut Steps, rest: &[&str]) -> Outcome {
    steps.run("release build", || Command::cargo(&["build", "--release", "--package", "strongroom"]).run())?;
    steps.run("benchmarks", || {
        let bench = Command::cargo(&["run", "--release", "--package", "strongroom-e2e", "--bin", "bench", "--"]);
        bench.args(rest).env("STRONGROOM_BIN", project.binary("release")).run()
    })
}
