//! The bare things to compare with: the operations without a server, and a server without operations.

use crate::{Failure, ROUND, process::thread_nanoseconds};
use custody::{Encrypt, KeyHandle, Provider as _, SoftwareProvider, SystemEntropy};
use domain::{Curve, EncryptionAlgorithm, KeySpec, SignatureAlgorithm};
use std::{fs, sync::Arc, time::Instant};

/// Opened keys, used in a loop.
pub struct BareOperations {
    ec: Box<dyn KeyHandle>,
    rsa: Box<dyn KeyHandle>,
    aes: Box<dyn KeyHandle>,
}

impl BareOperations {
    pub fn new() -> Result<Self, Failure> {
        let open = |spec| -> Result<Box<dyn KeyHandle>, Failure> {
            let made = SoftwareProvider.generate(spec, &SystemEntropy)?;
            Ok(SoftwareProvider.open(spec, &made.public, &made.material)?)
        };
        Ok(Self {
            ec: open(KeySpec::Ec { curve: Curve::P256 })?,
            rsa: open(KeySpec::Rsa { bits: 2048 })?,
            aes: open(KeySpec::Oct { bits: 256 })?,
        })
    }

    /// Microseconds of the report's operation at this place. A get has none.
    pub fn microseconds(&self, at: usize) -> Result<f64, Failure> {
        if (1..5).contains(&at) { microseconds_of(|| self.run(at)) } else { Ok(0.0) }
    }

    /// Does the report's operation at this place.
    fn run(&self, at: usize) -> Result<(), custody::Error> {
        let sign = |key: &dyn KeyHandle, algorithm| key.sign(algorithm, &[0; 32], &SystemEntropy).map(drop);
        let encrypt = |algorithm| {
            let request = Encrypt { algorithm, plaintext: &[0; 32], iv: None, aad: None };
            self.aes.encrypt(&request, &SystemEntropy).map(drop)
        };
        match at {
            1 => sign(&*self.ec, SignatureAlgorithm::Es256),
            2 => sign(&*self.rsa, SignatureAlgorithm::Rs256),
            3 => encrypt(EncryptionAlgorithm::A256Gcm),
            4 => encrypt(EncryptionAlgorithm::A256Kw),
            _ => Ok(()),
        }
    }
}

/// This thread's CPU for one of many.
fn microseconds_of(work: impl Fn() -> Result<(), custody::Error>) -> Result<f64, Failure> {
    let (began, mut done) = (Instant::now(), 0_u32);
    let before = thread_nanoseconds()?;
    while began.elapsed() < ROUND / 4 {
        work()?;
        done += 1;
    }
    Ok((thread_nanoseconds()? - before) / 1e3 / f64::from(done))
}

/// A hyper server over rustls that answers every request with the same 400 bytes. Under `/{place}/` it does the report's
/// operation at that place first.
pub fn serve() -> Result<(), Failure> {
    let key = rcgen::KeyPair::generate()?;
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])?.self_signed(&key)?;
    fs::write("bare.pem", certificate.pem())?;
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let operations = Arc::new(BareOperations::new()?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(accept(tokio_rustls::TlsAcceptor::from(Arc::new(tls)), operations))
}

#[expect(clippy::print_stdout, reason = "the parent waits for this line")]
async fn accept(tls: tokio_rustls::TlsAcceptor, operations: Arc<BareOperations>) -> Result<(), Failure> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    fs::write("bare.env", format!("PORT={}\n", listener.local_addr()?.port()))?;
    println!("ready");
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let (tls, operations) = (tls.clone(), Arc::clone(&operations));
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(socket).await else { return };
            let service = hyper::service::service_fn(|request| answer(request, &operations));
            let stream = hyper_util::rt::TokioIo::new(stream);
            // A connection that breaks off is the end of a measurement.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await;
        });
    }
}

async fn answer(
    request: hyper::Request<hyper::body::Incoming>,
    operations: &BareOperations,
) -> Result<hyper::Response<String>, Failure> {
    use http_body_util::BodyExt as _;
    let place = request.uri().path().split('/').nth(1).and_then(|first| first.parse().ok());
    operations.run(place.unwrap_or_default())?;
    let _ = request.into_body().collect().await;
    let body = format!(r#"{{"kid":"{}","value":"{}"}}"#, "k".repeat(200), "v".repeat(175));
    let mut response = hyper::Response::new(body);
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    Ok(response)
}
