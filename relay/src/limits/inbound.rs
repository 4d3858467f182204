//! The inbound rate limits of one connection: frames and bytes per second.

use super::{Limit, Limits, bucket::Bucket};
use crate::refused::Refused;
use std::time::Instant;

/// The bytes of a frame besides its payload: the shortest header that a client can send.
const FRAME_HEADER: usize = 6;

/// The token buckets of one connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Inbound {
    frames: Bucket,
    bytes: Bucket,
}

impl Inbound {
    /// Takes the tokens of a frame, or refuses it if its rate is exceeded.
    pub(crate) fn take(&mut self, payload: usize, limits: &Limits, now: Instant) -> Result<(), Refused> {
        let (settings, now) = (limits.settings(), limits.moment(now));
        let frames = self.frames.take(1, settings.frames(), now);
        let bytes = self.bytes.take((payload + FRAME_HEADER) as u64, settings.bytes(), now);
        let refused = match (frames, bytes) {
            (Ok(()), Ok(())) => return Ok(()),
            (Err(_), _) => limits.refuse(Limit::Frames),
            (_, Err(_)) => limits.refuse(Limit::Bytes),
        };
        Err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use sealwire_protocol::Code;
    use std::time::Duration;

    #[test]
    fn frames_and_bytes_are_limited_per_connection() {
        let start = Instant::now();
        let settings = Settings {
            frame_rate: 10,
            frame_burst: 20,
            byte_rate: 100,
            byte_burst: 1000,
            ..Settings::default()
        };
        let limits = Limits::new(settings, start);
        let mut inbound = Inbound::default();
        for _ in 0..20 {
            inbound.take(0, &limits, start).unwrap();
        }
        let refused = inbound.take(0, &limits, start).unwrap_err();
        assert_eq!(refused.code, Code::RateLimited);
        assert!(refused.retry_after_ms() > 0 && refused.message.contains("frame_rate"));
        let mut inbound = Inbound::default();
        inbound.take(900, &limits, start).unwrap();
        assert!(inbound.take(100, &limits, start).unwrap_err().message.contains("byte_rate"));
        inbound.take(0, &limits, start + Duration::from_secs(1)).unwrap();
        assert_eq!([limits.refusals(Limit::Frames), limits.refusals(Limit::Bytes)], [1, 1]);
    }
}
