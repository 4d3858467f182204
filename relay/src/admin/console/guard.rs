//! The checks that keep other pages of an operator's browser away from the console, and the headers of its responses.
//!
//! A page of another site may make the browser send requests to a loopback address, and after DNS rebinding it may even
//! read the responses. The console has no cookies. It answers only to names that DNS cannot rebind, and changes nothing
//! without a header that a page of another origin cannot send.

use crate::http::HttpError;
use std::net::{IpAddr, Ipv6Addr};
use warp::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, uri::Authority},
    reply::Response,
};

/// The header of the console's own POST requests. A browser sends it to another origin only after a preflight, which the
/// console refuses.
const CONSOLE: HeaderName = HeaderName::from_static("sealwire-console");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The page may load its own files and nothing else, and cannot be framed. Trusted Types refuse texts as markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// The headers of every response of the console.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// The origin of a request, as far as its headers state it.
pub(super) struct Guard<'a>(&'a HeaderMap);

impl<'a> Guard<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        Self(headers)
    }

    /// Refuses a request under a name that DNS decides, and one of a page of another origin.
    pub(super) fn check_read(&self) -> Result<(), HttpError> {
        let Some(host) = self.host() else {
            let message = "open the console by IP address or as localhost, such as http://localhost:7441/console; with \
                           other names, pages of other sites could reach it (DNS rebinding)";
            return Err(HttpError::new(StatusCode::FORBIDDEN, message));
        };
        let is_own =
            |origin: &str| origin.strip_prefix("http://").is_some_and(|name| name.eq_ignore_ascii_case(host));
        let is_from_here = self.texts(header::ORIGIN).all(|origin| origin.is_some_and(is_own))
            && self.texts(FETCH_SITE).all(|site| matches!(site, Some("same-origin" | "none")));
        if is_from_here {
            Ok(())
        } else {
            Err(HttpError::new(StatusCode::FORBIDDEN, "the console answers only to its own page"))
        }
    }

    /// Refuses in addition a request without the headers that only the console's page sends.
    pub(super) fn check_write(&self) -> Result<(), HttpError> {
        self.check_read()?;
        if !self.0.contains_key(CONSOLE) || !self.0.contains_key(header::ORIGIN) {
            let message = "send the headers 'Sealwire-Console: 1' and 'Origin', as the console's page does";
            return Err(HttpError::new(StatusCode::FORBIDDEN, message));
        }
        let is_json = self.texts(header::CONTENT_TYPE).any(|kind| kind == Some("application/json"));
        if is_json {
            Ok(())
        } else {
            let message = "the body must be JSON; set 'Content-Type: application/json'";
            Err(HttpError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
        }
    }

    /// The host with its port, if it is an IP address or `localhost`.
    fn host(&self) -> Option<&'a str> {
        let mut all = self.0.get_all(header::HOST).iter();
        let host = all.next().filter(|_| all.next().is_none())?.to_str().ok()?;
        // `Authority::host` is the part behind a user name, which no browser sends.
        let authority: Authority = host.parse().ok().filter(|_| !host.contains('@'))?;
        let name = authority.host();
        let is_v6 = || name.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
        let is_fixed =
            name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok() || is_v6().is_some();
        is_fixed.then_some(host)
    }

    fn texts(&self, name: HeaderName) -> impl Iterator<Item = Option<&'a str>> {
        self.0.get_all(name).iter().map(|value| value.to_str().ok())
    }
}

/// Adds the headers of every response.
pub(super) fn harden(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let named =
            |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        lines.iter().map(named).collect()
    }

    #[test]
    fn the_console_answers_under_addresses_and_localhost_only() {
        for host in ["127.0.0.1:7441", "localhost:7441", "LOCALHOST", "[::1]:7441", "10.0.0.1", "127.0.0.1"] {
            assert!(Guard::of(&headers(&[("host", host)])).check_read().is_ok(), "{host}");
        }
        for host in
            ["evil.example:7441", "localhost.evil.example", "127.0.0.1.nip.io", "evil@127.0.0.1", "", "::1"]
        {
            let refused = Guard::of(&headers(&[("host", host)])).check_read().unwrap_err();
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{host}");
        }
        assert!(Guard::of(&HeaderMap::new()).check_read().is_err());
        let mut two = headers(&[("host", "127.0.0.1")]);
        two.append("host", HeaderValue::from_static("127.0.0.1"));
        assert!(Guard::of(&two).check_read().is_err());
    }

    #[test]
    fn pages_of_other_origins_are_refused_and_changes_need_the_headers_of_the_own_page() {
        const HOST: (&str, &str) = ("host", "127.0.0.1:7441");
        for (line, admits) in [
            (("origin", "http://127.0.0.1:7441"), true),
            (("origin", "http://127.0.0.1:3000"), false),
            (("origin", "https://127.0.0.1:7441"), false),
            (("origin", "http://localhost:7441"), false),
            (("origin", "null"), false),
            (("sec-fetch-site", "same-origin"), true),
            (("sec-fetch-site", "none"), true),
            (("sec-fetch-site", "same-site"), false),
            (("sec-fetch-site", "cross-site"), false),
        ] {
            assert_eq!(Guard::of(&headers(&[HOST, line])).check_read().is_ok(), admits, "{line:?}");
        }
        let complete = [
            HOST,
            ("origin", "http://127.0.0.1:7441"),
            ("sealwire-console", "1"),
            ("content-type", "application/json"),
        ];
        assert!(Guard::of(&headers(&complete)).check_write().is_ok());
        for missing in 0..complete.len() {
            let mut lines = complete.to_vec();
            lines.remove(missing);
            assert!(Guard::of(&headers(&lines)).check_write().is_err(), "{missing}");
        }
    }
}
