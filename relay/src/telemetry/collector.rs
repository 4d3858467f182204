//! The client of the collector: OTLP over HTTP, with a bound on everything that the collector sends back.

use super::exporter::{SendError, Sink};
use crate::settings::OtlpEndpoint;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message as _;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::{error::Error, sync::Arc};
use warp::http::{Request, Uri, header};

/// The maximum size of a response. The one that OTLP defines has a number and a text.
const MAX_RESPONSE: usize = 64 * 1024;

/// The error of a collector that can never be reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectorError {
    /// The system trusts no authority, so no certificate can be verified.
    #[error(
        "the system has no certificates of authorities, which https needs; install the package ca-certificates, or name a \
         file in SSL_CERT_FILE"
    )]
    NoAuthorities,
    /// The TLS library refused its configuration.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The address cannot be used in a request.
    #[error("the address cannot be used: {0}")]
    Address(#[from] warp::http::uri::InvalidUri),
}

/// A collector of OpenTelemetry.
pub(super) struct Collector {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: Uri,
}

impl Collector {
    pub(super) fn new(endpoint: &OtlpEndpoint) -> Result<Self, CollectorError> {
        let mut authorities = RootCertStore::empty();
        if endpoint.has_tls() {
            authorities.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if authorities.is_empty() {
                return Err(CollectorError::NoAuthorities);
            }
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(authorities)
            .with_no_client_auth();
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, url: endpoint.to_string().parse()? })
    }
}

impl Sink for Collector {
    async fn send(&self, request: &ExportTraceServiceRequest) -> Result<u64, SendError> {
        let body = Full::new(Bytes::from(request.encode_to_vec()));
        let mut request = Request::post(self.url.clone()).body(body).map_err(|error| explain(&error))?;
        let kind = header::HeaderValue::from_static("application/x-protobuf");
        request.headers_mut().insert(header::CONTENT_TYPE, kind);
        let response = self.client.request(request).await.map_err(|error| explain(&error))?;
        let status = response.status().as_u16();
        if !response.status().is_success() {
            return Err(SendError::Status(status));
        }
        let body = Limited::new(response.into_body(), MAX_RESPONSE).collect().await;
        let body = body.map_err(|error| SendError::Unreachable(error.to_string()))?.to_bytes();
        // A response that is not of OTLP is not an error of the spans.
        let response = ExportTraceServiceResponse::decode(body).unwrap_or_default();
        let rejected = response.partial_success.map_or(0, |partial| partial.rejected_spans);
        Ok(u64::try_from(rejected).unwrap_or(0))
    }
}

/// The text of an error and its causes.
fn explain(error: &(dyn Error + 'static)) -> SendError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    SendError::Unreachable(text)
}
