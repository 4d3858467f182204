// The frames of one page, and sockets to a relay that records the messages.

import { PageLocks } from '../../src/sharing/locks.js';
import type { Browser } from '../../src/sharing/messages.js';
import { PageChannel } from '../../src/sharing/page-channel.js';
import type { Page } from '../../src/sharing/page.js';
import { decodeSession } from '../../src/sharing/wire.js';
import { sharedThrough, type Share } from '../../src/sharing/shared-connection.js';
import type { Connect, Socket } from '../../src/transport/socket.js';
import { FakeSocket } from './fake-socket.js';

export class FakePage {
  readonly sockets: FakeSocket[] = [];
  /** The messages between the frames, as text. */
  readonly overheard: string[] = [];
  /** True if the leader is stalled. */
  isDeaf = false;
  readonly #page: Page = { locks: new Map(), channels: new Map(), names: 0 };

  readonly connect: Connect = () => {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  };

  /** Returns a frame, which can connect, and leave with or without an event. */
  frame(): FakeFrame {
    const leaving = new Set<() => void>();
    let woken = 0;
    const owner: { defaultView: object | null } = { defaultView: {} };
    const locks = new PageLocks(this.#page, owner as Document);
    const browser: Browser = {
      locks,
      newName: () => `follower/${(this.#page.names += 1)}`,
      channel: (name) => this.#overhear(new PageChannel(this.#page, owner as Document, name)),
      onLeave: (listener) => {
        leaving.add(listener);
        return () => void leaving.delete(listener);
      },
    };
    const connect = sharedThrough(this.connect, () => (woken += 1), browser, new Map<string, Share>());
    return {
      connect: (url = 'wss://relay') => connect(url, 'sealwire.v1'),
      leave: () => {
        [...leaving].forEach((listener) => listener());
        locks.releaseAll();
      },
      remove: () => (owner.defaultView = null),
      woken: () => woken,
      /** Returns the number of locks that the frame holds or waits for. */
      claims: () => [...this.#page.locks.values()].flat().filter((claim) => claim.owner === owner).length,
    };
  }

  #overhear(channel: PageChannel): PageChannel {
    const post = channel.postMessage.bind(channel);
    channel.postMessage = (message) => {
      const copy = structuredClone(message) as { type: string; data?: ArrayBuffer };
      const data = copy.data && Buffer.from(copy.data).toString('hex');
      this.overheard.push(JSON.stringify({ ...copy, data }));
      if (!this.isDeaf || copy.type !== 'asks') post(message);
    };
    return channel;
  }
}

export interface FakeFrame {
  connect(url?: string): Socket;
  leave(): void;
  remove(): void;
  woken(): number;
  claims(): number;
}

/** Waits until all pending messages are delivered. */
export const settled = async (ms = 20): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, ms));
};

/** Records the events of a socket, as a core receives them. */
export function listen(socket: Socket): string[] {
  const heard: string[] = [];
  socket.onopen = () => heard.push('open');
  socket.onmessage = ({ data }) => {
    const bytes = new Uint8Array(data as ArrayBuffer);
    heard.push(decodeSession(bytes) === undefined ? Buffer.from(bytes).toString('hex') : 'a turn');
  };
  socket.onclose = ({ code }) => heard.push(`closed ${code}`);
  return heard;
}
