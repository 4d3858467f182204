// Publishes from a resolver: seals a message for its channel and posts it to the relay.

import { checkIdempotencyId } from '../arguments/call-options.js';
import { invalid } from '../arguments/invalid.js';
import { checkChannelName, checkEventName } from '../arguments/names.js';
import { checkOptions, checkToken } from '../arguments/options.js';
import { refuseOverridesForGlobal } from '../arguments/overrides.js';
import { serialisePayload } from '../arguments/payload.js';
import type { ForgeContext } from '../context/properties.js';
import { SealwireError } from '../errors/sealwire-error.js';
import type { Backend } from './backend.js';
import { deadlineOf, type Deadline } from './deadline.js';
import { failuresOf, lateSecret } from './failures.js';
import { inquiryOf, type Inquiry } from './inquiry.js';
import { currentContext, currentInvocation } from './invocation.js';
import { postMessage, type Accepted } from './relay-request.js';
import { publishScope } from './scope.js';
import { targetOf, type ResolvedTarget } from './target.js';
import type { PublishResult } from './types.js';

/** A message with its checked arguments. */
interface Message {
  channel: string;
  token: string | undefined;
  event: string;
  /** JSON text. */
  payload: string;
  idempotencyId: string | undefined;
}

/** Returns the signed part of a channel token. The relay receives only this part, and never the token's keys. */
function signedPart(token: string): string {
  return token.split('~', 1)[0] as string;
}

/** Returns whether an error is thrown instead of reported: a wrong call, or a scope that nobody vouches for. */
function isThrown(thrown: unknown): boolean {
  return thrown instanceof SealwireError && ['INVALID_ARGUMENT', 'SCOPE_REFUSED'].includes(thrown.code);
}

/** Returns property names and values. */
async function scopeOf(
  inquiry: Inquiry,
  context: ForgeContext,
  options: Record<string, unknown>,
): Promise<Record<string, string>> {
  return Object.fromEntries(await publishScope(inquiry, context, options));
}

/** Returns the scope that publish() would use with the same options. */
export async function currentScope(backend: Backend, given: unknown): Promise<Record<string, string>> {
  const options = checkOptions(given);
  const context = currentContext(options['context']);
  return scopeOf(inquiryOf(backend, currentInvocation()), context, options);
}

/** Publishes a message. `invocation` replaces the current one, as for the messages of a stream. */
export async function publish(
  backend: Backend,
  global: boolean,
  channelName: unknown,
  payload: unknown,
  given: unknown,
  invocation?: object,
): Promise<PublishResult> {
  const options = checkOptions(given);
  const message: Message = {
    channel: checkChannelName(channelName),
    event: checkEventName(options['eventName']),
    token: checkToken(options['token']),
    idempotencyId: checkIdempotencyId(options['idempotencyId']),
    payload: serialisePayload(payload),
  };
  if (global) {
    refuseOverridesForGlobal(options['contextOverrides']);
    if (options['scope'] !== undefined)
      throw invalid('A global channel has no scope. Use publish() with the option scope.');
  }
  const deadline = deadlineOf(options, backend.timeoutMs);
  const context = currentContext(options['context']);
  const inquiry = inquiryOf(backend, invocation ?? currentInvocation());
  const target = await targetOf(backend, inquiry, context, deadline);
  if (target.errors) return { eventId: null, eventTimestamp: null, errors: target.errors };

  let scope: Record<string, string> = {};
  try {
    const verify = () => deadline.within(scopeOf(inquiry, context, options), () => lateScope(deadline));
    if (!global) scope = await verify();
  } catch (thrown) {
    if (isThrown(thrown)) throw thrown;
    return failed(thrown);
  }
  try {
    const { eventId, eventTimestamp } = await sealAndPost(backend, target, message, scope, deadline);
    return { eventId, eventTimestamp: String(eventTimestamp) };
  } catch (thrown) {
    return failed(thrown);
  }
}

async function sealAndPost(
  backend: Backend,
  { app, signingKey, publishUrl, installation }: ResolvedTarget,
  { channel, token, event, payload, idempotencyId }: Message,
  scope: Record<string, string>,
  deadline: Deadline,
): Promise<Accepted> {
  const secret = await deadline.within(backend.secrets.of(installation), () => lateSecret(deadline));
  const nowMs = backend.now();
  const core = backend.core();
  const { ticket, content, ...forRelay } = core.seal(
    {
      app,
      installation,
      scope,
      channel,
      ...(token !== undefined && { token }),
      event,
      payload,
      ...(idempotencyId !== undefined && { idempotencyId }),
      nowMs,
      blindNames: backend.blindNames(),
    },
    secret,
    backend.signing.sign,
  );
  const nowSeconds = Math.floor(nowMs / 1000);
  const backendToken = core.mintBackendToken({ signingKey, app, installation, nowSeconds });
  const signed = token !== undefined && { token: signedPart(token) };
  const digest = content !== undefined && { content };
  let requests = 0;
  let isAccepted = false;
  const fetch: typeof globalThis.fetch = (...request) => {
    requests += 1;
    return backend.fetch(...request);
  };
  try {
    const to = { url: publishUrl, backendToken, fetch, deadline };
    const accepted = await postMessage(to, { ...forRelay, ...signed, ...digest });
    isAccepted = true;
    return accepted;
  } finally {
    core.settle(ticket, isAccepted && requests === 1);
  }
}

function lateScope(deadline: Deadline): SealwireError {
  const message = `The scope of the message was not verified ${deadline.text}: authorize(), or the product that it asks, was slow. Nothing was published.`;
  return new SealwireError('SESSION_UNAVAILABLE', message);
}

function failed(thrown: unknown): PublishResult {
  return { eventId: null, eventTimestamp: null, errors: failuresOf(thrown) };
}
