//! Publishing: the checks of a request, its completion by the broker, and the order of publications after a temporary
//! refusal.

use super::{
    Publishing, SessionAction, SessionConfig,
    action::Actions,
    established::{Established, failed},
    pending::{PausedPublish, PendingRequest},
};
use crate::{auth::access, clock::Now, hub::PublishReceipt, refused::Refused};
use sealwire_protocol::{
    Code,
    tokens::Permission,
    wire::{Publish, Published, ToClient},
};

impl Established {
    pub(super) fn publish(
        &mut self,
        message: Publish,
        config: &SessionConfig,
        now: Now,
        actions: &mut Actions,
    ) {
        let Publish { request, channel, event, sealed, id, follows, content } = message;
        if let Some(paused) = self.paused_publish.as_mut().filter(|paused| follows == paused.request) {
            // The client sent it before it knew of the refusal, so it counts against no rate and is not audited.
            paused.request = request;
            return actions.push_back(failed(request, paused.refused.clone()));
        }
        let resolve =
            |()| self.resolve(&channel.unwrap_or_default(), Permission::Publish, config, now, actions);
        let allowed = self.permit.check_publish(sealed.len(), now.monotonic);
        let draft = allowed.and_then(resolve).and_then(|(channel, _)| {
            let id = id.as_ref().try_into().map_err(|_| {
                Refused::new(Code::MalformedFrame, "the message id has the wrong size; use 16 bytes")
            })?;
            // The codec refuses a digest of another length.
            let content = content.as_ref().try_into().ok();
            access::draft(channel, self.tenant(), event, sealed, id, content)
        });
        match draft {
            Ok(draft) => {
                actions.push_back(SessionAction::Publish(Publishing(draft)));
                self.pending = Some(PendingRequest::Publish { request });
            }
            Err(refused) => {
                self.pause_publishing(request, &refused);
                self.fail("publish", request, refused, actions);
            }
        }
    }

    /// Refuses the publications that follow a temporarily refused one.
    fn pause_publishing(&mut self, request: u32, refused: &Refused) {
        let is_temporary = refused.retry_after_ms() > 0;
        self.paused_publish = is_temporary.then(|| {
            let mut refused = refused.clone();
            refused.message =
                "an earlier publication was refused temporarily; publish this one again after it".into();
            Box::new(PausedPublish { request, refused })
        });
    }

    pub(super) fn handle_published(
        &mut self,
        result: Result<PublishReceipt, Refused>,
        actions: &mut Actions,
    ) {
        let Some(PendingRequest::Publish { request }) = self.pending.take() else { return };
        match &result {
            Ok(_) => self.paused_publish = None,
            Err(refused) => self.pause_publishing(request, refused),
        }
        match result {
            Ok(PublishReceipt { position, time }) => {
                let answer = Published { request, position: Some(position), time_ms: time.0 };
                actions.push_back(SessionAction::Send(ToClient::Published(answer)));
            }
            // A failure of the broker is not the client's and therefore not audited.
            Err(refused) if refused.code == Code::IdReused => self.fail("publish", request, refused, actions),
            Err(refused) => actions.push_back(failed(request, refused)),
        }
    }
}
