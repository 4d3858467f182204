// The page's API: createRealtime() and the functions of its result.

import { checkSigned, checkTimeoutMs } from '../arguments/call-options.js';
import { invalid } from '../arguments/invalid.js';
import { checkFunction, checkOptions } from '../arguments/options.js';
import type { ChannelMap } from '../channel-map.js';
import type { CoreSources } from '../core/load.js';
import { Connection } from './connection.js';
import type { AnyCallback } from './deliver.js';
import { connections } from './observation.js';
import { openTextStream } from './open-text-stream.js';
import { publish } from './publish.js';
import { subscribe } from './subscribe.js';
import type { Realtime, RealtimeOptions, Subscribe } from './types.js';

/** Returns a client with checked options. `sources`, for tests, replaces the builds of the core. */
export function realtimeWith(options: RealtimeOptions, sources?: CoreSources): Realtime {
  const connection = new Connection(options, sources);
  const subscribeHere: Subscribe = (channel, callback, given) =>
    subscribe(connection, false, channel, callback as AnyCallback, given);
  const onStateChange: Realtime['onStateChange'] = (listener) => {
    checkFunction(listener, 'The listener');
    return connection.onStateChange(listener);
  };
  const realtime: Realtime = {
    subscribe: subscribeHere,
    subscribeGlobal: (channel, callback, given) =>
      subscribe(connection, true, channel, callback as AnyCallback, given),
    publish: (channel, payload, given) => publish(connection, false, channel, payload, given),
    publishGlobal: (channel, payload, given) => publish(connection, true, channel, payload, given),
    stream: (channel, given) => openTextStream({ subscribe: subscribeHere, onStateChange }, channel, given),
    presence: async (channel, given) =>
      (await import('./presence.js')).openPresence(connection, channel, given),
    get core() {
      return connection.core;
    },
    get transport() {
      return connection.transport;
    },
    get state() {
      return connection.state;
    },
    get repeatedMessages() {
      return connection.repeatedMessages;
    },
    onStateChange,
    close: () => connection.close(),
  };
  connections.set(realtime, connection);
  return realtime;
}

/**
 * Creates a client with a connection of its own. Nothing is loaded and nothing connects before the first call. Most pages
 * use `realtime`, the client of the whole page, instead.
 *
 * @param options - The source of sessions, the build of the core, time limits and listeners.
 * @typeParam M - The app's channel map, which types the payloads of each channel. Without it, each call states its type.
 * @returns The client.
 * @throws SealwireError with the code `INVALID_ARGUMENT` for a wrong option.
 *
 * @example
 * ```ts
 * const realtime = createRealtime({ timeoutMs: 10_000, onState: (state) => console.log(state) });
 * const typed = createRealtime<{ notes: Note; poll: Vote }>();
 * ```
 */
export function createRealtime<M extends ChannelMap<M> = any>(options: RealtimeOptions = {}): Realtime<M> {
  const checked = checkOptions(options) as RealtimeOptions;
  if (checked.session !== undefined) checkFunction(checked.session, 'The option session');
  if (checked.onState !== undefined) checkFunction(checked.onState, 'The option onState');
  if (checked.share !== undefined && typeof checked.share !== 'boolean') {
    throw invalid('The option share must be true or false.');
  }
  checkSigned(checked.signed);
  if (checked.onDebug !== undefined) checkFunction(checked.onDebug, 'The option onDebug');
  if (checked.core !== undefined && checked.core !== 'wasm' && checked.core !== 'js') {
    throw invalid(`The option core must be 'wasm' or 'js'.`);
  }
  for (const name of ['timeoutMs', 'requestTimeoutMs'] as const) checkTimeoutMs(checked[name], name);
  const { idleCloseMs } = checked;
  if (idleCloseMs !== undefined && !(Number.isFinite(idleCloseMs) && idleCloseMs >= 0)) {
    throw invalid('The option idleCloseMs must be a number of milliseconds, 0 or more.');
  }
  return realtimeWith(checked);
}
