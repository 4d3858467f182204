// The page's API: checks a call, passes it to the core, and shapes what comes back as @forge/bridge does.

import { invalid } from '../arguments/invalid.js';
import { checkEventName } from '../arguments/names.js';
import { checkFunction, checkOptions, checkReplaySeconds, checkToken } from '../arguments/options.js';
import { serialisePayload } from '../arguments/payload.js';
import type { CoreSources } from '../core/load.js';
import { errorFromCore } from '../errors/from-core.js';
import { openStream } from '../stream/open.js';
import { channelSpec, withToken } from './channel.js';
import { Connection } from './connection.js';
import { audienceOf, deliverMessage, deliverNotice, type AnyCallback } from './deliver.js';
import type { PublishResult, Realtime, RealtimeOptions, Subscribe, Subscription } from './types.js';

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

  const spec = named.provider ? await withToken(named) : named.spec;
  const client = await connection.clientFor(spec);
  let live = true;
  const id = await client
    .subscribe(
      spec,
      {
        ...(replaySeconds !== undefined && { replaySeconds }),
        ...(named.provider && { renewToken: named.provider }),
      },
      (payload, meta) => live && deliverMessage(audience, payload, meta),
      (notice) => live && deliverNotice(audience, notice),
    )
    .catch((error: unknown) => Promise.reject(connection.errorOf(error)));

  return {
    unsubscribe: async () => {
      if (!live) return;
      live = false;
      await client.unsubscribe(id).catch((error: unknown) => Promise.reject(errorFromCore(error)));
    },
    refreshToken: async (token) => {
      const checked = checkToken(token);
      if (checked === undefined) throw invalid('refreshToken() needs a token.');
      await client.refreshToken(id, checked).catch((error: unknown) => Promise.reject(errorFromCore(error)));
    },
  };
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
  const text = serialisePayload(payload);
  try {
    const spec = named.provider ? await withToken(named) : named.spec;
    const client = await connection.clientFor(spec);
    const { eventId, timestamp } = await client.publish(spec, event, text);
    return { eventId, eventTimestamp: String(timestamp) };
  } catch (thrown) {
    const error = connection.errorOf(thrown);
    return { eventId: null, eventTimestamp: null, errors: [`${error.code}: ${error.message}`] };
  }
}

/** `sources` is for tests: where the builds of the core come from. */
export function realtimeWith(options: RealtimeOptions, sources?: CoreSources): Realtime {
  const connection = new Connection(options, sources);
  const subscribeHere: Subscribe = (channel, callback, given) =>
    subscribe(connection, false, channel, callback as AnyCallback, given);
  return {
    subscribe: subscribeHere,
    subscribeGlobal: (channel, callback, given) =>
      subscribe(connection, true, channel, callback as AnyCallback, given),
    publish: (channel, payload, given) => publish(connection, false, channel, payload, given),
    publishGlobal: (channel, payload, given) => publish(connection, true, channel, payload, given),
    stream: (channel, given) => openStream(subscribeHere, channel, given),
    get core() {
      return connection.core;
    },
    get transport() {
      return connection.transport;
    },
    get state() {
      return connection.state;
    },
    onStateChange: (listener) => {
      checkFunction(listener, 'The listener');
      return connection.onStateChange(listener);
    },
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
  for (const name of ['requestTimeoutMs', 'idleCloseMs'] as const) {
    const value = options[name];
    if (value !== undefined && !(typeof value === 'number' && Number.isFinite(value) && value >= 0)) {
      throw invalid(`The option ${name} must be a number of milliseconds.`);
    }
  }
  return realtimeWith(options);
}
