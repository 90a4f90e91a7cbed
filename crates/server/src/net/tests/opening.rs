//! What a connection's first bytes lead to: TLS, the proxy, or a plain word.

use super::*;

fn connect(host: &str) -> String {
    format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\nUser-Agent: test\r\n\r\n")
}

const ESTABLISHED: &[u8; 39] = b"HTTP/1.1 200 Connection Established\r\n\r\n";

#[tokio::test]
async fn the_proxy_leads_to_this_very_server_for_every_name_it_serves() {
    let server = start();
    for host in ["a.vault.localhost", "contosohsm.managedhsm.azure.net", "login.microsoftonline.com", "localhost"] {
        let mut tcp = server.tcp().await;
        tcp.write_all(connect(host).as_bytes()).await.unwrap();
        let mut answer = [0; ESTABLISHED.len()];
        tcp.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, ESTABLISHED);
        let stream = over(tcp, host, &server.client).await.unwrap();
        let (mut client, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        assert_eq!(text(client.send_request(get("/")).await).await.0, 200, "{host}");
    }
}

#[tokio::test]
async fn bytes_of_tls_in_the_same_packet_as_the_head_are_not_lost() {
    let server = start();
    let host = "a.vault.localhost";
    for split in [0, 1, 20, connect(host).len() - 2, connect(host).len()] {
        let name = ServerName::try_from(host).unwrap();
        let mut session = rustls::ClientConnection::new(Arc::clone(&server.client), name).unwrap();
        let head = connect(host);
        let mut early = head.as_bytes()[split..].to_vec();
        session.write_tls(&mut early).unwrap();
        let mut tcp = server.tcp().await;
        tcp.set_nodelay(true).unwrap();
        tcp.write_all(&head.as_bytes()[..split]).await.unwrap();
        tcp.write_all(&early).await.unwrap();
        let mut answer = [0; ESTABLISHED.len()];
        tcp.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, ESTABLISHED);
        while session.is_handshaking() {
            while session.wants_write() {
                let mut out = Vec::new();
                session.write_tls(&mut out).unwrap();
                tcp.write_all(&out).await.unwrap();
            }
            let mut incoming = vec![0; 16 << 10];
            let length = tcp.read(&mut incoming).await.unwrap();
            assert!(length > 0, "the server hung up, split at {split}");
            session.read_tls(&mut &incoming[..length]).unwrap();
            session.process_new_packets().unwrap();
        }
    }
}

