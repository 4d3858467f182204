//! The network that stands for a client in limits and in the audit log.

use std::net::{IpAddr, Ipv6Addr};

/// The address itself for IPv4. For IPv6 the /64 network, because a client with one address there has all 2⁶⁴ of them.
pub(crate) fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}
