//! How connections and the server end.
//!
//! Where time must pass, the clock is paused once everything stands: it then jumps to the next deadline whenever
//! nothing else is left to do.

use super::*;

#[tokio::test]
async fn a_stop_answers_what_is_under_way_and_takes_nothing_new() {
    for threads in [0, 2] {
        stop_under_way(start_with(Settings { threads, ..settings() })).await;
    }
}

async fn stop_under_way(server: Running) {
    let (address, go, arrived) = (server.address, Arc::clone(&server.go), Arc::clone(&server.arrived));
    let mut one = server.http1().await;
    let mut two = server.http2().await;
    let mut idle = server.tls("localhost").await;
    let waiting = [
        tokio::spawn(async move { text(one.send_request(get("/wait")).await).await }),
        tokio::spawn(async move { text(two.send_request(get("https://localhost/wait")).await).await }),
    ];
    arrived.acquire_many(2).await.unwrap().forget();
    let finished = tokio::spawn(server.finish());
    // The idle connection is the first to go: from here on the server is draining.
    assert_eq!(read_to_end(&mut idle).await, "");
    assert!(!finished.is_finished());
    go.add_permits(2);
    for request in waiting {
        assert_eq!(request.await.unwrap().0, 200);
    }
    assert_eq!(finished.await.unwrap(), Drained::Clean);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_request_on_another_thread_is_cut_at_the_deadline_too() {
    let limits = Limits { drain_time: Duration::ZERO, ..settings().limits };
    let server = start_with(Settings { limits, threads: 1, ..settings() });
    let arrived = Arc::clone(&server.arrived);
    let mut client = server.http1().await;
    let waiting = tokio::spawn(async move { client.send_request(get("/wait")).await });
    arrived.acquire().await.unwrap().forget();
    assert_eq!(server.finish().await, Drained::Cut(1));
    assert!(waiting.await.unwrap().is_err());
}

#[tokio::test]
async fn who_has_closed_their_side_is_still_answered() {
    let server = start();
    let mut stream = server.tls("localhost").await;
    stream.write_all(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    stream.shutdown().await.unwrap();
    server.arrived.acquire().await.unwrap().forget();
    server.go.add_permits(1);
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_at_the_deadline() {
    let server = start();
    let arrived = Arc::clone(&server.arrived);
    let mut client = server.http1().await;
    let waiting = tokio::spawn(async move { client.send_request(get("/wait")).await });
    arrived.acquire().await.unwrap().forget();
    tokio::time::pause();
    assert_eq!(server.finish().await, Drained::Cut(1));
    assert!(waiting.await.unwrap().is_err());
}

#[tokio::test]
async fn a_connection_that_has_not_begun_does_not_hold_up_the_end() {
    let server = start();
    let silent = server.tcp().await;
    let mut half = server.tcp().await;
    half.write_all(b"\x16\x03\x01").await.unwrap();
    assert_eq!(text(server.http1().await.send_request(get("/")).await).await.0, 200);
    assert_eq!(server.finish().await, Drained::Clean);
    drop((silent, half));
}

#[tokio::test]
async fn a_silent_client_is_dropped_before_and_after_the_handshake() {
    let server = start();
    let mut tcp = server.tcp().await;
    let mut stream = server.tls("localhost").await;
    tokio::time::pause();
    assert_eq!(read_to_end(&mut tcp).await, "");
    assert_eq!(read_to_end(&mut stream).await, "");
}

#[tokio::test]
async fn a_head_that_never_ends_is_dropped_before_an_idle_connection_is() {
    let server = start_with(Settings {
        limits: Limits { idle_time: Duration::from_secs(1 << 20), ..settings().limits },
        ..settings()
    });
    let mut stream = server.tls("localhost").await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").await.unwrap();
    stream.flush().await.unwrap();
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    assert_eq!(read_to_end(&mut stream).await, "");
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn a_body_that_never_ends_is_answered_408() {
    let server = start();
    let mut stream = server.tls("localhost").await;
    stream.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc").await.unwrap();
    stream.flush().await.unwrap();
    tokio::time::pause();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("BodyTooSlow"), "{answer}");
}

#[tokio::test]
async fn more_connections_than_allowed_wait_their_turn() {
    let limits = Limits { connections: 1, ..settings().limits };
    let server = start_with(Settings { limits, ..settings() });
    let first = server.tcp().await;
    let second = server.tcp().await;
    let handshake = tokio::spawn({
        let config = Arc::clone(&server.client);
        async move { over(second, "localhost", &config).await.map(drop) }
    });
    let first = over(first, "localhost", &server.client).await.unwrap();
    assert!(!handshake.is_finished());
    drop(first);
    handshake.await.unwrap().unwrap();
}
