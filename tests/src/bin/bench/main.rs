//! What a request costs: CPU time of the server per operation, beside the bare operation and a bare TLS request in the
//! same run. Machines are shared and noisy, so read the ratios.
//!
//! `bench` builds nothing: it takes the server from `STRONGROOM_BIN`. `bench --bare` is the bare server it compares with,
//! `bench scale` grows a vault to a million secrets, `bench only 'ES256 sign'` measures the one operation, `bench gate` what
//! a signature costs beside the signing, without HTTP.

#![expect(clippy::print_stdout, reason = "the report is this program's output")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod bare;
mod gate;
mod load;
mod process;
mod rig;
mod scale;

use bare::BareOperations;
use gate::Costs;
use load::{Call, Load};
use process::{Place, Strongroom};
use std::{
    ffi::{OsStr, OsString},
    process::ExitCode,
    time::Duration,
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Long enough that the 10 ms ticks of the kernel's CPU accounts do not matter.
const MEASURE: Duration = Duration::from_secs(3);
/// A round of an operation, beside one of the bare request: long enough as above, short enough that a machine that others
/// share is the same for both.
const ROUND: Duration = Duration::from_millis(600);
const ROUNDS: usize = 7;
const CONNECTIONS: usize = 8;
/// Connections for the durable writes, which wait for the disk together.
const WRITERS: usize = 64;

fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1).as_deref() {
        Some("--bare") => bare::serve(),
        Some("scale") => scale::measure(&[1_000, 100_000, 1_000_000]),
        Some("gate") => beside_a_signature(),
        Some("only") => only(),
        _ => run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// The server that is measured.
fn binary() -> Result<OsString, Failure> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    std::env::var_os("STRONGROOM_BIN").ok_or_else(|| "STRONGROOM_BIN names no server".into())
}

fn only() -> Result<(), Failure> {
    let name = std::env::args().nth(2).ok_or("only what?")?;
    operations(&Strongroom::start(&binary()?)?, |call| call.name == name)
}

fn run() -> Result<(), Failure> {
    let binary = binary()?;
    start_up(&binary)?;
    let server = Strongroom::start(&binary)?;
    println!("idle RSS, freshly started   {:>8.1} MiB", server.process.resident_mib()?);
    beside_a_signature()?;
    operations(&server, |_| true)?;
    creation(&server)?;
    scale::measure(&[1_000, 10_000])?;
    println!("RSS after the load          {:>8.1} MiB", server.process.resident_mib()?);
    Ok(())
}

fn beside_a_signature() -> Result<(), Failure> {
    let Costs { signature, gate, log } = gate::costs()?;
    println!(
        "beside an ES256 signature   {gate:>8.1} µs of CPU for the gate, {log:.1} for the log (alone: {signature:.1})\n"
    );
    Ok(())
}

