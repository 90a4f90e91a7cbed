//! Requests and answers over TLS.

use super::*;

#[tokio::test]
async fn http1_keeps_a_connection_and_hands_over_whole_bodies() {
    let server = start();
    let mut client = server.http1().await;
    for length in [0, 1, 1000, 64 << 10] {
        let answer = text(client.send_request(post("/keys/k?api-version=7.4", length)).await).await;
        assert_eq!(answer, (200, format!("POST localhost /keys/k tls=true body={length}")));
    }
    assert_eq!(text(client.send_request(get("/x")).await).await.0, 200);
}

#[tokio::test]
async fn http2_serves_many_requests_at_once() {
    let server = start();
    let client = server.http2().await;
    let requests: Vec<_> = (0..50)
        .map(|number| {
            let mut client = client.clone();
            let request = post(&format!("https://a.vault.localhost/{number}"), number);
            tokio::spawn(async move { text(client.send_request(request).await).await })
        })
        .collect();
    for (number, request) in requests.into_iter().enumerate() {
        let expected = format!("POST localhost /{number} tls=true body={number}");
        assert_eq!(request.await.unwrap(), (200, expected));
    }
}

#[tokio::test]
async fn http2_without_a_host_header_has_an_authority() {
    let server = start();
    let request = Request::get("https://a.vault.localhost:8443/k").body(Full::default()).unwrap();
    let answer = text(server.http2().await.send_request(request).await).await;
    assert_eq!(answer, (200, "GET a.vault.localhost:8443 /k tls=true body=0".to_owned()));
}

#[tokio::test]
async fn the_protocol_is_agreed_on_by_alpn_and_http1_is_the_fallback() {
    let server = start();
    for (offered, agreed) in
        [(&[&b"h2"[..], b"http/1.1"][..], Some(&b"h2"[..])), (&[b"http/1.1"], Some(b"http/1.1")), (&[], None)]
    {
        let mut config = (*server.client).clone();
        config.alpn_protocols = offered.iter().map(|protocol| protocol.to_vec()).collect();
        let stream = over(server.tcp().await, "localhost", &Arc::new(config)).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), agreed);
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = start();
    let mut stream = server.tls("localhost").await;
    let one = |path: &str, last: &str| format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\n{last}\r\n");
    let all = one("a", "") + &one("b", "") + &one("c", "Connection: close\r\n");
    stream.write_all(all.as_bytes()).await.unwrap();
    let answers = read_to_end(&mut stream).await;
    let order: Vec<usize> = ["/a", "/b", "/c"].iter().map(|path| answers.find(path).unwrap()).collect();
    assert!(order.is_sorted() && answers.matches("HTTP/1.1 200 OK").count() == 3, "{answers}");
}

