//! A collector of OpenTelemetry, which keeps every span that it gets.

use super::Certificate;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value},
    trace::v1::Span,
};
use prost::Message as _;
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer, pki_types::pem::PemObject as _};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::Notify,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

/// A span, with the attributes of the relay that sent it.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub name: String,
    pub trace: String,
    pub id: String,
    /// The id of the span above it, or empty.
    pub parent: String,
    /// 2 for a server, 3 for a client, 4 for a producer and 5 for a consumer.
    pub kind: i32,
    /// 2 for an error.
    pub status: i32,
    pub nanos: u64,
    pub attributes: BTreeMap<String, String>,
    pub resource: BTreeMap<String, String>,
}

impl Recorded {
    pub fn attribute(&self, key: &str) -> &str {
        self.attributes.get(key).unwrap_or_else(|| panic!("no {key} in {self:#?}"))
    }
}

#[derive(Default)]
struct State {
    spans: Mutex<Vec<Recorded>>,
    /// The bodies of all requests, and their heads as text.
    bytes: Mutex<Vec<u8>>,
    arrived: Notify,
    hangs: bool,
}

/// A running collector.
pub struct FakeCollector {
    pub address: SocketAddr,
    state: Arc<State>,
}

impl FakeCollector {
    pub async fn start() -> Self {
        Self::start_with(State::default(), None).await
    }

    /// Starts a collector that reads requests and never answers.
    pub async fn hanging() -> Self {
        Self::start_with(State { hangs: true, ..State::default() }, None).await
    }

    pub async fn start_tls(certificate: &Certificate) -> Self {
        let chain = vec![certificate.der()];
        let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Self::start_with(State::default(), Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn start_with(state: State, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::new(state));
        let serving = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (state, tls) = (serving.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, state).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, state).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, state }
    }

    /// The flags of a relay that sends its traces here and begins one for every publication.
    pub fn flags(&self) -> [String; 4] {
        let endpoint = format!("http://{}", self.address);
        ["--otlp-endpoint".into(), endpoint, "--trace-ratio".into(), "1".into()]
    }

    pub fn spans(&self) -> Vec<Recorded> {
        self.state.spans.lock().unwrap().clone()
    }

    /// Every byte that the relay sent.
    pub fn bytes(&self) -> Vec<u8> {
        self.state.bytes.lock().unwrap().clone()
    }

    /// Waits until this number of spans with this name arrived, and returns all of them.
    pub async fn until(&self, name: &str, count: usize) -> Vec<Recorded> {
        let arrived = async {
            loop {
                let notified = self.state.arrived.notified();
                let found: Vec<_> = self.spans().into_iter().filter(|span| span.name == name).collect();
                if found.len() >= count {
                    return found;
                }
                notified.await;
            }
        };
        let waited = timeout(Duration::from_secs(10), arrived).await;
        waited.unwrap_or_else(|_| panic!("not {count} of {name}: {:#?}", self.spans()))
    }

    /// Waits until a request arrived.
    pub async fn until_asked(&self) {
        let asked = async {
            loop {
                let notified = self.state.arrived.notified();
                if !self.state.bytes.lock().unwrap().is_empty() {
                    return;
                }
                notified.await;
            }
        };
        timeout(Duration::from_secs(10), asked).await.expect("the relay sent nothing");
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, state: Arc<State>) {
    let service = service_fn(|request| take(request, state.clone()));
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn take(request: Request<Incoming>, state: Arc<State>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    assert_eq!((head.method.as_str(), head.uri.path()), ("POST", "/v1/traces"));
    assert_eq!(head.headers["content-type"], "application/x-protobuf");
    let body = body.collect().await.unwrap().to_bytes();
    let mut bytes = format!("{head:?}\n").into_bytes();
    bytes.extend_from_slice(&body);
    state.bytes.lock().unwrap().extend(bytes);
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    for resource in request.resource_spans {
        let of = texts(&resource.resource.unwrap().attributes);
        let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        state.spans.lock().unwrap().extend(spans.map(|span| recorded(span, of.clone())));
    }
    state.arrived.notify_waiters();
    if state.hangs {
        std::future::pending::<()>().await;
    }
    Ok(Response::new(Full::default()))
}

fn recorded(span: Span, resource: BTreeMap<String, String>) -> Recorded {
    Recorded {
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        kind: span.kind,
        status: span.status.unwrap_or_default().code,
        nanos: span.end_time_unix_nano - span.start_time_unix_nano,
        attributes: texts(&span.attributes),
        name: span.name,
        resource,
    }
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| match attribute.value.clone().unwrap().value.unwrap() {
        any_value::Value::StringValue(text) => text,
        any_value::Value::IntValue(number) => number.to_string(),
        any_value::Value::BoolValue(flag) => flag.to_string(),
        other => panic!("{other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