/// Each wanted hot operation in turns with what it is made of: the bare operation, a bare TLS request, and both at once:
/// the very same request to a server that does the bare operation and nothing else. The figures are medians of the rounds.
///
/// The parts alone cost less than the two at once: a core that both its threads use is slower than one that has nothing
/// else to do, and a client that has waited for longer has to be woken.
fn operations(server: &Strongroom, wanted: impl Fn(&Call) -> bool) -> Result<(), Failure> {
    let calls = prepare(server)?;
    let wanted: Vec<_> = calls.iter().enumerate().filter(|(_, call)| wanted(call)).collect();
    if wanted.is_empty() {
        let names: Vec<_> = calls.iter().map(|call| call.name).collect();
        return Err(format!("there are only: {}", names.join(", ")).into());
    }
    let operations = BareOperations::new()?;
    let bare_server = Strongroom::start_bare(&server.site(Place::Vault).token)?;

    let bare_call = Call::new("bare", "POST", "/".to_owned(), r#"{"alg":"ES256","value":"AAAA"}"#.to_owned());
    println!("CPU of the server in µs; TLS: a bare request to hyper and rustls, answered with 400 bytes of JSON");
    println!(
        "{:<18}{:>12}{:>10}{:>10}{:>10}{:>22}{:>10}{:>12}",
        "operation", "requests/s", "CPU", "bare op", "TLS", "CPU / (bare op + TLS)", "both", "CPU / both"
    );
    for (at, call) in wanted {
        let load = Load { connections: CONNECTIONS, time: ROUND };
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let bare = load.run(&bare_server, &bare_call)?.cpu_microseconds;
            let operation = operations.microseconds(at)?;
            let both = load.run(&bare_server, &call.bare(at))?.cpu_microseconds;
            let found = load.run(server, call)?;
            rounds.push([
                found.per_second,
                found.cpu_microseconds,
                operation,
                bare,
                found.cpu_microseconds / (operation + bare),
                both,
                found.cpu_microseconds / both,
            ]);
        }
        let figure = |column: usize| median(rounds.iter().map(|round| round[column]).collect());
        println!(
            "{:<18}{:>12.0}{:>10.1}{:>10.1}{:>10.1}{:>22.2}{:>10.1}{:>12.2}",
            call.name,
            figure(0),
            figure(1),
            figure(2),
            figure(3),
            figure(4),
            figure(5),
            figure(6)
        );
    }
    println!();
    Ok(())
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The hot operations of the report, each on an object of its own: keys in the seeded managed HSM, a secret in the seeded
/// vault.
fn prepare(server: &Strongroom) -> Result<Vec<Call>, Failure> {
    let create = |name: &str, body: &str| server.call("POST", &format!("/keys/{name}/create"), body).map(drop);
    create("ec", r#"{"kty":"EC-HSM","crv":"P-256"}"#)?;
    create("rsa", r#"{"kty":"RSA-HSM","key_size":2048}"#)?;
    create("aes", r#"{"kty":"oct-HSM","key_size":256}"#)?;
    let secret = Call::new("set", "PUT", "/secrets/s".to_owned(), r#"{"value":"correct horse"}"#.to_owned());
    server.once(&secret.at(Place::Vault))?;
    let value = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"; // 32 zero bytes
    let post = |name, key, operation, algorithm| {
        Call::new(
            name,
            "POST",
            format!("/keys/{key}//{operation}"),
            format!(r#"{{"alg":"{algorithm}","value":"{value}"}}"#),
        )
    };
    Ok(vec![
        Call::new("get key", "GET", "/keys/ec".to_owned(), String::new()),
        post("ES256 sign", "ec", "sign", "ES256"),
        post("RS256-2048 sign", "rsa", "sign", "RS256"),
        post("A256GCM encrypt", "aes", "encrypt", "A256GCM"),
        post("A256KW wrap", "aes", "wrapkey", "A256KW"),
        Call::new("get secret", "GET", "/secrets/s".to_owned(), String::new()).at(Place::Vault),
    ])
}

/// Creations wait for the disk; together they share its commits.
fn creation(server: &Strongroom) -> Result<(), Failure> {
    let call = Call::new("create", "POST", "/keys/made-{n}/create".to_owned(), r#"{"kty":"EC-HSM"}"#.to_owned());
    for connections in [1, WRITERS] {
        let found = Load { connections, time: MEASURE }.run(server, &call)?;
        println!(
            "create EC key, {connections:>2} at a time {:>8.0} keys/s, {:.1} µs of server CPU each",
            found.per_second, found.cpu_microseconds
        );
    }
    Ok(())
}

/// From the start of the process to its first answer, on a state that exists: median of several.
fn start_up(binary: &OsStr) -> Result<(), Failure> {
    let folder = tempfile::TempDir::new()?;
    drop(Strongroom::start_in(binary, folder.path())?);
    let mut times = Vec::new();
    for _ in 0..9 {
        times.push(Strongroom::start_in(binary, folder.path())?.first_answer.as_secs_f64() * 1e3);
    }
    let count = times.len();
    println!("start to first answer       {:>8.1} ms (median of {count})", median(times));
    Ok(())
}
