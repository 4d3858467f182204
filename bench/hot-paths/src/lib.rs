//! The hot paths: the work of the relay and its clients for every message and every connection, in a repeatable form.
//! `cargo bench -p sealwire-hot-paths` times them, and the program of this crate counts their instructions.

mod client;
mod relay;
mod session;

/// A prepared hot path.
pub struct HotPath {
    /// The name in the budget.
    pub name: &'static str,
    /// Performs the work once.
    pub work: Box<dyn FnMut()>,
}

impl HotPath {
    fn new(name: &'static str, work: impl FnMut() + 'static) -> Self {
        Self { name, work: Box::new(work) }
    }
}

/// The names of all hot paths.
pub const NAMES: [&str; 10] = [
    "verify a session token",
    "open a session and subscribe",
    "take a publish frame",
    "channel id",
    "publish in the hub",
    "encode a publication",
    "deliver to 1,000 subscribers",
    "look at 2,048 of 100,000 channels",
    "seal 128 bytes",
    "open 128 bytes",
];

/// Prepares the hot path of this name. Returns `None` for an unknown name.
#[must_use]
pub fn prepare(name: &str) -> Option<HotPath> {
    let name = NAMES.into_iter().find(|known| *known == name)?;
    Some(match name {
        "verify a session token" => HotPath::new(name, session::verify()),
        "open a session and subscribe" => HotPath::new(name, session::open()),
        "take a publish frame" => HotPath::new(name, session::publish()),
        "channel id" => HotPath::new(name, relay::channel_id()),
        "publish in the hub" => HotPath::new(name, relay::hub()),
        "encode a publication" => HotPath::new(name, relay::encode()),
        "deliver to 1,000 subscribers" => HotPath::new(name, relay::deliver()),
        "look at 2,048 of 100,000 channels" => HotPath::new(name, relay::look()),
        "seal 128 bytes" => HotPath::new(name, client::seal()),
        _ => HotPath::new(name, client::open()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hot_path_runs_repeatedly() {
        for name in NAMES {
            let mut path = prepare(name).unwrap();
            assert_eq!(path.name, name);
            (path.work)();
            (path.work)();
        }
        assert!(prepare("no such thing").is_none());
    }
}
