// The page's API: checks a call, passes it to the core, and shapes what comes back as @forge/bridge does.

import { invalid } from '../arguments/invalid.js';
import { checkEventName } from '../arguments/names.js';
import { checkFunction, checkOptions, checkReplaySeconds, checkToken } from '../arguments/options.js';
import { serialisePayload } from '../arguments/payload.js';
import { checkIdempotencyId, checkSignal, checkTimeoutMs } from '../arguments/waiting.js';
import type { ChannelSpec } from '../core/browser-core.js';
import type { CoreSources } from '../core/load.js';
import { errorFromCore } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { refuseToken } from '../session/channel-token.js';
import { openStream } from '../stream/open.js';
import { channelSpec, laneOf, withToken } from './channel.js';
import { Connection } from './connection.js';
import { audienceOf, deliverMessage, deliverNotice, noticeError, type AnyCallback } from './deliver.js';
import { checkOnState, SubscriptionStanding } from './standing.js';
import type { PublishResult, Realtime, RealtimeOptions, Subscribe, Subscription } from './types.js';
import { abortedError, type Wait, type WaitLimits } from './wait.js';

/** The wait of a publish, its token and session included, where the app sets no limit. */
const PUBLISH_MS = 120_000;

async function subscribe(
  connection: Connection,
  global: boolean,
  channel: string,
  callback: AnyCallback,
  given: unknown,
): Promise<Subscription> {
  const options = checkOptions(given);
  const named = channelSpec(channel, options, global);
  const replaySeconds = checkReplaySeconds(options['replaySeconds']);
  const audience = audienceOf(channel, callback, options);

  const limits = limitsOf(options);
  const standing = new SubscriptionStanding(checkOnState(options['onState']));

  return connection.within(limits, async (wait) => {
    let live = true;
    let forget = (): void => {};
    const end = (error?: SealwireError): void => {
      live = false;
      forget();
      standing.show('ended', error);
    };
    const attempt = async (spec: ChannelSpec) => {
      const client = await connection.clientFor(spec, wait);
      wait.check();
      const remaining = wait.remainingMs;
      const id = await client.subscribe(
        spec,
        {
          ...(replaySeconds !== undefined && { replaySeconds }),
          ...(named.provider && { renewToken: named.provider }),
          ...(remaining !== undefined && { timeoutMs: remaining }),
          started: (call) => wait.onEnd(() => void client.unsubscribe(call).catch(() => {})),
        },
        (payload, meta) => live && deliverMessage(audience, payload, meta),
        (notice) => {
          if (!live) return;
          if (notice.kind === 'state') return standing.show(notice.state);
          if (notice.kind === 'ended') end(noticeError(notice));
          deliverNotice(audience, notice);
        },
      );
      return { client, id };
    };
    const confirmed = async () => {
      const { provider } = named;
      const spec = provider ? await withToken(named, wait) : named.spec;
      return attempt(spec).catch(async (thrown: unknown) => {
        const isAboutToken = connection.errorOf(thrown).code.startsWith('TOKEN_');
        // One that the function gave earlier may have ended meanwhile.
        if (wait.over || !provider || !isAboutToken || !refuseToken(provider, spec.token)) throw thrown;
        const fresh = await withToken(named, wait);
        if (fresh.token === spec.token) throw thrown;
        return attempt(fresh);
      });
    };
    const { client, id } = await confirmed().catch((error: unknown) => {
      const why = wait.over ? wait.over.error : connection.errorOf(error);
      live = false;
      standing.show('ended', why instanceof SealwireError ? why : undefined);
      throw why;
    });
    wait.check();
    standing.show('subscribed');
    forget = connection.onClosed(end);

    return {
      get state() {
        return standing.state;
      },
      unsubscribe: async () => {
        if (!live) return;
        end();
        await client.unsubscribe(id).catch((error: unknown) => Promise.reject(errorFromCore(error)));
      },
      refreshToken: async (token) => {
        const checked = checkToken(token);
        if (checked === undefined) throw invalid('refreshToken() needs a token.');
        await client
          .refreshToken(id, checked)
          .catch((error: unknown) => Promise.reject(errorFromCore(error)));
      },
    };
  });
}

