//! Questions to the monitoring port of a NATS server.

use crate::http_get::http_get;
use serde_json::Value;
use std::net::SocketAddr;

/// Returns the JSON at a path of a server's monitoring address; `None` if the server does not answer in time.
fn get(address: SocketAddr, path: &str) -> Option<Value> {
    serde_json::from_slice(&http_get(address, path)?.1).ok()
}

/// Returns whether the server says that it and its JetStream are healthy.
pub(super) fn is_healthy(address: SocketAddr) -> bool {
    get(address, "/healthz").is_some_and(|answer| answer["status"] == "ok")
}

/// Returns the name of the leader of JetStream's own group.
pub(super) fn meta_leader(address: SocketAddr) -> Option<String> {
    name(&get(address, "/jsz")?["meta_cluster"]["leader"])
}

/// One stream, as one of its servers sees it.
pub(super) struct StreamView {
    pub(super) name: String,
    /// The sequence of the last message that the server has.
    pub(super) last_sequence: u64,
    /// The leadership, if the server believes that it leads the stream. Only a leader knows its replicas.
    pub(super) leadership: Option<Leadership>,
}

/// The leadership of a stream, as its leader sees it.
pub(super) struct Leadership {
    /// The time of the election, in RFC 3339.
    pub(super) since: String,
    /// Every other replica is there and has everything.
    pub(super) is_whole: bool,
}

/// Returns every stream that the server holds.
pub(super) fn streams(address: SocketAddr) -> Option<Vec<StreamView>> {
    let answer = get(address, "/jsz?accounts=true&streams=true")?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let accounts = list(&answer["account_details"]);
    let streams = accounts.iter().flat_map(|account| list(&account["stream_detail"]));
    let view = |stream: Value| {
        let cluster = &stream["cluster"];
        let is_whole = list(&cluster["replicas"]).iter().all(|replica| {
            replica["current"] == true && replica["offline"] != true && replica["lag"].is_null()
        });
        // A server without a cluster leads all of its streams.
        let since =
            if cluster["replicas"].is_null() { Some(String::new()) } else { name(&cluster["leader_since"]) };
        Some(StreamView {
            name: name(&stream["name"])?,
            last_sequence: stream["state"]["last_seq"].as_u64()?,
            leadership: since.map(|since| Leadership { since, is_whole }),
        })
    };
    Some(streams.filter_map(view).collect())
}

fn name(value: &Value) -> Option<String> {
    value.as_str().filter(|name| !name.is_empty()).map(str::to_owned)
}
