// The subscribing side of a stream: puts its messages in order and hands them on as text.

import { SealwireError } from '../errors/sealwire-error.js';
import { errorFromCore } from '../errors/from-core.js';
import { report, type AnyCallback } from '../browser/deliver.js';
import type { Realtime, Subscription, SubscriptionOptions } from '../browser/types.js';
import { fromPayload, type StreamMessage } from './format.js';
import { Order } from './order.js';
import type { StreamOptions, TextStream } from './types.js';

const DEFAULT_REPLAY_SECONDS = 30;
const DEFAULT_SILENCE_SECONDS = 60;
/** Most UTF-16 units that wait for the app. */
const MAX_UNITS = 4 * 1024 * 1024;

/** The connection that a stream is read from. */
export type Source = Pick<Realtime, 'subscribe' | 'onStateChange'>;

export class Reader implements TextStream {
  readonly ready: Promise<void>;
  #id: string | undefined;
  readonly #options: StreamOptions;
  readonly #order = new Order();
  #text = '';
  #over: { error?: unknown } | undefined;
  #subscription: Subscription | undefined;
  /** Withdraws a subscription that is not confirmed. */
  readonly #withdrawal = new AbortController();
  #silence: ReturnType<typeof setTimeout> | undefined;
  /** Something was missed that may have been the stream's. */
  #suspicion: SealwireError | undefined;
  #asking: (() => void)[] = [];
  readonly #aborted = () => this.#finish({ error: this.#options.signal?.reason });
  readonly #unwatch: () => void;

  constructor(source: Source, channel: string, options: StreamOptions) {
    this.#id = options.id;
    this.#options = options;
    // The app closed the connection, and with it the subscription, which itself says nothing of it.
    this.#unwatch = source.onStateChange((state) => {
      const text = 'The connection was closed while the stream was being read.';
      if (state === 'closed') this.#finish({ error: new SealwireError('CLOSED', text) });
    });
    this.ready = this.#subscribe(source.subscribe, channel);
    // Whoever does not wait for it is told by the iterator.
    this.ready.catch(() => {});
    if (options.signal?.aborted) this.#aborted();
    else options.signal?.addEventListener('abort', this.#aborted);
  }

  get id(): string | undefined {
    return this.#id;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<string>> {
    while (this.#text === '' && !this.#over) {
      await new Promise<void>((resolve) => this.#asking.push(resolve));
    }
    if (this.#text !== '') {
      const value = this.#text;
      this.#text = '';
      return { done: false, value };
    }
    const over = this.#over;
    this.#over = {};
    if (over && 'error' in over) throw over.error;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<string>> {
    this.cancel();
    return { done: true, value: undefined };
  }

  async text(): Promise<string> {
    let all = '';
    for await (const text of this) all += text;
    return all;
  }

  cancel(): void {
    this.#finish({});
    this.#text = '';
  }

  async #subscribe(subscribe: Realtime['subscribe'], channel: string): Promise<void> {
    const { id, silenceSeconds: _, onGap: __, onRestart: ___, signal: ____, ...options } = this.#options;
    const byDefault = id === undefined ? 0 : DEFAULT_REPLAY_SECONDS;
    const callback: AnyCallback = (payload) => this.#heard(payload, undefined);
    const onError = (error: SealwireError) => this.#heard(undefined, error);
    const { signal } = this.#withdrawal;
    const join = (replay: SubscriptionOptions) =>
      subscribe(channel, callback, { ...options, ...replay, signal, onError });
    try {
      this.#subscription = await join({ replaySeconds: options.replaySeconds ?? byDefault }).catch(
        (error) => {
          // The relay's window may be shorter than the default. What is missing then, the numbers tell.
          const again = error?.code === 'REPLAY_TOO_LONG' && options.replaySeconds === undefined;
          return again ? join({ replaySeconds: 0 }) : Promise.reject(error);
        },
      );
    } catch (thrown) {
      const error = errorFromCore(thrown);
      this.#finish({ error });
      throw error;
    }
    if (this.#over) this.#leave();
    else this.#listen();
  }

  #heard(payload: unknown, error: SealwireError | undefined): void {
    if (this.#over) return;
    if (error) {
      if (error.code !== 'GAP' && error.code !== 'MESSAGE_UNREADABLE') return this.#finish({ error });
      // What was missed may be of another stream, or nothing. The next message of this one tells. A replay that may not
      // be all says nothing: the numbers tell better.
      if (error.gap?.from !== null) this.#suspicion = error;
      return;
    }
    const message = fromPayload(payload);
    if (!message) return;
    if (this.#id === undefined && message.seq === 0) this.#id = message.id;
    if (message.id === this.#id) this.#take(message);
  }

  #take(message: StreamMessage): void {
    const arrival = this.#order.take(message);
    if (arrival === 'old') return;
    this.#listen();
    this.#suspicion = undefined;
    if (arrival.restarted && !this.#restart()) return;
    if (arrival.missing > 0 && !this.#gap(arrival.missing)) return;
    this.#text += message.text;
    if (this.#text.length > MAX_UNITS) {
      const text = 'More of the stream waits than is kept. Read it faster, or cancel it.';
      return this.#finish({ error: new SealwireError('SLOW_CONSUMER', text) });
    }
    if (message.error) {
      const { code, message: text } = message.error;
      this.#finish({ error: new SealwireError(code, text) });
    } else if (message.end) this.#finish({});
    else this.#wake();
  }

  /** Whether it goes on. */
  #restart(): boolean {
    const { onRestart } = this.#options;
    const text = 'The publisher of the stream began again. Pass onRestart to go on from the beginning.';
    if (!onRestart) this.#finish({ error: new SealwireError('STREAM_RESTARTED', text) });
    else {
      this.#text = '';
      tell(onRestart);
    }
    return !this.#over;
  }

  /** Whether it goes on. */
  #gap(missing: number): boolean {
    const { onGap } = this.#options;
    const text = `The stream lacks ${missing} of its messages here. Ask for it again, or pass onGap to go on.`;
    if (!onGap) this.#finish({ error: new SealwireError('GAP', text) });
    else tell(() => onGap({ missing }));
    return !this.#over;
  }

  /** The publisher makes itself heard, so silence means that it is gone, or that the end was missed. */
  #listen(): void {
    clearTimeout(this.#silence);
    const seconds = this.#options.silenceSeconds ?? DEFAULT_SILENCE_SECONDS;
    this.#silence = setTimeout(() => {
      const text = `Nothing came of the stream for ${seconds} seconds: its publisher is gone, or never was.`;
      this.#finish({ error: this.#suspicion ?? new SealwireError('STREAM_SILENT', text) });
    }, seconds * 1000);
  }

  #finish(over: { error?: unknown }): void {
    if (this.#over) return;
    this.#over = over;
    this.#leave();
    this.#wake();
  }

  #leave(): void {
    clearTimeout(this.#silence);
    this.#unwatch();
    this.#options.signal?.removeEventListener('abort', this.#aborted);
    this.#withdrawal.abort();
    this.#subscription?.unsubscribe().catch(() => {});
    this.#subscription = undefined;
  }

  #wake(): void {
    for (const resolve of this.#asking.splice(0)) resolve();
  }
}

/** An app's exception is the app's. */
function tell(callback: () => void): void {
  try {
    callback();
  } catch (thrown) {
    report(thrown);
  }
}
