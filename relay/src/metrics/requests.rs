//! Counters of HTTP responses by endpoint and status.

use std::sync::atomic::{AtomicU64, Ordering};

/// An endpoint, as metrics and the access log name it. The path of a request is never used, because clients choose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Realtime,
    Stream,
    Send,
    Publish,
    Disconnect,
    Openapi,
    Healthz,
    Readyz,
    Other,
}

impl Route {
    const ALL: [Self; 9] = [
        Self::Realtime,
        Self::Stream,
        Self::Send,
        Self::Publish,
        Self::Disconnect,
        Self::Openapi,
        Self::Healthz,
        Self::Readyz,
        Self::Other,
    ];

    pub(crate) fn of(path: &str) -> Self {
        let known = |route: &&Self| route.path() == path;
        Self::ALL.iter().find(known).copied().unwrap_or(Self::Other)
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Realtime => "/v1/realtime",
            Self::Stream => "/v1/stream",
            Self::Send => "/v1/send",
            Self::Publish => "/v1/publish",
            Self::Disconnect => "/v1/disconnect",
            Self::Openapi => "/v1/openapi.json",
            Self::Healthz => "/healthz",
            Self::Readyz => "/readyz",
            Self::Other => "other",
        }
    }
}

/// The statuses of the relay's responses. One more counter is for any other.
const STATUSES: [u16; 18] =
    [101, 200, 202, 204, 400, 401, 403, 404, 405, 408, 409, 413, 415, 426, 429, 431, 500, 503];

#[derive(Default)]
pub(crate) struct Requests([[AtomicU64; STATUSES.len() + 1]; Route::ALL.len()]);

impl Requests {
    pub(crate) fn add(&self, route: Route, status: u16) {
        let status = STATUSES.binary_search(&status).unwrap_or(STATUSES.len());
        self.0[route as usize][status].fetch_add(1, Ordering::Relaxed);
    }

    /// Every combination of endpoint and status that occurred, with its count.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Route, String, u64)> {
        Route::ALL.into_iter().zip(&self.0).flat_map(|(route, counts)| {
            let named = counts.iter().enumerate().filter_map(|(index, count)| {
                let count = count.load(Ordering::Relaxed);
                let status = STATUSES.get(index).map_or("other".to_owned(), u16::to_string);
                (count > 0).then_some((status, count))
            });
            named.map(move |(status, count)| (route, status, count))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_endpoint_and_status() {
        let requests = Requests::default();
        for (path, status) in [("/v1/publish", 200), ("/v1/publish", 200), ("/x/<script>", 404), ("/", 418)] {
            requests.add(Route::of(path), status);
        }
        let counted: Vec<_> =
            requests.iter().map(|(route, status, count)| (route.path(), status, count)).collect();
        let expected = [("/v1/publish", "200", 2), ("other", "404", 1), ("other", "other", 1)];
        assert_eq!(counted, expected.map(|(path, status, count)| (path, status.to_owned(), count)));
    }

    #[test]
    fn every_endpoint_has_its_own_counters() {
        for (index, route) in Route::ALL.into_iter().enumerate() {
            assert_eq!(route as usize, index);
            assert_eq!(Route::of(route.path()), route);
        }
        assert!(STATUSES.is_sorted());
    }
}
