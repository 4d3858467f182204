//! A TCP proxy on loopback that delays, stalls, throttles, cuts or refuses connections, for tests between two processes.

mod mode;
mod pump;
#[cfg(test)]
mod tests;

pub use mode::Fault;

use crate::runtime::runtime;
use mode::Control;
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// A proxy in front of one address. Dropping it closes its listener and its connections.
pub struct FaultProxy {
    address: SocketAddr,
    control: watch::Sender<Control>,
    accepting: JoinHandle<()>,
}

impl FaultProxy {
    /// Starts a proxy in front of `target` on a port that the system chooses.
    ///
    /// # Panics
    /// If loopback has no free port.
    #[must_use]
    pub fn start(target: SocketAddr) -> Self {
        let listener =
            std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        listener.set_nonblocking(true).expect("a socket takes options");
        let address = listener.local_addr().expect("the listener is bound");
        let (control, orders) = watch::channel(Control { fault: Fault::None, target, cuts: 0 });
        let accepting = runtime().spawn(async move {
            let listener = TcpListener::from_std(listener).expect("the runtime has an I/O driver");
            loop {
                match listener.accept().await {
                    Ok((client, _)) => drop(runtime().spawn(serve(client, orders.clone()))),
                    // The process has no file descriptor left for now.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        });
        Self { address, control, accepting }
    }

    /// Returns the address to connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the current fault.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.control.borrow().fault
    }

    /// Shows a fault from now on.
    pub fn set(&self, fault: Fault) {
        self.control.send_modify(|control| control.fault = fault);
    }

    /// Resets all connections. New ones are not affected.
    pub fn cut(&self) {
        self.control.send_modify(|control| control.cuts += 1);
    }

    /// Connects new connections to another address from now on.
    pub fn set_target(&self, target: SocketAddr) {
        self.control.send_modify(|control| control.target = target);
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.cut();
        self.accepting.abort();
    }
}

/// Serves one connection until it ends or is cut.
async fn serve(mut client: TcpStream, orders: watch::Receiver<Control>) {
    let Control { fault, target, cuts } = *orders.borrow();
    let server = match fault {
        Fault::Refuse => None,
        _ => TcpStream::connect(target).await.ok(),
    };
    let Some(mut server) = server else { return reset(&client) };
    for stream in [&client, &server] {
        // A connection that is already closed needs no option.
        let _ = stream.set_nodelay(true);
    }
    let mut cut = orders.clone();
    tokio::select! {
        () = pump::both_directions(&mut client, &mut server, &orders) => {}
        // An error means that the proxy was dropped, which is a cut as well.
        _ = cut.wait_for(|control| control.cuts != cuts) => {
            reset(&client);
            reset(&server);
        }
    }
}

/// Makes the closing of a connection a TCP reset.
fn reset(stream: &TcpStream) {
    // A connection that is already closed needs no reset.
    let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
