//! Hosts on a network of their own (Linux): each one is a network namespace with a cable to a common switch. An unplugged
//! host is silent, as a machine without power is: nobody closes or resets its connections.

mod network;

pub use network::{SWITCH, enter};

use std::{
    ffi::OsStr,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// The time that the system has to create a namespace.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// A host. Dropping it removes its network.
pub struct Host {
    address: Ipv4Addr,
    /// The switch's end of the cable.
    cable: String,
    /// A process that does nothing. The namespace lasts as long as it.
    keeper: Child,
}

impl Host {
    /// Returns the given number of hosts on the network that [`enter`] created.
    ///
    /// # Panics
    /// If this process is not on that network, or there are more hosts than addresses.
    #[must_use]
    pub fn create(number: usize) -> Vec<Self> {
        let first = u32::from(SWITCH) + 1;
        let addresses = (first..).map(Ipv4Addr::from);
        addresses.take(number).map(Self::start).collect()
    }

    fn start(address: Ipv4Addr) -> Self {
        let cable = format!("host{}", address.octets()[3]);
        let keeper =
            Command::new("unshare").args(["--net", "sleep", "infinity"]).stdin(Stdio::null()).spawn();
        let keeper = keeper.expect("`unshare` of util-linux starts");
        let host = Self { address, cable, keeper };
        host.await_namespace();
        let (cable, namespace) = (host.cable.as_str(), host.keeper.id().to_string());
        network::ip(&["link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", &namespace]);
        network::ip(&["link", "set", cable, "master", network::SWITCH_NAME, "up"]);
        let own = format!("{address}/{}", network::PREFIX);
        for arguments in [
            vec!["link", "set", "lo", "up"],
            vec!["addr", "add", &own, "dev", "eth0"],
            vec!["link", "set", "eth0", "up"],
        ] {
            let status = host.command("ip").args(arguments).status();
            assert!(status.is_ok_and(|status| status.success()), "the host {address} takes its settings");
        }
        host
    }

    /// Waits until the keeper has a namespace of its own.
    fn await_namespace(&self) {
        let namespace = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net")).ok();
        let deadline = Instant::now() + START_TIMEOUT;
        while namespace(&self.keeper.id().to_string()).is_none_or(|other| Some(other) == namespace("self")) {
            assert!(Instant::now() < deadline, "the system creates a network namespace");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Returns the address.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address.into()
    }

    /// Returns the address with a port.
    #[must_use]
    pub fn at(&self, port: u16) -> SocketAddr {
        (self.address, port).into()
    }

    /// Returns a command that runs a program on the host. The process has the id that the child reports.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.keeper.id())).arg("--").arg(program);
        command
    }

    /// Unplugs the host's cable.
    pub fn unplug(&self) {
        network::ip(&["link", "set", &self.cable, "down"]);
    }

    /// Plugs the cable in.
    pub fn plug(&self) {
        network::ip(&["link", "set", &self.cable, "up"]);
    }

    /// Ends every fault of the host's network.
    pub fn heal(&self) {
        self.plug();
        self.separate(false);
    }

    /// Separates the host from all other hosts that are separated, in both directions, or ends that. Both still reach the
    /// rest of the network.
    pub fn separate(&self, is_separated: bool) {
        let state = if is_separated { "on" } else { "off" };
        network::ip(&["link", "set", &self.cable, "type", "bridge_slave", "isolated", state]);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // The cable goes with the namespace. A keeper that has ended already needs no kill.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}
