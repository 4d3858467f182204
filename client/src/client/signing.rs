//! Signing as a page: the host signs with the page's key, which the session certifies. A session that was granted before the
//! first signature has no certificate; the client then requests another one.

use crate::{
    Client, ClientError, Now, PublishId, SessionReason, SigningId,
    state::{own_entry::Sent, session_requests::SessionRequest},
};
use sealwire_protocol::{Code, Signature};

/// The pause between two requests for a certificate.
const CERTIFICATE_REQUEST_PAUSE_MS: u64 = 5_000;

impl Client {
    /// Handles the host's answer to [`crate::Event::SignRequested`]. `None` says that the host could not sign.
    pub fn handle_signed(&mut self, now: Now, signing: SigningId, signature: Option<Signature>) {
        // The id of a publication is also that of its signing.
        let publish = PublishId(signing.0);
        if self.publishes.awaits_signature(publish) {
            match signature {
                Some(signature) => self.publishes.signed(publish, signature),
                None => self.fail_publish(publish, could_not_sign()),
            }
        } else {
            self.entry_signed(now, signing, signature);
        }
        self.advance(now);
    }

    /// Requests a session that certifies the page's key, unless one was requested a short time ago.
    pub(super) fn request_certificate(&mut self, now: Now) {
        let was_requested = self
            .certificate_requested_at
            .is_some_and(|at| now.instant.since(at) < CERTIFICATE_REQUEST_PAUSE_MS);
        if !was_requested && self.session_requests.pending().is_none() {
            self.certificate_requested_at = Some(now.instant);
            self.request_session(now, SessionReason::Refresh);
        }
    }

    /// Fails the publications and entries that the page cannot sign if a requested session has no certificate.
    pub(super) fn check_certificate(&mut self, now: Now, request: SessionRequest) {
        if self.is_certified(now) {
            self.certificate_requested_at = None;
        } else if request.certify {
            self.fail_unsigned(
                now,
                &signing_unavailable(
                    "the app's session does not certify this page: to sign, it needs a user who is logged in, and a \
                     session of sealwire/resolver that got the page's public key",
                ),
            );
        }
    }

    /// Fails the publications and entries that the page has yet to sign.
    pub(super) fn fail_unsigned(&mut self, now: Now, error: &ClientError) {
        let unsigned: Vec<PublishId> = self.publishes.unsigned().collect();
        for id in unsigned {
            self.fail_publish(id, error.clone());
        }
        for id in self.channels.keys() {
            let own = self.presence_mut(id).map(|presence| &presence.own);
            if own.is_some_and(|own| own.sent == Sent::AwaitingCertificate) {
                self.fail_own(now, id, error.clone());
            }
        }
    }

    /// Returns true if a publication waits for a certificate, which only the app's session can bring.
    pub(super) fn awaits_certificate(&self, now: Now, id: PublishId) -> bool {
        self.phase.is_connected()
            && !self.is_certified(now)
            && self.publishes.unsigned().any(|unsigned| unsigned == id)
    }

    fn is_certified(&self, now: Now) -> bool {
        self.session.as_ref().is_some_and(|session| session.certifies(session.clock.at(now)))
    }
}

/// Returns the error of a publication or an entry for which the host returned no signature.
pub(super) fn could_not_sign() -> ClientError {
    signing_unavailable("the page could not sign; load it again")
}

fn signing_unavailable(message: &str) -> ClientError {
    ClientError::new(Code::SigningUnavailable, message)
}
