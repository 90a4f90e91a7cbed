//! Certificates, as clients judge them.

use super::super::tls::dev::in_folder;
use super::super::tls::files::CertificateFiles;
use super::super::tls::{provider, server_config};
use super::*;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

const DAY: u64 = 86_400;

fn accepts(folder: &Path, host: &str, at: u64) -> bool {
    let pem = |name: &str| CertificateDer::from_pem_file(folder.join(name)).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(pem("ca.pem")).unwrap();
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build().unwrap();
    let at = UnixTime::since_unix_epoch(Duration::from_secs(at));
    let host = ServerName::try_from(host.to_owned()).unwrap();
    verifier.verify_server_cert(&pem("leaf.pem"), &[], &host, &[], at).is_ok()
}

#[test]
fn every_name_we_promise_is_accepted_and_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    in_folder(folder.path(), &Names::dev("localhost"), NOW).unwrap();
    for host in [
        "localhost",
        "127.0.0.1",
        "::1",
        "a.vault.localhost",
        "a.managedhsm.localhost",
        "login.localhost",
        "management.localhost",
        "uko.localhost",
        "login.microsoftonline.com",
        "sts.windows.net",
        "management.azure.com",
        "graph.microsoft.com",
        "a.vault.azure.net",
        "a.managedhsm.azure.net",
    ] {
        assert!(accepts(folder.path(), host, NOW), "{host}");
    }
    for host in ["other.localhost", "a.b.vault.localhost", "vault.localhost", "azure.com", "127.0.0.2"] {
        assert!(!accepts(folder.path(), host, NOW), "{host}");
    }
    assert!(accepts(folder.path(), "localhost", NOW + 819 * DAY));
    assert!(!accepts(folder.path(), "localhost", NOW + 825 * DAY));
}

#[test]
fn openssl_accepts_the_chain_by_its_strictest_rules() {
    let folder = tempfile::tempdir().unwrap();
    in_folder(folder.path(), &Names::dev("example.com"), NOW).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new("openssl");
        let output = command.args(arguments).current_dir(folder.path()).output().ok()?;
        Some(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let time = NOW.to_string();
    for host in [&["-verify_hostname", "x.vault.example.com"], &["-verify_ip", "::1"]] {
        let mut arguments =
            vec!["verify", "-x509_strict", "-purpose", "sslserver", "-attime", &time, "-CAfile", "ca.pem"];
        arguments.extend(host);
        arguments.push("leaf.pem");
        // A machine without OpenSSL has nothing to say here.
        let Some(said) = run(&arguments) else { return };
        assert!(said.trim() == "leaf.pem: OK", "{said}");
    }
    let authority = run(&["x509", "-in", "ca.pem", "-noout", "-text"]).unwrap();
    assert!(authority.contains("CA:TRUE, pathlen:0") && authority.contains("Certificate Sign"), "{authority}");
    let leaf = run(&["x509", "-in", "leaf.pem", "-noout", "-text"]).unwrap();
    for part in ["X509v3 Authority Key Identifier", "X509v3 Subject Key Identifier", "TLS Web Server Authentication"] {
        assert!(leaf.contains(part), "{part}: {leaf}");
    }
}

#[test]
fn the_authority_stays_and_the_leaf_is_remade_only_when_it_must() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let names = Names::dev("localhost");
    in_folder(folder.path(), &names, NOW).unwrap();
    let (authority, leaf) = (read("ca.pem"), read("leaf.pem"));
    in_folder(folder.path(), &names, NOW + 700 * DAY).unwrap();
    assert_eq!((&authority, &leaf), (&read("ca.pem"), &read("leaf.pem")), "nothing changed");
    in_folder(folder.path(), &names, NOW + 800 * DAY).unwrap();
    let renewed = read("leaf.pem");
    assert_ne!(leaf, renewed, "it would have ended within a month");
    in_folder(folder.path(), &Names::dev("example.com"), NOW + 800 * DAY).unwrap();
    let moved = read("leaf.pem");
    assert_ne!(renewed, moved, "other names");
    in_folder(folder.path(), &Names::of_domain("example.com"), NOW + 800 * DAY).unwrap();
    assert_ne!(moved, read("leaf.pem"), "fewer names");
    fs::remove_file(folder.path().join("leaf.key")).unwrap();
    in_folder(folder.path(), &names, NOW + 800 * DAY).unwrap();
    assert!(accepts(folder.path(), "localhost", NOW + 800 * DAY));
    assert_eq!(authority, read("ca.pem"), "clients need not be told to trust anything new");
    in_folder(folder.path(), &names, NOW + 3_640 * DAY).unwrap();
    assert_ne!(authority, read("ca.pem"), "it would have ended within a month");
    assert!(accepts(folder.path(), "localhost", NOW + 3_640 * DAY));
}

