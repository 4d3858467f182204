// The publishing side of a text stream: collects the written text and publishes it at a bounded rate, one message at a time.

import { invalid, kindOf } from '../arguments/invalid.js';
import { failureOf } from '../errors/failure-of.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { monotonicMs } from '../monotonic.js';
import { toPayload, type StreamMessage } from '../text-stream/format.js';
import type { StreamPublisher } from './types.js';

/** The maximum number of UTF-16 units per message. JSON needs at most six bytes per unit, so every payload fits. */
const MAX_MESSAGE_UNITS = 16 * 1024;
/** The number of waiting units above which write() waits. */
const HIGH_WATER_UNITS = 64 * 1024;
/** The number of waiting units above which write() rejects. */
const MAX_UNITS = 1024 * 1024;
/** The interval of messages without text, by which subscribers know that the publisher is alive. */
const KEEP_ALIVE_MS = 15_000;
const FIRST_RETRY_MS = 250;
/** The time for one message and all its retries. */
const MESSAGE_TIMEOUT_MS = 20_000;

/** Publishes one payload. Rejects with a SealwireError. */
export type Send = (payload: object) => Promise<void>;

interface Waiter {
  until: () => boolean;
  resolve: () => void;
  reject: (error: SealwireError) => void;
}

export class TextStreamPublisher implements StreamPublisher {
  readonly id: string;
  /** The number of published messages. */
  messages = 0;
  readonly #run = Math.random().toString(36).slice(2, 10);
  readonly #send: Send;
  readonly #intervalMs: number;
  #text = '';
  /** The end of the stream, which the last message carries. */
  #ending: Pick<StreamMessage, 'end' | 'error'> | undefined;
  #failure: SealwireError | undefined;
  #isBusy = false;
  #isDone = false;
  #notBefore = 0;
  #keepAliveTimer: ReturnType<typeof setTimeout> | undefined;
  #waiters: Waiter[] = [];

  constructor(id: string, publishesPerSecond: number, send: Send) {
    this.id = id;
    this.#intervalMs = 1000 / publishesPerSecond;
    this.#send = send;
    // The first message announces the stream before there is any text.
    void this.#work();
  }

  write(text: string): Promise<void> {
    if (typeof text !== 'string') {
      return Promise.reject(invalid(`write() takes text, not ${kindOf(text)}.`));
    }
    if (this.#ending) return Promise.reject(invalid('The stream has ended; nothing more can be written.'));
    if (this.#text.length + text.length > MAX_UNITS) {
      const message = 'More was written than could be published. Await write() before the next one.';
      return Promise.reject(new SealwireError('OVERLOADED', message));
    }
    this.#text += text;
    if (text !== '') void this.#work();
    return this.#when(() => this.#text.length <= HIGH_WATER_UNITS);
  }

  end(): Promise<void> {
    return this.#finish({ end: true });
  }

  fail(message = 'The publisher of the stream failed.'): Promise<void> {
    return this.#finish({ error: { code: 'STREAM_FAILED', message: String(message) } });
  }

  /** Ends the stream. Only the first ending counts. */
  #finish(ending: Pick<StreamMessage, 'end' | 'error'>): Promise<void> {
    this.#ending ??= ending;
    void this.#work();
    return this.#when(() => this.#isDone);
  }

  #when(until: () => boolean): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (until()) return Promise.resolve();
    const waited = new Promise<void>((resolve, reject) => this.#waiters.push({ until, resolve, reject }));
    // A caller that does not await this promise receives the failure from its next call.
    waited.catch(() => {});
    return waited;
  }

  #notifyWaiters(): void {
    this.#waiters = this.#waiters.filter(({ until, resolve, reject }) => {
      if (this.#failure) reject(this.#failure);
      else if (until()) resolve();
      else return true;
      return false;
    });
  }

  /** Publishes messages until no text and no ending is left. */
  async #work(): Promise<void> {
    if (this.#isBusy || this.#failure || this.#isDone) return;
    this.#isBusy = true;
    clearTimeout(this.#keepAliveTimer);
    try {
      do {
        await wait(this.#notBefore - monotonicMs());
        this.#notBefore = monotonicMs() + this.#intervalMs;
        await this.#publish(this.#next());
        this.#notifyWaiters();
      } while (!this.#isDone && (this.#text !== '' || this.#ending));
    } catch (thrown) {
      this.#failure = failureOf('The stream could not be published', thrown, 'UNREACHABLE');
    }
    this.#isBusy = false;
    this.#notifyWaiters();
    if (!this.#failure && !this.#isDone) this.#keepAliveLater();
  }

  #next(): StreamMessage {
    let length = Math.min(this.#text.length, MAX_MESSAGE_UNITS);
    // A message never ends between the halves of a surrogate pair.
    if (length < this.#text.length && /[\uD800-\uDBFF]/.test(this.#text[length - 1] as string)) length -= 1;
    const text = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    const ending = this.#text === '' ? this.#ending : undefined;
    return { id: this.id, run: this.#run, seq: this.messages, text, ...ending };
  }

  /** Publishes one message, with retries. Subscribers drop a repetition by its sequence number. */
  async #publish(message: StreamMessage): Promise<void> {
    const giveUpAt = monotonicMs() + MESSAGE_TIMEOUT_MS;
    for (let backoff = FIRST_RETRY_MS; ; backoff *= 2) {
      try {
        await this.#send(toPayload(message));
        break;
      } catch (thrown) {
        const error = failureOf('The stream could not be published', thrown, 'UNREACHABLE');
        const delay = error.retryAfterMs ?? backoff * (0.5 + Math.random());
        if (!error.retryable || monotonicMs() + delay > giveUpAt) throw error;
        await wait(delay);
      }
    }
    this.messages += 1;
    this.#isDone = message.end !== undefined || message.error !== undefined;
  }

  #keepAliveLater(): void {
    this.#keepAliveTimer = setTimeout(() => void this.#work(), KEEP_ALIVE_MS);
    // A stream that the app forgot does not keep the process alive.
    (this.#keepAliveTimer as { unref?: () => void }).unref?.();
  }
}

/** Waits at least for a microtask, so that text written in one go is published together. */
async function wait(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  else await Promise.resolve();
}
