// Publishes from a resolver: seals the message for its channel and posts it to the relay.

import { checkChannelName, checkEventName } from '../arguments/names.js';
import { checkOptions, checkToken } from '../arguments/options.js';
import { refuseOverridesForGlobal } from '../arguments/overrides.js';
import { serialisePayload } from '../arguments/payload.js';
import type { ForgeContext } from '../context/properties.js';
import type { Backend } from './backend.js';
import { failuresOf } from './failures.js';
import { currentContext, installationOf } from './invocation.js';
import { postMessage } from './relay-request.js';
import { publishScope } from './scope.js';
import type { PublishResult } from './types.js';

/** The relay sees the signed part of a channel token; its keys stay here. */
function signedPart(token: string): string {
  return token.split('~', 1)[0] as string;
}

export async function publish(
  backend: Backend,
  global: boolean,
  channelName: unknown,
  payload: unknown,
  given: unknown,
): Promise<PublishResult> {
  const options = checkOptions(given);
  const channel = checkChannelName(channelName);
  const event = checkEventName(options['eventName']);
  const token = checkToken(options['token']);
  const text = serialisePayload(payload);
  const context = currentContext(options['context'] as ForgeContext | undefined);
  const installation = installationOf(context);
  const overrides = options['contextOverrides'];
  if (global) refuseOverridesForGlobal(overrides);
  const scope = global ? {} : publishScope(context, overrides);
  const { app, signingKey, publishUrl } = backend.settings();

  try {
    const secret = await backend.secrets.of(installation);
    const nowMs = backend.now();
    const core = backend.core();
    const { sealed, id } = core.seal(
      {
        app,
        installation,
        scope,
        channel,
        ...(token !== undefined && { token }),
        event,
        payload: text,
        nowMs,
      },
      secret,
    );
    const backendToken = core.mintBackendToken({
      signingKey,
      app,
      installation,
      nowSeconds: Math.floor(nowMs / 1000),
    });
    const message = {
      channel,
      scope,
      ...(token !== undefined && { token: signedPart(token) }),
      event,
      sealed,
      id,
    };
    const accepted = await postMessage({ url: publishUrl, backendToken, fetch: backend.fetch }, message);
    return { eventId: accepted.eventId, eventTimestamp: String(accepted.eventTimestamp) };
  } catch (thrown) {
    return { eventId: null, eventTimestamp: null, errors: failuresOf(thrown) };
  }
}
