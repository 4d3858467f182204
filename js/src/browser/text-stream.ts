// The subscribing side of a text stream: orders its messages and returns them as text.

import { errorFromCore } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { fromPayload, type StreamMessage } from '../text-stream/format.js';
import { MessageOrder } from '../text-stream/order.js';
import { report, type AnyCallback } from './deliver.js';
import type { SubscriptionOptions } from './subscription-types.js';
import type { StreamOptions, TextStream } from './text-stream-types.js';
import type { Realtime, Subscription } from './types.js';

const DEFAULT_REPLAY_SECONDS = 30;
const DEFAULT_SILENCE_SECONDS = 60;
/** The maximum number of UTF-16 units that wait for the app. */
const MAX_UNITS = 4 * 1024 * 1024;

/** The client that a stream is read through. */
export type StreamSource = Pick<Realtime, 'subscribe' | 'onStateChange'>;

export class TextStreamReader implements TextStream {
  readonly ready: Promise<void>;
  #id: string | undefined;
  readonly #options: StreamOptions;
  readonly #order = new MessageOrder();
  /** The text that the app has not read. */
  #text = '';
  /** Set at the end of the stream, with the error that the iterator throws, if any. */
  #end: { error?: unknown } | undefined;
  #subscription: Subscription | undefined;
  /** Withdraws a subscription that is not confirmed yet. */
  readonly #withdrawal = new AbortController();
  #silenceTimer: ReturnType<typeof setTimeout> | undefined;
  /** The error of a loss that may concern this stream. */
  #possibleLoss: SealwireError | undefined;
  /** Resolve the pending calls of next(). */
  #readers: (() => void)[] = [];
  readonly #aborted = () => this.#finish({ error: this.#options.signal?.reason });
  readonly #removeStateListener: () => void;

  constructor(source: StreamSource, channel: string, options: StreamOptions) {
    this.#id = options.id;
    this.#options = options;
    // close() ends the subscription without an error in its callback.
    this.#removeStateListener = source.onStateChange((state) => {
      const text = 'The connection was closed while the stream was being read.';
      if (state === 'closed') this.#finish({ error: new SealwireError('CLOSED', text) });
    });
    this.ready = this.#subscribe(source.subscribe, channel);
    // The iterator throws the same error, so an app may leave `ready` alone.
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
    while (this.#text === '' && !this.#end) {
      await new Promise<void>((resolve) => this.#readers.push(resolve));
    }
    if (this.#text !== '') {
      const value = this.#text;
      this.#text = '';
      return { done: false, value };
    }
    const end = this.#end;
    this.#end = {};
    if (end && 'error' in end) throw end.error;
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
    const defaultReplay = id === undefined ? 0 : DEFAULT_REPLAY_SECONDS;
    const callback: AnyCallback = (payload) => this.#received(payload);
    const onError = (error: SealwireError) => this.#failed(error);
    const { signal } = this.#withdrawal;
    const subscribeWith = (replay: SubscriptionOptions) =>
      subscribe(channel, callback, { ...options, ...replay, signal, onError });
    const replaySeconds = options.replaySeconds ?? defaultReplay;
    try {
      this.#subscription = await subscribeWith({ replaySeconds }).catch((error) => {
        // The relay's replay window may be shorter than the default. The sequence numbers then reveal missing messages.
        const isDefault = options.replaySeconds === undefined;
        const repeats = isDefault && error?.code === 'REPLAY_TOO_LONG';
        return repeats ? subscribeWith({ replaySeconds: 0 }) : Promise.reject(error);
      });
    } catch (thrown) {
      const error = errorFromCore(thrown);
      this.#finish({ error });
      throw error;
    }
    if (this.#end) this.#leave();
    else this.#restartSilenceTimer();
  }

  #failed(error: SealwireError): void {
    if (this.#end) return;
    const isLoss = ['GAP', 'MESSAGE_UNREADABLE', 'MESSAGE_STALE', 'SENDER_UNVERIFIED'].includes(error.code);
    if (!isLoss) return this.#finish({ error });
    // The lost message may belong to another stream; the next sequence number of this stream tells. A replay that may be
    // incomplete (no known position before the gap) proves nothing at all.
    if (error.gap?.from !== null || error.gap.reason === 'withheld') this.#possibleLoss = error;
  }

  #received(payload: unknown): void {
    if (this.#end) return;
    const message = fromPayload(payload);
    if (!message) return;
    if (this.#id === undefined && message.seq === 0) this.#id = message.id;
    if (message.id === this.#id) this.#take(message);
  }

  #take(message: StreamMessage): void {
    const arrival = this.#order.take(message);
    if (arrival === 'old') return;
    this.#restartSilenceTimer();
    this.#possibleLoss = undefined;
    if (arrival.restarted && !this.#restarted()) return;
    if (arrival.missing > 0 && !this.#missed(arrival.missing)) return;
    this.#text += message.text;
    if (this.#text.length > MAX_UNITS) {
      const text = 'More text of the stream waits than is kept. Read it faster, or cancel it.';
      return this.#finish({ error: new SealwireError('SLOW_CONSUMER', text) });
    }
    if (message.error) {
      const { code, message: text } = message.error;
      this.#finish({ error: new SealwireError(code, text) });
    } else if (message.end) this.#finish({});
    else this.#wakeReaders();
  }

  /** Handles a restart of the publisher. Returns whether the stream continues. */
  #restarted(): boolean {
    const { onRestart } = this.#options;
    const text = 'The publisher of the stream restarted. Pass onRestart to continue from the beginning.';
    if (!onRestart) this.#finish({ error: new SealwireError('STREAM_RESTARTED', text) });
    else {
      this.#text = '';
      callSafely(onRestart);
    }
    return !this.#end;
  }

  /** Handles missing messages. Returns whether the stream continues. */
  #missed(missing: number): boolean {
    const { onGap } = this.#options;
    const text = `The stream lacks ${missing} of its messages here. Request it again, or pass onGap to continue.`;
    if (!onGap) this.#finish({ error: new SealwireError('GAP', text) });
    else callSafely(() => onGap({ missing }));
    return !this.#end;
  }

  /** Restarts the timer. The publisher sends keep-alives, so silence means that it is gone, or that its end was missed. */
  #restartSilenceTimer(): void {
    clearTimeout(this.#silenceTimer);
    const seconds = this.#options.silenceSeconds ?? DEFAULT_SILENCE_SECONDS;
    this.#silenceTimer = setTimeout(() => {
      const text = `The stream sent nothing for ${seconds} seconds: its publisher is gone, or never started.`;
      this.#finish({ error: this.#possibleLoss ?? new SealwireError('STREAM_SILENT', text) });
    }, seconds * 1000);
  }

  #finish(end: { error?: unknown }): void {
    if (this.#end) return;
    this.#end = end;
    this.#leave();
    this.#wakeReaders();
  }

  #leave(): void {
    clearTimeout(this.#silenceTimer);
    this.#removeStateListener();
    this.#options.signal?.removeEventListener('abort', this.#aborted);
    this.#withdrawal.abort();
    this.#subscription?.unsubscribe().catch(() => {});
    this.#subscription = undefined;
  }

  #wakeReaders(): void {
    for (const resolve of this.#readers.splice(0)) resolve();
  }
}

/** Calls a function of the app, whose exceptions do not reach the stream. */
function callSafely(callback: () => void): void {
  try {
    callback();
  } catch (thrown) {
    report(thrown);
  }
}