#[tokio::test]
async fn bodies_above_the_limit_are_refused_by_the_front_whatever_their_framing() {
    let server = start();
    for length in [(64 << 10) + 1, 200 << 10] {
        let answer = text(server.http1().await.send_request(post("/", length)).await).await;
        assert_eq!(answer, (413, "refused: BodyTooLarge".to_owned()), "{length} by HTTP/1.1");
        let request = post("https://localhost/", length);
        let answer = text(server.http2().await.send_request(request).await).await;
        assert_eq!(answer, (413, "refused: BodyTooLarge".to_owned()), "{length} by HTTP/2");
    }
    let mut stream = server.tls("localhost").await;
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
    stream.write_all(format!("{head}{chunk}{chunk}{chunk}0\r\n\r\n").as_bytes()).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn where_a_large_body_may_come_it_does_up_to_a_limit_of_its_own() {
    let server = start();
    for (length, status) in [(64 << 10, 200), (256 << 10, 200), ((256 << 10) + 1, 413), (2 << 20, 413)] {
        let answer = text(server.http1().await.send_request(post("/large", length)).await).await;
        assert_eq!(answer.0, status, "{length} by HTTP/1.1: {}", answer.1);
        let answer = text(server.http2().await.send_request(post("https://localhost/large", length)).await).await;
        assert_eq!(answer.0, status, "{length} by HTTP/2: {}", answer.1);
    }
}

#[tokio::test]
async fn large_bodies_take_turns() {
    let limits = Limits { large_bodies: 1, ..settings().limits };
    let server = start_with(Settings { limits, ..settings() });
    let mut first = server.http1().await;
    let waiting = tokio::spawn(async move { text(first.send_request(post("/large/wait", 100 << 10)).await).await });
    server.arrived.acquire().await.unwrap().forget();
    let mut second = server.http1().await;
    let mut blocked = tokio::spawn(async move { text(second.send_request(post("/large", 100 << 10)).await).await });
    let small = text(server.http1().await.send_request(post("/large", 1 << 10)).await).await;
    assert_eq!(small.0, 200, "what is small does not wait");
    assert!(!blocked.is_finished());
    let passed = text(server.http1().await.send_request(post("/large/passed", 100 << 10)).await).await;
    assert_eq!(passed, (200, "POST localhost /large/passed tls=true body=0".to_owned()), "nor what is not kept");
    server.go.add_permits(1);
    assert_eq!((waiting.await.unwrap().0, (&mut blocked).await.unwrap().0), (200, 200));
}

#[tokio::test]
async fn what_is_too_large_takes_no_room_from_what_is_not() {
    let limits = Limits { large_bodies: 1, ..settings().limits };
    let server = start_with(Settings { limits, ..settings() });
    let mut endless = server.tls("localhost").await;
    let head = "POST /large HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n\r\n";
    endless.write_all(head.as_bytes()).await.unwrap();
    endless.write_all(&[b'x'; 1000]).await.unwrap();
    endless.flush().await.unwrap();
    let mut client = server.http1().await;
    for _ in 0..3 {
        let asked = async { text(client.send_request(post("/large", 100 << 10)).await).await };
        let answer = tokio::time::timeout(Duration::from_secs(5), asked).await.expect("it waits for room");
        assert_eq!(answer.0, 200);
    }
    endless.write_all(&vec![b'x'; 299_000]).await.unwrap();
    let mut answer = [0; 13];
    endless.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413 ", "it is heard out");
}

#[tokio::test]
async fn a_client_that_asks_first_is_refused_before_it_sends_a_body() {
    let server = start();
    let ask = |length: usize| {
        format!("POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n")
    };
    let mut stream = server.tls("localhost").await;
    stream.write_all(ask(100_000).as_bytes()).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && !answer.contains("100 Continue"), "{answer}");

    let mut stream = server.tls("localhost").await;
    stream.write_all(ask(2).as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
}

#[tokio::test]
async fn heads_above_the_limit_are_refused_by_the_front_whatever_their_length() {
    let server = start();
    let request = |length: usize| {
        let filler = "x".repeat(length);
        Request::get("https://localhost/").header("host", "localhost").header("x-filler", filler)
    };
    let too_large = (431, "refused: HeadersTooLarge".to_owned());
    let answer = server.http1().await.send_request(request(9 << 10).body(Full::default()).unwrap()).await;
    assert_eq!(text(answer).await, too_large);
    let answer = server.http2().await.send_request(request(9 << 10).body(Full::default()).unwrap()).await;
    assert_eq!(text(answer).await, too_large);
    for length in [17 << 10, 90 << 10, 300 << 10, 2 << 20] {
        let answer = server.http1().await.send_request(request(length).body(Full::default()).unwrap()).await;
        assert_eq!(text(answer).await, too_large, "{length}");
    }
    // What HTTP/2's own layer refuses is bare.
    let answer = server.http2().await.send_request(request(17 << 10).body(Full::default()).unwrap()).await;
    assert_eq!(text(answer).await, (431, String::new()));
}

#[tokio::test]
async fn targets_that_no_library_reads_are_refused_by_the_front() {
    let server = start();
    for length in [65_536, 200 << 10, 2 << 20] {
        let mut stream = server.tls("localhost").await;
        let head = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(length));
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        let answer = read_to_end(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{length}: {answer}");
        assert!(answer.ends_with("refused: HeadersTooLarge"), "{length}: {answer}");
    }
}

#[tokio::test]
async fn malformed_heads_get_400_by_this_table() {
    let server = start();
    let many: String = (0..101).map(|number| format!("a{number}: b\r\n")).collect();
    for (head, status) in [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("CONNECT a.vault.localhost:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nb c: d\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        ("GET / HTTP/9.9\r\nHost: a\r\n\r\n", 400),
        ("G\u{1}T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("nonsense\r\n\r\n", 400),
        (&format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n"), 431),
    ] {
        let mut stream = server.tls("localhost").await;
        stream.write_all(head.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        let answer = read_to_end(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head:?}: {answer:?}");
        assert!(answer.contains("\r\n\r\nrefused: "), "{head:?}: {answer:?}");
    }
}

#[tokio::test]
async fn a_panic_ends_one_request_and_not_its_connection() {
    let server = start();
    let mut client = server.http1().await;
    assert_eq!(text(client.send_request(get("/panic")).await).await, (500, "refused: Panicked".to_owned()));
    assert_eq!(text(client.send_request(get("/fine")).await).await.0, 200);
    let mut client = server.http2().await;
    assert_eq!(text(client.send_request(get("https://localhost/panic")).await).await.0, 500);
    let large = post("https://localhost/large/panic", 100 << 10);
    assert_eq!(text(client.send_request(large).await).await, (500, "refused: Panicked".to_owned()));
    assert_eq!(text(client.send_request(get("https://localhost/fine")).await).await.0, 200);
}
