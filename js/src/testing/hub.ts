// The test relay's channels: offsets, the replay cache and what is known to be gone from it, by the rules of the real
// relay's hub.

import type { Gap, Position } from '../errors/sealwire-error.js';
import { refused } from './refused.js';

export interface Address {
  installation: string;
  scope: Record<string, string>;
  /** The canonical claims of a channel token. */
  claims: string | undefined;
  name: string;
}

export interface Draft {
  address: Address;
  event: string;
  /** JSON text. */
  payload: string;
  /** 0 where the message has an idempotency id of the app's own. */
  publishedAt: number;
  from: 'page' | 'resolver';
  accountId?: string | undefined;
  /** The same message under the same id is taken once. */
  idempotencyId?: string | undefined;
}

export interface Publication extends Draft {
  epoch: string;
  offset: number;
  previousOffset: number;
  timestamp: number;
}

/** Where a subscription stands, and what it gets first. */
export interface Replay {
  position: { epoch: string; offset: number };
  /** Everything asked for is provably among `publications`. */
  recovered: boolean;
  publications: Publication[];
}

interface Channel {
  head: number;
  /** Offset of the newest publication that is gone. */
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
  #started = 0;
  #counter = 0;
  #channels = new Map<string, Channel>();
  /** By channel, sender and idempotency id. */
  #taken = new Map<string, Publication>();
  /** What goes when the cache's window has passed, oldest first. */
  readonly published: Publication[] = [];

  constructor(windowSeconds: number, now: () => number) {
    this.windowSeconds = windowSeconds;
    this.#now = now;
    this.restart();
  }

  /** Another run of the relay: it knows nothing of the one before. */
  restart(): void {
    this.#epoch = Math.random().toString(16).slice(2).padEnd(16, '0').slice(0, 16);
    this.#started = this.#now();
    this.#counter = 0;
    this.#channels = new Map();
    this.#taken = new Map();
  }

  /** The earlier publication of the same message under its idempotency id. */
  repeated({ address, from, accountId, idempotencyId, event, payload }: Draft): Publication | undefined {
    if (idempotencyId === undefined) return undefined;
    const taken = this.#taken.get(idKey(address, from, accountId, idempotencyId));
    if (!taken || !this.#remembers(taken)) return undefined;
    if (taken.event === event && taken.payload === payload) return taken;
    throw refused('ID_REUSED', 'the id was used for another message on this channel');
  }

  publish(draft: Draft): Publication {
    const channel = this.#channel(channelId(draft.address));
    this.#counter += 1;
    const place = { epoch: this.#epoch, offset: this.#counter, previousOffset: channel.head };
    const timestamp = this.#now();
    const { address, from, accountId, idempotencyId } = draft;
    const publishedAt = draft.publishedAt || timestamp;
    const publication = { ...draft, ...place, timestamp, publishedAt };
    if (idempotencyId !== undefined) {
      for (const [key, taken] of this.#taken) {
        if (this.#remembers(taken)) break;
        this.#taken.delete(key);
      }
      this.#taken.set(idKey(address, from, accountId, idempotencyId), publication);
    }
    channel.head = this.#counter;
    channel.entries.push(publication);
    this.published.push(publication);
    return publication;
  }

  /** Empties the replay cache, as time and many messages do. */
  forget(before = Infinity): void {
    for (const channel of this.#channels.values()) {
      while (channel.entries[0] && channel.entries[0].timestamp < before) {
        const { offset, timestamp } = channel.entries.shift() as Publication;
        channel.floor = offset;
        channel.floorAt = timestamp;
      }
    }
  }

  live(id: string): Replay {
    return this.#from(this.#channel(id), Infinity, false);
  }

  sinceTime(id: string, seconds: number): Replay {
    const channel = this.#channel(id);
    const start = this.#now() - seconds * 1000;
    const first = channel.entries.findIndex(({ timestamp }) => timestamp >= start);
    // A relay younger than the span cannot know what its predecessor took.
    const recovered = start >= this.#started && channel.floorAt < start;
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

/** What a resumption missed, by the rules of the real client. */
export function gapOf(from: Replay['position'], replay: Replay): Gap | undefined {
  const { position: to, recovered } = replay;
  if (to.epoch === from.epoch && recovered && to.offset <= from.offset) return undefined;
  const reason = to.epoch === from.epoch ? 'evicted' : 'epoch';
  return { from: positionOf(from), to: positionOf(to), reason };
}

export function positionOf({ epoch, offset }: Replay['position']): Position {
  return { epoch, offset: String(offset) };
}
