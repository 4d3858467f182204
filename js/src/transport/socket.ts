// The part of the WebSocket interface that the core needs. The sockets over HTTP and those on a shared WebSocket have the
// same interface.

import type { ErrorCode } from '../errors/codes.js';
import { subprotocols } from './batch.js';
import { CloseCode } from './close-codes.js';

/** The transport of a connection: a WebSocket, or HTTP requests on a network that lets no WebSocket through. */
export type Transport = 'websocket' | 'http';

/** The reason for which a connection failed, if the transport knows it. It is plain data, which passes between frames. */
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
  /** True if the socket is a slot on the page's WebSocket. */
  readonly isShared?: boolean;
  binaryType: string;
  onopen: ((transport?: Transport) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: Closed) => void) | null;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

/** Opens a socket. Throws if the page's policy or the address forbids it. */
export type Connect = (url: string, protocol: string) => Socket;

/** The value of `WebSocket.CLOSED`. */
const CLOSED = 3;

/** Opens a WebSocket. Some implementations send an `error` without a `close`; it counts as a lost connection. */
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
        socket.onclose?.({ code: CloseCode.Lost });
      }),
    { once: true },
  );
  return socket;
};
