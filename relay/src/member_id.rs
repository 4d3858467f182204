//! The id of a member of a presence, which the client chooses.

use sealwire_protocol::limits::MEMBER_ID;

/// The id of a member.
pub type MemberId = [u8; MEMBER_ID];