#[test]
fn keys_are_for_their_owner_only_and_two_authorities_have_two_names() {
    let [one, two] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    for folder in [&one, &two] {
        in_folder(folder.path(), &Names::dev("localhost"), NOW).unwrap();
        for name in ["ca.key", "leaf.key"] {
            let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
    fs::copy(two.path().join("ca.key"), one.path().join("ca.key")).unwrap();
    fs::remove_file(one.path().join("leaf.pem")).unwrap();
    let error = in_folder(one.path(), &Names::dev("localhost"), NOW).unwrap_err().to_string();
    assert!(error.contains("ca.pem") && error.contains("ca.key"), "{error}");
}

#[test]
fn damaged_files_are_named() {
    for name in ["ca.pem", "ca.key"] {
        let folder = tempfile::tempdir().unwrap();
        in_folder(folder.path(), &Names::dev("localhost"), NOW).unwrap();
        fs::write(folder.path().join(name), "no PEM").unwrap();
        fs::remove_file(folder.path().join("leaf.pem")).unwrap();
        let error = in_folder(folder.path(), &Names::dev("localhost"), NOW).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
}

/// A chain and key as production has them: `tls.pem` and `tls.key`, made by an authority in a folder of its own.
fn renew(folder: &Path, authority: &Path, domain: &str) {
    in_folder(authority, &Names::dev(domain), NOW).unwrap();
    for (from, to) in [("leaf.key", "tls.key"), ("leaf.pem", "tls.pem")] {
        let new = folder.join("new");
        fs::copy(authority.join(from), &new).unwrap();
        fs::rename(&new, folder.join(to)).unwrap();
    }
}

#[tokio::test]
async fn a_renewed_certificate_serves_new_connections_without_a_restart() {
    let [folder, authority] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    renew(folder.path(), authority.path(), "first.example");
    let files = CertificateFiles::load(&folder.path().join("tls.pem"), &folder.path().join("tls.key")).unwrap();
    let client = client_config(&authority.path().join("ca.pem"), &[]);
    let server = serve_with(Arc::clone(&files));
    let knows = async |host: &str| over(TcpStream::connect(server).await.unwrap(), host, &client).await.is_ok();
    assert!(knows("login.first.example").await && !knows("login.second.example").await);
    assert!(!files.reload_if_changed().unwrap());

    renew(folder.path(), authority.path(), "second.example");
    assert!(files.reload_if_changed().unwrap());
    assert!(!knows("login.first.example").await && knows("login.second.example").await);

    fs::write(folder.path().join("tls.pem"), "half wri").unwrap();
    assert!(files.reload_if_changed().is_err());
    assert!(knows("login.second.example").await, "the old one goes on serving");
    assert!(!files.reload_if_changed().unwrap(), "the same mistake is told once");
    renew(folder.path(), authority.path(), "third.example");
    assert!(files.reload_if_changed().unwrap() && knows("login.third.example").await);
}

#[tokio::test]
async fn a_hangup_reloads_the_certificate_at_once() {
    let [folder, authority] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    renew(folder.path(), authority.path(), "first.example");
    let files = CertificateFiles::load(&folder.path().join("tls.pem"), &folder.path().join("tls.key")).unwrap();
    let client = client_config(&authority.path().join("ca.pem"), &[]);
    let server = serve_with(Arc::clone(&files));
    let mut hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).unwrap();
    tokio::spawn(files.keep_fresh(Duration::from_secs(DAY)));
    // On this one thread, the task now runs until it listens for the signal.
    tokio::task::yield_now().await;

    renew(folder.path(), authority.path(), "second.example");
    let kill = Command::new("sh").args(["-c", &format!("kill -HUP {}", std::process::id())]).status();
    assert!(kill.unwrap().success());
    hangup.recv().await;
    // Both listeners are woken by the same signal; a connection takes longer than the other's turn.
    assert!(over(TcpStream::connect(server).await.unwrap(), "login.second.example", &client).await.is_ok());
}

fn serve_with(files: Arc<CertificateFiles>) -> SocketAddr {
    let listeners = Listeners::bind(&Listen::Loopback { port: 0 }).unwrap();
    let address = listeners.addresses()[0];
    let server = Server::new(Told::new(), server_config(files).unwrap(), settings()).unwrap();
    tokio::spawn(server.run(listeners, std::future::pending()));
    address
}

#[test]
fn unfit_files_are_refused_by_name() {
    let [folder, authority] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (certificate, key) = (folder.path().join("tls.pem"), folder.path().join("tls.key"));
    let fails = |part: &str| {
        let error = CertificateFiles::load(&certificate, &key).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    fails("tls.pem");
    renew(folder.path(), authority.path(), "a.example");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    fails("chmod 600");
    fs::copy(authority.path().join("ca.key"), &key).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fails("tls.key");
    fs::write(&certificate, "").unwrap();
    fails("no certificate");
}

#[tokio::test]
async fn sessions_are_resumed_and_both_versions_of_tls_are_spoken() {
    let server = start();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut config = (*server.client).clone();
        config.resumption = rustls::client::Resumption::in_memory_sessions(8);
        let config = Arc::new(restricted(config, version, &server));
        for expected in [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed] {
            let mut stream = over(server.tcp().await, "localhost", &config).await.unwrap();
            assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
            assert_eq!(stream.get_ref().1.handshake_kind(), Some(expected), "{version:?}");
            // Tickets arrive with the first answer.
            stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
            assert!(read_to_end(&mut stream).await.starts_with("HTTP/1.1 200"));
        }
    }
}

fn restricted(
    like: ClientConfig,
    version: &'static rustls::SupportedProtocolVersion,
    server: &Running,
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(server._folder.path().join("ca.pem")).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_details(provider(), Arc::clone(&like.time_provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = like.resumption;
    config
}
