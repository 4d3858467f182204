//! Ports for the servers of a cluster. Its members must know each other's ports before they start, so the system cannot
//! choose them.

use std::{
    collections::HashSet,
    net::{Ipv4Addr, TcpListener},
};

/// The ports to choose from. Below them are well-known ports, above them the system takes ports for outgoing connections,
/// one of which could hold a server's port while the server restarts.
const RANGE: std::ops::Range<u16> = 15_000..32_000;

/// Returns `count` different ports that are free now.
///
/// # Panics
/// If loopback has too few free ports.
pub(super) fn free(count: usize) -> Vec<u16> {
    let mut ports = HashSet::new();
    let mut held = Vec::new();
    for _ in 0..1_000 {
        let port = RANGE.start + (random() % (RANGE.end - RANGE.start));
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            && ports.insert(port)
        {
            held.push(listener);
        }
        if ports.len() == count {
            return ports.into_iter().collect();
        }
    }
    panic!("loopback has no {count} free ports in {RANGE:?}");
}

fn random() -> u16 {
    let mut bytes = [0; 2];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    u16::from_le_bytes(bytes)
}