#[tokio::test]
async fn the_proxy_never_tunnels_onward_and_says_so_at_once() {
    let server = start();
    for host in ["azcliprod.blob.core.windows.net", "example.com", "10.0.0.1", "localhost.example.com"] {
        let answer = server.raw(connect(host).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
        assert!(answer.contains("never onward") && answer.contains(host), "{answer}");
    }
}

#[tokio::test]
async fn a_proxy_request_without_end_is_refused_by_size() {
    let server = start();
    let head = format!("CONNECT a.vault.localhost:443 HTTP/1.1\r\nx: {}", "y".repeat(9000));
    assert!(server.raw(head.as_bytes()).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn a_proxy_request_without_end_is_refused_by_time() {
    let server = start();
    let mut stream = server.tcp().await;
    stream.write_all(b"CONNECT a.vault.localhost:443 HTT").await.unwrap();
    tokio::time::pause();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn without_a_proxy_connect_is_plain_http() {
    let server = start_with(Settings { proxy: None, ..settings() });
    let answer = server.raw(connect("a.vault.localhost").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("speaks TLS"), "{answer}");
}

#[tokio::test]
async fn plain_http_is_told_that_the_port_speaks_tls() {
    let server = start();
    for request in [
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /keys/k?x=/metadata/identity HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "COPY / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        let answer = server.raw(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.") && answer.contains(" 400 Bad Request\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nthis port speaks TLS: use https://\n"), "{answer}");
    }
}

#[tokio::test]
async fn managed_identity_is_served_over_plain_http_only_where_it_is_on() {
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    let server = start();
    for path in ["/metadata/identity/oauth2/token?resource=r", "/msi/token", "http://169.254.169.254/metadata/identity"]
    {
        let answer = server.raw(request(path).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("tls=false"), "{path}: {answer}");
    }
    let server = start_with(Settings { plain_identity: false, ..settings() });
    assert!(server.raw(request("/msi/token").as_bytes()).await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn both_loopback_addresses_share_a_port() {
    let listeners = Listeners::bind(&Listen::Loopback { port: 0 }).unwrap();
    let addresses = listeners.addresses();
    assert_ne!(addresses[0].port(), 0);
    assert!(addresses.iter().all(|address| address.port() == addresses[0].port() && address.ip().is_loopback()));
    let taken = Listeners::bind(&Listen::Loopback { port: addresses[0].port() }).unwrap_err().to_string();
    assert!(taken.starts_with(&format!("cannot listen on {}: ", addresses[0])), "{taken}");
}

#[tokio::test]
async fn garbage_instead_of_tls_ends_that_connection_only() {
    let server = start();
    server.raw(b"\x16\x03\x01\x00\x05hello, and more that is no handshake at all").await;
    assert_eq!(text(server.http1().await.send_request(get("/")).await).await.0, 200);
}

#[tokio::test]
async fn random_openings_break_nothing_and_pass_the_proxy_only_under_names_of_ours() {
    let server = start();
    let names = Names::dev("localhost");
    let mut hello = Vec::new();
    let name = ServerName::try_from("localhost").unwrap();
    rustls::ClientConnection::new(Arc::clone(&server.client), name).unwrap().write_tls(&mut hello).unwrap();
    let mut seeds = ["a.vault.localhost", "[::1]", "login.windows.net.", "example.com", "10.0.0.1"]
        .map(|host| connect(host).into_bytes())
        .to_vec();
    seeds.push(b"GET /msi/token HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".to_vec());
    seeds.push([connect("localhost").as_bytes(), &hello].concat());
    seeds.push(hello);
    // xorshift64*, so that the inputs are the same each time.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |bound: usize| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    };
    let mut admitted = 0;
    for round in 0..20_000 {
        let mut bytes = seeds[below(seeds.len())].clone();
        for _ in 0..below(4) {
            let at = below(bytes.len() + 1);
            let other = &seeds[below(seeds.len())];
            let piece = below(other.len());
            match below(5) {
                0 => bytes.insert(at, u8::try_from(below(256)).unwrap()),
                1 if at < bytes.len() => bytes[at] = u8::try_from(below(256)).unwrap(),
                2 => drop(bytes.splice(at.saturating_sub(below(12))..at, [])),
                3 => drop(bytes.splice(at..at, other[piece..].iter().copied())),
                _ => bytes.truncate(at),
            }
        }
        match proxy::judge(&bytes, &names) {
            proxy::Answer::Established => {
                let line = std::str::from_utf8(&bytes).unwrap().split("\r\n").next().unwrap();
                let target = line.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap();
                assert!(names.covers(target.rsplit_once(':').unwrap().0), "{line}");
                admitted += 1;
            }
            proxy::Answer::Refused { text, .. } => assert!(!text.contains(char::is_control), "{text:?}"),
        }
        if round % 50 == 0 {
            let mut stream = server.tcp().await;
            let (first, rest) = bytes.split_at(below(bytes.len() + 1));
            // The server may have hung up over the first part.
            for part in [first, rest] {
                let _ = stream.write_all(part).await;
            }
            let _ = stream.shutdown().await;
            let ended = tokio::time::timeout(Duration::from_secs(8), read_to_end(&mut stream)).await;
            assert!(ended.is_ok(), "not ended: b\"{}\"", bytes.escape_ascii());
        }
    }
    assert!(admitted > 1000, "{admitted} heads of 20000 came through: the inputs are too wild");
    assert_eq!(text(server.http1().await.send_request(get("/")).await).await.0, 200);
}
