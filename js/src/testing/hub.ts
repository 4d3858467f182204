// The channels of the test relay: their offsets, the replay cache and the publications that have left it, by the rules of the
// real relay's hub.

import type { Gap, Position } from '../errors/sealwire-error.js';
import { refused } from './refused.js';

/** The address of a channel. */
export interface Address {
  installation: string;
  scope: Record<string, string>;
  /** The canonical claims of a channel token. */
  claims: string | undefined;
  name: string;
}

/** A message before the relay has accepted it. */
export interface Draft {
  address: Address;
  event: string;
  /** JSON text. */
  payload: string;
  /** In Unix milliseconds. */
  publishedAt: number;
  from: 'page' | 'resolver';
  accountId?: string | undefined;
  /** True if a page signed the message. */
  signed?: boolean;
  /** The id under which the same message is accepted only once. */
  idempotencyId?: string | undefined;
}

/** A message that the relay has accepted. */
export interface Publication extends Draft {
  epoch: string;
  offset: number;
  previousOffset: number;
  timestamp: number;
}

/** The position of a subscription, and the publications that it receives first. */
export interface Replay {
  position: { epoch: string; offset: number };
  /** True if `publications` provably contains everything that was requested. */
  recovered: boolean;
  publications: Publication[];
}

interface Channel {
  head: number;
  /** The offset of the newest publication that has left the cache. */
  floor: number;
  floorAt: number;
  entries: Publication[];
}

export function eventId({ epoch, offset }: { epoch: string; offset: number }): string {
  return `${epoch}-${offset}`;
}

export function channelId({ installation, scope, claims, name }: Address): string {
  const properties = Object.entries(scope).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([installation, properties, claims ?? null, name]);
}

function idKey(address: Address, ...sender: (string | undefined)[]): string {
  return JSON.stringify([channelId(address), ...sender]);
}

export class Hub {
  readonly windowSeconds: number;
  readonly #now: () => number;
  #epoch = '';
  #startedAt = 0;
  #counter = 0;
  #channels = new Map<string, Channel>();
  /** The publications by channel, sender and idempotency id. */
  #accepted = new Map<string, Publication>();
  /** Every publication, oldest first. */
  readonly published: Publication[] = [];

  constructor(windowSeconds: number, now: () => number) {
    this.windowSeconds = windowSeconds;
    this.#now = now;
    this.restart();
  }

  /** Restarts the relay, which forgets everything. */
  restart(): void {
    this.#epoch = Math.random().toString(16).slice(2).padEnd(16, '0').slice(0, 16);
    this.#startedAt = this.#now();
    this.#counter = 0;
    this.#channels = new Map();
    this.#accepted = new Map();
  }

  /** Returns the earlier publication of the same message under its idempotency id; undefined if there is none. */
  repeated({ address, from, accountId, idempotencyId, event, payload }: Draft): Publication | undefined {
    if (idempotencyId === undefined) return undefined;
    const earlier = this.#accepted.get(idKey(address, from, accountId, idempotencyId));
    if (!earlier || !this.#remembers(earlier)) return undefined;
    if (earlier.event === event && earlier.payload === payload) return earlier;
    throw refused('ID_REUSED', 'the id was used for another message on this channel');
  }

  publish(draft: Draft): Publication {
    const channel = this.#channel(channelId(draft.address));
    this.#counter += 1;
    const position = { epoch: this.#epoch, offset: this.#counter, previousOffset: channel.head };
    const timestamp = this.#now();
    const { address, from, accountId, idempotencyId } = draft;
    const publication = { ...draft, ...position, timestamp };
    if (idempotencyId !== undefined) {
      for (const [key, earlier] of this.#accepted) {
        if (this.#remembers(earlier)) break;
        this.#accepted.delete(key);
      }
      this.#accepted.set(idKey(address, from, accountId, idempotencyId), publication);
    }
    channel.head = this.#counter;
    channel.entries.push(publication);
    this.published.push(publication);
    return publication;
  }

  /** Removes publications before a time from the replay cache, as time and memory pressure do. */
  forget(before = Infinity): void {
    for (const channel of this.#channels.values()) {
      while (channel.entries[0] && channel.entries[0].timestamp < before) {
        const { offset, timestamp } = channel.entries.shift() as Publication;
        channel.floor = offset;
        channel.floorAt = timestamp;
      }
    }
  }

  /** Returns the current position of a channel. */
  live(id: string): Replay {
    return this.#from(this.#channel(id), Infinity, false);
  }

  sinceTime(id: string, seconds: number): Replay {
    const channel = this.#channel(id);
    const start = this.#now() - seconds * 1000;
    const first = channel.entries.findIndex(({ timestamp }) => timestamp >= start);
    // A relay that started within the span does not know the publications before its start.
    const recovered = start >= this.#startedAt && channel.floorAt < start;
    return this.#from(channel, first < 0 ? Infinity : first, recovered);
  }

  sincePosition(id: string, { epoch, offset }: { epoch: string; offset: number }): Replay {
    const channel = this.#channel(id);
    const known = epoch === this.#epoch && offset >= channel.floor && offset <= channel.head;
    const first = known ? channel.entries.findIndex((entry) => entry.offset > offset) : 0;
    return this.#from(channel, first < 0 ? Infinity : first, known);
  }

  #remembers({ timestamp }: Publication): boolean {
    return timestamp >= this.#now() - this.windowSeconds * 1000;
  }

  #channel(id: string): Channel {
    this.forget(this.#now() - this.windowSeconds * 1000);
    let channel = this.#channels.get(id);
    if (!channel) {
      channel = { head: this.#counter, floor: this.#counter, floorAt: -Infinity, entries: [] };
      this.#channels.set(id, channel);
    }
    return channel;
  }

  #from(channel: Channel, first: number, recovered: boolean): Replay {
    const before = Math.min(first, channel.entries.length) - 1;
    const offset = channel.entries[before]?.offset ?? channel.floor;
    return {
      position: { epoch: this.#epoch, offset },
      recovered,
      publications: channel.entries.slice(before + 1),
    };
  }
}

/** Returns the gap of a resumption, by the rules of the real client; undefined if nothing was missed. */
export function gapOf(from: Replay['position'], replay: Replay): Gap | undefined {
  const { position: to, recovered } = replay;
  if (to.epoch === from.epoch && recovered && to.offset <= from.offset) return undefined;
  const reason = to.epoch === from.epoch ? 'evicted' : 'epoch';
  return { from: positionOf(from), to: positionOf(to), reason };
}

export function positionOf({ epoch, offset }: Replay['position']): Position {
  return { epoch, offset: String(offset) };
}
