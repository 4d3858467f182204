// A network without a browser, for the tests of the fallback to HTTP: it records the sockets that are opened.

import { withFallback } from '../../src/transport/fallback-socket.js';
import type { Failure } from '../../src/transport/socket.js';
import { FakeSocket } from './fake-socket.js';

/** A socket that knows its transport. */
export class KindSocket extends FakeSocket {
  readonly kind: string;

  constructor(kind: string) {
    super();
    this.kind = kind;
  }
}

/** Returns a network that records the opened sockets and the events of the last connection. */
export function network(timeoutMs?: number) {
  const opened: KindSocket[] = [];
  const open = (kind: string) => {
    const socket = new KindSocket(kind);
    opened.push(socket);
    return socket;
  };
  const connect = withFallback(
    { websocket: () => open('websocket'), http: async () => () => open('http'), timeoutMs },
    new Map(),
  );
  const state = { opened, heard: [] as unknown[], failure: undefined as Failure | undefined };
  return {
    ...state,
    failure: () => state.failure,
    connect() {
      state.heard.length = 0;
      const socket = connect('wss://relay/v1/realtime', 'p');
      socket.onopen = (transport) => state.heard.push(transport);
      socket.onmessage = ({ data }) => state.heard.push(data);
      socket.onclose = ({ code, failure }) => {
        state.heard.push(code);
        state.failure = failure;
      };
      return socket;
    },
    kinds: () => opened.map(({ kind }) => kind),
    last: () => opened.at(-1)!,
  };
}

/** Waits until the promises of a fallback have settled. */
export const settled = async () => {
  for (let turn = 0; turn < 5; turn += 1) await null;
};
