// What the core needs of a WebSocket. A place on a socket that several frames of a page share has the same shape.

import type { ErrorCode } from '../errors/codes.js';
import { subprotocols } from './batch.js';

/** What a connection goes over: HTTP requests where the network lets no WebSocket through. */
export type Transport = 'websocket' | 'http';

/** The reason for which a connection failed, where the transport knows it. Plain data: it passes between frames. */
export interface Failure {
  code: ErrorCode | (string & {});
  message: string;
  retryAfterMs?: number;
}

export interface Closed {
  code: number;
  failure?: Failure | undefined;
}

export interface Socket {
  binaryType: string;
  onopen: ((transport?: Transport) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: Closed) => void) | null;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

/** Opens a socket. Throws if the page's policy or the address forbids it. */
export type Connect = (url: string, protocol: string) => Socket;

const CLOSED = 3;
const LOST = 1006;

/** A WebSocket. An `error` that no `close` follows, as some implementations have it, counts as closed. */
export const connectDirectly: Connect = (url, protocol) => {
  const websocket = new WebSocket(url, subprotocols(protocol));
  const socket = websocket as unknown as Socket;
  let isOver = false;
  websocket.addEventListener('close', () => (isOver = true), { once: true });
  websocket.addEventListener(
    'error',
    () =>
      setTimeout(() => {
        if (isOver) return;
        isOver = true;
        if (websocket.readyState !== CLOSED) websocket.close();
        socket.onclose?.({ code: LOST });
      }),
    { once: true },
  );
  return socket;
};
