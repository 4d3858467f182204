//! The channels of a run: busy, rare and silent ones in each installation.

use super::random::Random;

/// The traffic of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Traffic {
    /// Most publications.
    Busy,
    /// A publication every few seconds.
    Rare,
    /// None before the run ends.
    Silent,
}

/// The number of channels of each kind in one installation.
const PER_INSTALLATION: [(Traffic, &str, usize); 3] =
    [(Traffic::Busy, "busy", 4), (Traffic::Rare, "rare", 4), (Traffic::Silent, "silent", 4)];
/// One of this many publications is for a rare channel.
const RARITY: u64 = 20;

/// One channel.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    /// The index of the installation. Installations use the same names.
    pub(super) tenant: usize,
    pub(super) name: String,
    pub(super) traffic: Traffic,
}

/// Returns the channels of all installations.
pub(super) fn all(tenants: usize) -> Vec<Channel> {
    let channels = (0..tenants).flat_map(|tenant| {
        PER_INSTALLATION.into_iter().flat_map(move |(traffic, name, count)| {
            (0..count).map(move |number| Channel { tenant, name: format!("{name}-{number}"), traffic })
        })
    });
    channels.collect()
}

/// Returns the index of a channel of an installation to publish to.
pub(super) fn choose(channels: &[Channel], tenant: usize, random: &mut Random) -> usize {
    let traffic = if random.within(0..RARITY) == 0 { Traffic::Rare } else { Traffic::Busy };
    let fitting: Vec<usize> = (0..channels.len())
        .filter(|index| channels[*index].tenant == tenant && channels[*index].traffic == traffic)
        .collect();
    fitting[random.index(fitting.len())]
}
