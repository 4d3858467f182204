// Frames of one page: their locks, their channels, and sockets to a relay that remembers what it was sent.

import type { Browser, Channel } from '../../src/sharing/messages.js';
import { decodeSession } from '../../src/sharing/wire.js';
import { sharedThrough, type Share } from '../../src/sharing/shared-connection.js';
import type { Connect, Socket } from '../../src/transport/socket.js';

export class FakeSocket implements Socket {
  binaryType = '';
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  readonly sent: string[] = [];
  isClosed = false;

  send(bytes: Uint8Array): void {
    this.sent.push(Buffer.from(bytes).toString('hex'));
  }

  close(): void {
    this.isClosed = true;
  }

  /** The relay sends. */
  receive(...bytes: number[]): void {
    this.onmessage?.({ data: new Uint8Array(bytes).buffer });
  }
}

interface Waiting {
  grant: () => void;
  holds: boolean;
}

/** Web Locks of one origin. */
class FakeLocks {
  readonly #queues = new Map<string, Waiting[]>();

  async request(name: string, ...given: any[]): Promise<unknown> {
    const callback = given.at(-1) as (lock: unknown) => unknown;
    const options = (given.length > 1 ? given[0] : {}) as { ifAvailable?: boolean; signal?: AbortSignal };
    await undefined;
    const queue = this.#queues.get(name) ?? [];
    this.#queues.set(name, queue);
    if (options.ifAvailable && queue.length > 0) return callback(null);
    const entry: Waiting = { grant: () => {}, holds: queue.length === 0 };
    queue.push(entry);
    const leave = () => {
      queue.splice(queue.indexOf(entry), 1);
      const next = queue[0];
      if (next && !next.holds) next.grant();
    };
    if (!entry.holds) {
      await new Promise<void>((resolve, reject) => {
        entry.grant = () => {
          entry.holds = true;
          resolve();
        };
        options.signal?.addEventListener('abort', () => {
          if (entry.holds) return;
          leave();
          reject(new Error('aborted'));
        });
      });
    }
    try {
      return await callback({});
    } finally {
      leave();
    }
  }
}

export class FakePage {
  readonly sockets: FakeSocket[] = [];
  /** Everything that frames told each other, as text. */
  readonly overheard: string[] = [];
  /** A leader that hangs. */
  isDeaf = false;
  readonly #locks = new FakeLocks();
  readonly #channels = new Set<Channel & { name: string }>();

  readonly connect: Connect = () => {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  };

  /** A frame's way to connect, and what happens when it goes. */
  frame(): { connect: (url?: string) => Socket; leave: () => void; woken: () => number } {
    const leaving = new Set<() => void>();
    let woken = 0;
    const browser: Browser = {
      page: 'page',
      locks: this.#locks as never,
      channel: (name) => this.#channel(name),
      onLeave: (listener) => {
        leaving.add(listener);
        return () => void leaving.delete(listener);
      },
    };
    const connect = sharedThrough(this.connect, () => (woken += 1), browser, new Map<string, Share>());
    return {
      connect: (url = 'wss://relay') => connect(url, 'sealwire.v1'),
      leave: () => [...leaving].forEach((listener) => listener()),
      woken: () => woken,
    };
  }

  #channel(name: string): Channel {
    const channel: Channel & { name: string } = {
      name,
      onmessage: null,
      postMessage: (message) => {
        const copy = structuredClone(message) as { type: string; data?: ArrayBuffer };
        const data = copy.data && Buffer.from(copy.data).toString('hex');
        this.overheard.push(JSON.stringify({ ...copy, data }));
        if (this.isDeaf && copy.type === 'asks') return;
        for (const other of this.#channels) {
          if (other === channel || other.name !== name) continue;
          setTimeout(() => this.#channels.has(other) && other.onmessage?.({ data: structuredClone(copy) }));
        }
      },
      close: () => void this.#channels.delete(channel),
    };
    this.#channels.add(channel);
    return channel;
  }
}

/** Lets everything happen that is on its way. */
export const settled = async (ms = 20): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, ms));
};

/** What a socket heard, as a core would. */
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
