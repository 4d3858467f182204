//! The rates and bursts that the settings state, with those that are derived from others.

use super::{Rate, Settings};

const KIB: u64 = 1024;

impl Settings {
    /// The limit of messages per installation.
    #[must_use]
    pub fn publishes(&self) -> Rate {
        Rate { per_second: self.publish_rate, burst: self.publish_burst }
    }

    /// The limit of message bytes per installation.
    #[must_use]
    pub fn publish_bytes(&self) -> Rate {
        Rate {
            per_second: self.publish_byte_rate.unwrap_or(self.publish_rate.saturating_mul(16 * KIB)),
            burst: self.publish_byte_burst.unwrap_or(self.publish_burst.saturating_mul(64 * KIB)),
        }
    }

    /// The limit of messages per app.
    #[must_use]
    pub fn app_publishes(&self) -> Rate {
        Rate {
            per_second: self.publish_rate_per_app.unwrap_or(self.publish_rate.saturating_mul(10)),
            burst: self.publish_burst_per_app.unwrap_or(self.publish_burst.saturating_mul(10)),
        }
    }

    /// The limit of replayed bytes per installation.
    #[must_use]
    pub fn replays(&self) -> Rate {
        Rate { per_second: self.replay_rate, burst: self.replay_burst }
    }

    /// The limit of replayed bytes per session.
    #[must_use]
    pub fn session_replays(&self) -> Rate {
        Rate { per_second: self.replay_rate_per_session, burst: self.replay_burst_per_session }
    }

    /// The limit of requests to end sessions per app.
    #[must_use]
    pub fn disconnects(&self) -> Rate {
        Rate { per_second: self.disconnect_rate, burst: self.disconnect_burst }
    }

    /// The limit of requests to enter or watch presences per session.
    #[must_use]
    pub fn presences(&self) -> Rate {
        Rate { per_second: self.presence_rate, burst: self.presence_burst }
    }

    /// The limit of WebSocket frames per connection.
    #[must_use]
    pub fn frames(&self) -> Rate {
        Rate { per_second: self.frame_rate, burst: self.frame_burst }
    }

    /// The limit of bytes per connection.
    #[must_use]
    pub fn bytes(&self) -> Rate {
        Rate { per_second: self.byte_rate, burst: self.byte_burst }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwire_protocol::limits;

    #[test]
    fn rates_that_are_auto_are_derived_from_the_message_rate_of_an_installation() {
        let mut settings = Settings { publish_rate: 10, publish_burst: 100, ..Default::default() };
        assert_eq!(settings.publish_bytes(), Rate { per_second: 160 << 10, burst: 6400 << 10 });
        assert_eq!(settings.app_publishes(), Rate { per_second: 100, burst: 1000 });
        settings.publish_byte_burst = Some(7);
        settings.publish_rate_per_app = Some(8);
        assert_eq!(settings.publish_bytes(), Rate { per_second: 160 << 10, burst: 7 });
        assert_eq!(settings.app_publishes(), Rate { per_second: 8, burst: 1000 });
        // The largest batch always fits.
        let smallest = Settings { publish_rate: 1, publish_burst: 100, ..Default::default() };
        assert!(smallest.publish_bytes().burst >= limits::MAX_BODY as u64);
    }
}
