// What the core needs of a WebSocket. A place on a socket that several frames of a page share has the same shape.

import { subprotocols } from './batch.js';

/** What a connection goes over: HTTP requests where the network lets no WebSocket through. */
export type Transport = 'websocket' | 'http';

export interface Socket {
  binaryType: string;
  onopen: ((transport?: Transport) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

/** Opens a socket. Throws where the page's policy or the address forbids it. */
export type Connect = (url: string, protocol: string) => Socket;

export const connectDirectly: Connect = (url, protocol) =>
  new WebSocket(url, subprotocols(protocol)) as unknown as Socket;
