//! The requests that the client makes of the page: sessions, tokens, and the cryptography that the browser does.

use super::{Shell, report};
use crate::browser::{arguments, clock, host, outputs};
use js_sys::Promise;
use sealwire_client::{Event, FetchId, SignedText, VerificationId};
use sealwire_protocol::AesGcmInput;
use std::rc::Weak;

impl Shell {
    pub(super) fn ask_host(&self, request: Event) {
        match request {
            Event::SessionRequested { fetch, reason, certify } => {
                self.fetch_session(fetch, outputs::reason(reason), certify);
            }
            Event::TokenRequested { renewal, subscription, fresh } => {
                let subscriber = self.callbacks.borrow().subscriber(subscription);
                if let Some(provider) = subscriber.as_ref().and_then(|subscriber| subscriber.token.as_ref()) {
                    report(self.host.token(provider, renewal.0, fresh));
                }
            }
            Event::DecryptRequested { decryption, input } => {
                let AesGcmInput { key, nonce, associated_data, ciphertext } = input;
                if self.host.open(decryption.0, &*key, &nonce, &associated_data, &ciphertext).is_err() {
                    self.client.borrow_mut().handle_decrypted(clock::now(), decryption, None);
                }
            }
            Event::VerifyRequested { verification, signed, certificate } => {
                self.verify(verification, &signed, certificate);
            }
            Event::SignRequested { signing, text } if self.host.sign(signing.0, &text).is_err() => {
                self.client.borrow_mut().handle_signed(clock::now(), signing, None);
            }
            _ => {}
        }
    }

    fn fetch_session(&self, fetch: FetchId, reason: &'static str, certify: bool) {
        let answer =
            self.host.session(reason, certify).unwrap_or_else(|thrown| Promise::reject(&thrown).into());
        let weak = Weak::clone(&self.itself);
        // The closure waits for the answer without a time limit, since the client may adopt a late session. It holds only
        // a weak reference, so that it does not keep a closed client alive.
        host::settled(answer, move |answer| {
            let Some(shell) = weak.upgrade() else { return };
            let grant = match answer {
                Ok(grant) => arguments::grant(&grant),
                Err(thrown) => Err(arguments::provider_error(&thrown)),
            };
            shell.input(|client, now| match grant {
                Ok(grant) => client.handle_session(now, fetch, grant),
                Err(error) => client.handle_session_failed(now, fetch, error),
            });
        });
    }

    fn verify(
        &self,
        verification: VerificationId,
        signed: &SignedText,
        certificate: Option<Box<SignedText>>,
    ) {
        let (issuer, certificate) = certificate.map_or_else(Default::default, |certificate| {
            let SignedText { signer, mut text, signature } = *certificate;
            text.extend(signature.0);
            (signer, text)
        });
        let SignedText { signer, text, signature } = signed;
        if self.host.verify(verification.0, signer, text, &signature.0, &issuer, &certificate).is_err() {
            self.client.borrow_mut().handle_verified(clock::now(), verification, false);
        }
    }
}
