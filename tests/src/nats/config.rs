//! The configuration file of one NATS server.

use super::{Certificates, NatsOptions, NatsUser};
use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
    path::Path,
};

/// The ports of one server.
#[derive(Clone, Copy)]
pub(super) struct Ports {
    pub(super) client: u16,
    pub(super) monitor: u16,
    pub(super) route: u16,
}

/// The part of the configuration that differs between the servers of a cluster.
pub(super) struct ServerConfig<'a> {
    pub(super) name: &'a str,
    pub(super) folder: &'a Path,
    pub(super) address: IpAddr,
    pub(super) ports: Ports,
    /// The addresses through which this server reaches the others; empty for a single server.
    pub(super) routes: Vec<SocketAddr>,
    /// A port that accepts no connection. Servers tell each other their addresses and may connect to those, past the proxies
    /// between them; this one leads nowhere.
    pub(super) advertised: u16,
}

/// Returns the text of the file.
pub(super) fn text(server: &ServerConfig<'_>, options: &NatsOptions, certificates: &Certificates) -> String {
    let ServerConfig { name, folder, address, ports: Ports { client, monitor, route }, routes, advertised } =
        server;
    let mut text = format!(
        "server_name: {name}\nlisten: \"{address}:{client}\"\nhttp: \"{address}:{monitor}\"\n\
         log_file: {log:?}\nlogfile_size_limit: 16MB\n\
         jetstream {{ store_dir: {store:?}, max_memory_store: 1GB, max_file_store: 64MB }}\n{extra}\n",
        log = folder.join("log"),
        store = folder.join("store"),
        extra = options.settings,
    );
    if !routes.is_empty() {
        let (authorization, user) = match &options.route_password {
            Some(password) => (
                format!("authorization: {{ user: route, password: {password:?} }}, "),
                format!("route:{password}@"),
            ),
            None => Default::default(),
        };
        let routes: Vec<_> =
            routes.iter().map(|address| format!("\"nats-route://{user}{address}\"")).collect();
        let _ = writeln!(
            text,
            "cluster {{ name: test, listen: \"{address}:{route}\", advertise: \"127.0.0.1:{advertised}\", \
             no_advertise: true, {authorization}routes: [{}] }}",
            routes.join(", ")
        );
    }
    if options.tls || options.client_certificates {
        let Certificates { authority, server, server_key, .. } = certificates;
        let _ = writeln!(
            text,
            "tls {{ cert_file: {server:?}, key_file: {server_key:?}, ca_file: {authority:?}, verify: {} }}",
            options.client_certificates
        );
    }
    if !options.users.is_empty() {
        let users: Vec<_> = options.users.iter().map(user).collect();
        let _ = writeln!(text, "authorization {{ users: [{}] }}", users.join(", "));
    }
    text
}

fn user(user: &NatsUser) -> String {
    let NatsUser { name, password, publish, subscribe } = user;
    let mut permissions = String::new();
    for (kind, subjects) in [("publish", publish), ("subscribe", subscribe)] {
        if let Some(subjects) = subjects {
            let _ = write!(permissions, "{kind}: {{ allow: {subjects:?} }}, ");
        }
    }
    format!("{{ user: {name:?}, password: {password:?}, permissions: {{ {permissions} }} }}")
}
