// The publishing side of a stream: collects what is written, and publishes it at a bounded rate, one message at a time.

import { invalid, kindOf } from '../arguments/invalid.js';
import { failureOf } from '../errors/failure-of.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { toPayload, type StreamMessage } from './format.js';
import type { StreamPublisher } from './types.js';
import { monotonicMs } from '../monotonic.js';

/** Most UTF-16 units of one message: even where JSON needs six bytes for each, the payload is within its limit. */
const MESSAGE_UNITS = 16 * 1024;
/** From so many on, write() waits. */
const HIGH_UNITS = 64 * 1024;
/** So many are never kept. */
const MAX_UNITS = 1024 * 1024;
/** Subscribers hear at least this often that the publisher is there. */
const KEEP_ALIVE_MS = 15_000;
const FIRST_RETRY_MS = 250;
/** How long one message may take, with all its attempts. */
const PATIENCE_MS = 20_000;

/** Publishes one payload. Rejects with a SealwireError. */
export type Send = (payload: object) => Promise<void>;

export class Publisher implements StreamPublisher {
  readonly id: string;
  messages = 0;
  readonly #run = Math.random().toString(36).slice(2, 10);
  readonly #send: Send;
  readonly #intervalMs: number;
  #text = '';
  #last: Pick<StreamMessage, 'end' | 'error'> | undefined;
  #failure: SealwireError | undefined;
  #busy = false;
  #done = false;
  #notBefore = 0;
  #keepAlive: ReturnType<typeof setTimeout> | undefined;
  #waiting: { until: () => boolean; resolve: () => void; reject: (error: SealwireError) => void }[] = [];

  constructor(id: string, publishesPerSecond: number, send: Send) {
    this.id = id;
    this.#intervalMs = 1000 / publishesPerSecond;
    this.#send = send;
    // The first message says that there is a stream, before there is any text.
    void this.#work();
  }

  write(text: string): Promise<void> {
    if (typeof text !== 'string') {
      return Promise.reject(invalid(`write() takes text, not ${kindOf(text)}.`));
    }
    if (this.#last) return Promise.reject(invalid('The stream has ended; nothing more can be written.'));
    if (this.#text.length + text.length > MAX_UNITS) {
      const message = 'More was written than could be published. Await write() before the next one.';
      return Promise.reject(new SealwireError('OVERLOADED', message));
    }
    this.#text += text;
    if (text !== '') void this.#work();
    return this.#when(() => this.#text.length <= HIGH_UNITS);
  }

  end(): Promise<void> {
    return this.#finish({ end: true });
  }

  fail(message = 'The publisher of the stream failed.'): Promise<void> {
    return this.#finish({ error: { code: 'STREAM_FAILED', message: String(message) } });
  }

  /** What came first counts: a stream ends once. */
  #finish(last: Pick<StreamMessage, 'end' | 'error'>): Promise<void> {
    this.#last ??= last;
    void this.#work();
    return this.#when(() => this.#done);
  }

  #when(until: () => boolean): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (until()) return Promise.resolve();
    const waited = new Promise<void>((resolve, reject) => this.#waiting.push({ until, resolve, reject }));
    // Whoever does not wait is told by the next call.
    waited.catch(() => {});
    return waited;
  }

  #tell(): void {
    this.#waiting = this.#waiting.filter(({ until, resolve, reject }) => {
      if (this.#failure) reject(this.#failure);
      else if (until()) resolve();
      else return true;
      return false;
    });
  }

  /** Publishes until there is nothing left to publish. */
  async #work(): Promise<void> {
    if (this.#busy || this.#failure || this.#done) return;
    this.#busy = true;
    clearTimeout(this.#keepAlive);
    try {
      do {
        await wait(this.#notBefore - monotonicMs());
        this.#notBefore = monotonicMs() + this.#intervalMs;
        await this.#publish(this.#next());
        this.#tell();
      } while (!this.#done && (this.#text !== '' || this.#last));
    } catch (thrown) {
      this.#failure = failureOf('The stream could not be published', thrown, 'UNREACHABLE');
    }
    this.#busy = false;
    this.#tell();
    if (!this.#failure && !this.#done) this.#keepAliveLater();
  }

  #next(): StreamMessage {
    let length = Math.min(this.#text.length, MESSAGE_UNITS);
    // A pair of surrogates stays together.
    if (length < this.#text.length && /[\uD800-\uDBFF]/.test(this.#text[length - 1] as string)) length -= 1;
    const text = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    const last = this.#text === '' ? this.#last : undefined;
    return { id: this.id, run: this.#run, seq: this.messages, text, ...last };
  }

  /** A repetition does no harm: subscribers know messages by their number. */
  async #publish(message: StreamMessage): Promise<void> {
    const giveUpAt = monotonicMs() + PATIENCE_MS;
    for (let pause = FIRST_RETRY_MS; ; pause *= 2) {
      try {
        await this.#send(toPayload(message));
        break;
      } catch (thrown) {
        const error = failureOf('The stream could not be published', thrown, 'UNREACHABLE');
        const next = error.retryAfterMs ?? pause * (0.5 + Math.random());
        if (!error.retryable || monotonicMs() + next > giveUpAt) throw error;
        await wait(next);
      }
    }
    this.messages += 1;
    this.#done = message.end !== undefined || message.error !== undefined;
  }

  #keepAliveLater(): void {
    this.#keepAlive = setTimeout(() => void this.#work(), KEEP_ALIVE_MS);
    // A stream that was forgotten does not keep a function running.
    (this.#keepAlive as { unref?: () => void }).unref?.();
  }
}

/** At least a turn of the event loop's microtasks: what is written in one go goes together. */
async function wait(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  else await Promise.resolve();
}
