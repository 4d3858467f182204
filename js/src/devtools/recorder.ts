// Records the observations of one client for the panel. The rings bound its memory, and nothing leaves the page.

import type { Observation, ObservedConnection, ObservedSubscription } from '../browser/observation.js';
import type { ChannelSpec, Meta, Notice } from '../core/browser-core.js';
import { Ring } from './ring.js';
import { MAX_PAYLOAD, positionOf } from './text.js';

/** The numbers of messages, publications and ended subscriptions that a recorder keeps. */
export const LIMITS = { messages: 200, publications: 200, ended: 20 };

/** A problem, with the call or subscription that had it. */
export interface Problem {
  at: number;
  source: string;
  code: string;
  message: string;
  retryAfterMs?: number | undefined;
}

export interface SubscriptionRecord {
  /** The number of the subscription in this panel. */
  number: number;
  subscription: ObservedSubscription;
  received: number;
  /** The position of the latest message; undefined before the first one. */
  position?: { epoch: string; offset: string };
  /** The number of gaps, and the reason of the latest. */
  gaps: number;
  gapReason?: string;
}

/** A message, or a gap or error of a subscription. */
export interface MessageRecord {
  at: number;
  number: number;
  channel: string;
  event: string;
  /** The payload as JSON, or the sentence of a problem. */
  text: string;
  /** The length of the whole payload in characters; `text` may be shorter. */
  length: number;
  offset?: string;
  /** The code of a problem; undefined for a message. */
  code?: string;
}

export interface PublicationRecord {
  at: number;
  spec: ChannelSpec;
  event: string;
  text: string;
  length: number;
  /** The duration of the call in milliseconds; undefined while it is pending. */
  tookMs?: number;
  /** The offset of an accepted publication. */
  offset?: string;
  /** The error of a failed publication, as `CODE: sentence`. */
  error?: string;
}

export class Recorder {
  readonly messages = new Ring<MessageRecord>(LIMITS.messages);
  readonly publications = new Ring<PublicationRecord>(LIMITS.publications);
  readonly connection: ObservedConnection;
  problem: Problem | undefined;
  /** The number of messages since the start, including those that the ring has dropped. */
  received = 0;
  readonly #changed: () => void;
  readonly #records = new Map<ObservedSubscription, SubscriptionRecord>();
  #nextNumber = 1;
  #removeStateListener: (() => void) | undefined;
  readonly #observer = (observation: Observation): void => this.#change(() => this.#record(observation));

  /** `changed` is called after every change. */
  constructor(connection: ObservedConnection, changed: () => void) {
    this.connection = connection;
    this.#changed = changed;
  }

  /** The subscriptions of the page and the latest ended ones, in the order of their calls. */
  get subscriptions(): SubscriptionRecord[] {
    return [...this.#records.values()];
  }

  /** Starts to observe the client. The subscriptions that it has already are known from then on. */
  start(): void {
    const { connection } = this;
    for (const subscription of connection.subscriptions) this.#recordOf(subscription);
    if (connection.error) this.#fail('connection', connection.error);
    connection.observers.add(this.#observer);
    this.#removeStateListener = connection.onStateChange((_, error) => {
      this.#change(() => error && this.#fail('connection', error));
    });
    this.#change(() => {});
  }

  stop(): void {
    this.connection.observers.delete(this.#observer);
    this.#removeStateListener?.();
  }

  /** Forgets the messages or the publications. */
  clear(ring: Ring<unknown>): void {
    this.#change(() => ring.clear());
  }

  #record(observation: Observation): void {
    if (!('subscription' in observation)) return this.#publication(observation);
    const record = this.#recordOf(observation.subscription);
    if ('meta' in observation) return this.#message(record, observation.payload, observation.meta);
    if ('notice' in observation) return this.#notice(record, observation.notice);
    const { error, subscription } = observation;
    if (error) this.#fail(`subscription #${record.number} of ${subscription.named.spec.name}`, error);
    if (subscription.state.current === 'ended') this.#dropEnded();
  }

  #message(record: SubscriptionRecord, payload: string, meta: Meta): void {
    const { channel, event, timestamp, eventId } = meta;
    this.received += 1;
    record.received += 1;
    record.position = positionOf(eventId);
    const { number, position } = record;
    this.messages.add({ at: timestamp, number, channel, event, ...kept(payload), offset: position.offset });
  }

  #notice(record: SubscriptionRecord, notice: Notice): void {
    if (notice.kind !== 'gap' && notice.kind !== 'error' && notice.kind !== 'ended') return;
    const channel = record.subscription.named.spec.name;
    let { message } = notice;
    let code = 'GAP';
    if (notice.kind === 'gap') {
      const { from, to, reason } = notice;
      record.gaps += 1;
      record.gapReason = reason;
      record.position = to;
      message = `${reason}, from ${from ? from.offset : 'the start'} to ${to.offset}: ${message}`;
    } else {
      code = notice.code;
    }
    const { number } = record;
    this.messages.add({ at: Date.now(), number, channel, event: '', ...kept(message), code });
    this.#fail(`subscription #${number} of ${channel}`, { ...notice, code });
  }

  #publication({ spec, event, payload, result }: Extract<Observation, { spec: ChannelSpec }>): void {
    const at = Date.now();
    const record: PublicationRecord = { at, spec, event, ...kept(payload) };
    this.publications.add(record);
    const ended = (error: string | undefined, eventId?: string | null) =>
      this.#change(() => {
        record.tookMs = Date.now() - at;
        if (eventId) record.offset = positionOf(eventId).offset;
        if (error === undefined) return;
        record.error = error;
        const [code = '', message = ''] = error.split(/: (.*)/s);
        this.#fail(`publication to ${spec.name}`, { code, message });
      });
    result.then(
      ({ errors, eventId }) => ended(errors?.[0], eventId),
      (thrown: unknown) => ended(String(thrown)),
    );
  }

  /** Makes a change and announces it. A fault of the panel must not break the calls of the app, in which it runs. */
  #change(work: () => void): void {
    try {
      work();
      this.#changed();
    } catch (thrown) {
      console.error('sealwire/devtools:', thrown);
    }
  }

  #fail(source: string, { code, message, retryAfterMs }: Omit<Problem, 'at' | 'source'>): void {
    this.problem = { at: Date.now(), source, code, message, retryAfterMs };
  }

  #recordOf(subscription: ObservedSubscription): SubscriptionRecord {
    const known = this.#records.get(subscription);
    if (known) return known;
    const record = { number: this.#nextNumber++, subscription, received: 0, gaps: 0 };
    this.#records.set(subscription, record);
    return record;
  }

  #dropEnded(): void {
    const ended = [...this.#records.keys()].filter(({ state }) => state.current === 'ended');
    for (const subscription of ended.slice(0, -LIMITS.ended)) this.#records.delete(subscription);
  }
}

function kept(text: string): { text: string; length: number } {
  return { text: text.slice(0, MAX_PAYLOAD), length: text.length };
}