/** A wrong call rejects; a publication that failed is reported in the result, as @forge/bridge reports it. */
async function publish(
  connection: Connection,
  global: boolean,
  channel: string,
  payload: unknown,
  given: unknown,
): Promise<PublishResult> {
  const options = checkOptions(given);
  const named = channelSpec(channel, options, global);
  const event = checkEventName(options['eventName']);
  const idempotencyId = checkIdempotencyId(options['idempotencyId']);
  const limits = limitsOf(options);
  const text = serialisePayload(payload);
  const send = async (wait: Wait): Promise<PublishResult> => {
    const ready = named.provider ? withToken(named, wait) : Promise.resolve(named.spec);
    // Reported below, in its turn.
    ready.catch(() => {});
    const handOver = async () => {
      const spec = await ready;
      const client = await connection.clientFor(spec, wait);
      const remaining = wait.remainingMs;
      const published = client.publish(spec, event, text, {
        ...(remaining !== undefined && { timeoutMs: remaining }),
        ...(idempotencyId !== undefined && { idempotencyId }),
        started: (call) => wait.onEnd(() => client.withdraw(call)),
      });
      // Within an object, for the turn not to last until the relay's answer.
      return { published };
    };
    try {
      const { published } = await connection.inOrder(laneOf(named), wait, handOver);
      const { eventId, timestamp } = await published;
      return { eventId, eventTimestamp: String(timestamp) };
    } catch (thrown) {
      if (named.provider && connection.errorOf(thrown).code.startsWith('TOKEN_')) {
        refuseToken(named.provider, (await ready.catch(() => undefined))?.token);
      }
      return failed(connection, wait, limits.signal, thrown);
    }
  };
  return connection.within(limits, send, PUBLISH_MS);
}

function failed(
  connection: Connection,
  wait: Wait,
  signal: AbortSignal | undefined,
  thrown: unknown,
): PublishResult {
  const isAborted = signal?.aborted === true && wait.over?.error === signal.reason;
  // The core knows whether the message was sent; before the core has the call, it was not.
  const mayHaveArrived = isAborted
    ? ((thrown as Partial<SealwireError> | undefined)?.mayHaveArrived ?? false)
    : connection.errorOf(thrown).mayHaveArrived;
  const error = isAborted ? abortedError(mayHaveArrived === true) : connection.errorOf(thrown);
  return {
    eventId: null,
    eventTimestamp: null,
    errors: [`${error.code}: ${error.message}`],
    ...(mayHaveArrived !== undefined && { mayHaveArrived }),
  };
}

function limitsOf(options: Record<string, unknown>): WaitLimits {
  return { timeoutMs: checkTimeoutMs(options['timeoutMs']), signal: checkSignal(options['signal']) };
}

/** `sources` is for tests: where the builds of the core come from. */
export function realtimeWith(options: RealtimeOptions, sources?: CoreSources): Realtime {
  const connection = new Connection(options, sources);
  const subscribeHere: Subscribe = (channel, callback, given) =>
    subscribe(connection, false, channel, callback as AnyCallback, given);
  const onStateChange: Realtime['onStateChange'] = (listener) => {
    checkFunction(listener, 'The listener');
    return connection.onStateChange(listener);
  };
  return {
    subscribe: subscribeHere,
    subscribeGlobal: (channel, callback, given) =>
      subscribe(connection, true, channel, callback as AnyCallback, given),
    publish: (channel, payload, given) => publish(connection, false, channel, payload, given),
    publishGlobal: (channel, payload, given) => publish(connection, true, channel, payload, given),
    stream: (channel, given) => openStream({ subscribe: subscribeHere, onStateChange }, channel, given),
    get core() {
      return connection.core;
    },
    get transport() {
      return connection.transport;
    },
    get state() {
      return connection.state;
    },
    onStateChange,
    close: () => connection.close(),
  };
}

/** A connection of its own. Nothing is loaded and nothing connects before the first call. */
export function createRealtime(given: RealtimeOptions = {}): Realtime {
  const options = checkOptions(given) as RealtimeOptions;
  if (options.session !== undefined) checkFunction(options.session, 'The option session');
  if (options.onState !== undefined) checkFunction(options.onState, 'The option onState');
  if (options.share !== undefined && typeof options.share !== 'boolean') {
    throw invalid('The option share must be true or false.');
  }
  if (options.onDebug !== undefined) checkFunction(options.onDebug, 'The option onDebug');
  if (options.core !== undefined && options.core !== 'wasm' && options.core !== 'js') {
    throw invalid(`The option core must be 'wasm' or 'js'.`);
  }
  for (const name of ['timeoutMs', 'requestTimeoutMs'] as const) checkTimeoutMs(options[name], name);
  const { idleCloseMs } = options;
  if (idleCloseMs !== undefined && !(Number.isFinite(idleCloseMs) && idleCloseMs >= 0)) {
    throw invalid('The option idleCloseMs must be a number of milliseconds.');
  }
  return realtimeWith(options);
}
