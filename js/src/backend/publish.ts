// Publishes from a resolver: seals the message for its channel and posts it to the relay.

import { checkChannelName, checkEventName } from '../arguments/names.js';
import { checkOptions, checkToken } from '../arguments/options.js';
import { invalid } from '../arguments/invalid.js';
import { refuseOverridesForGlobal } from '../arguments/overrides.js';
import { serialisePayload } from '../arguments/payload.js';
import { checkIdempotencyId } from '../arguments/waiting.js';
import { SealwireError } from '../errors/sealwire-error.js';
import type { Backend } from './backend.js';
import { checkTimeout, Deadline } from './deadline.js';
import { failuresOf, lateSecret } from './failures.js';
import { inquiryOf } from './inquiry.js';
import { currentContext, currentInvocation } from './invocation.js';
import { postMessage } from './relay-request.js';
import { publishScope } from './scope.js';
import type { PublishResult } from './types.js';

/** The relay sees the signed part of a channel token; its keys stay here. */
function signedPart(token: string): string {
  return token.split('~', 1)[0] as string;
}

/** A wrong call, or one that names a place without proof, throws instead of reporting a failure. */
function isThrown(thrown: unknown): boolean {
  return thrown instanceof SealwireError && ['INVALID_ARGUMENT', 'SCOPE_REFUSED'].includes(thrown.code);
}

/** Property name to value. `within` names the invocation, as for the messages of a stream. */
async function scopeOf(
  backend: Backend,
  options: Record<string, unknown>,
  within: object | undefined,
): Promise<Record<string, string>> {
  const context = currentContext(options['context']);
  return Object.fromEntries(
    await publishScope(inquiryOf(backend, within ?? currentInvocation()), context, options),
  );
}

/** The scope that publish() would publish to with the same options. */
export async function scopeHere(backend: Backend, given: unknown): Promise<Record<string, string>> {
  return scopeOf(backend, checkOptions(given), undefined);
}

export async function publish(
  backend: Backend,
  global: boolean,
  channelName: unknown,
  payload: unknown,
  given: unknown,
  within?: object,
): Promise<PublishResult> {
  const options = checkOptions(given);
  const channel = checkChannelName(channelName);
  const event = checkEventName(options['eventName']);
  const token = checkToken(options['token']);
  const idempotencyId = checkIdempotencyId(options['idempotencyId']);
  const text = serialisePayload(payload);
  const deadline = new Deadline(checkTimeout(options['timeoutMs']) ?? backend.timeoutMs);
  const context = currentContext(options['context']);
  const { app, signingKey, publishUrl } = backend.settings();
  const installation = backend.installation(context);
  if (global) {
    refuseOverridesForGlobal(options['contextOverrides']);
    if (options['scope'] !== undefined)
      throw invalid('A global channel has no scope. Use publish() with the option scope.');
  }

  let scope: Record<string, string>;
  try {
    scope = global ? {} : await deadline.within(scopeOf(backend, options, within), () => lateScope(deadline));
  } catch (thrown) {
    if (isThrown(thrown)) throw thrown;
    return failed(thrown);
  }
  try {
    const secret = await deadline.within(backend.secrets.of(installation), () => lateSecret(deadline));
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
        ...(idempotencyId !== undefined && { idempotencyId }),
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
    const accepted = await postMessage(
      { url: publishUrl, backendToken, fetch: backend.fetch, deadline },
      message,
    );
    return { eventId: accepted.eventId, eventTimestamp: String(accepted.eventTimestamp) };
  } catch (thrown) {
    return failed(thrown);
  }
}

function lateScope(deadline: Deadline): SealwireError {
  const message = `The scope of the message was not verified ${deadline.text}: authorize(), or the product that it asks, was slow. Nothing was published.`;
  return new SealwireError('SESSION_UNAVAILABLE', message);
}

function failed(thrown: unknown): PublishResult {
  return { eventId: null, eventTimestamp: null, errors: failuresOf(thrown) };
}
