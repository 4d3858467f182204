// A socket over HTTP: it receives server-sent events in the response to one request, and sends messages in the bodies of
// others. docs/protocol.md describes the format under "Without a WebSocket".

import { CloseCode } from './close-codes.js';
import { causeOf, refusalOf } from './refused.js';
import { SocketBase } from './socket-base.js';
import type { Closed, Connect } from './socket.js';

/** The maximum base64 length of one request, of which the relay accepts 294,912 bytes. A longer message is sent alone. */
const MAX_BATCH_LENGTH = 200_000;
/** The maximum number of messages in one request. */
const MAX_BATCH_MESSAGES = 1_000;
/** The number of times that a failed request is repeated, with exponential backoff. */
const MAX_RETRIES = 4;
const FIRST_RETRY_MS = 250;
/** The time that close() waits for the requests with earlier messages. */
const CLOSE_TIMEOUT_MS = 2_000;

class SseSocket extends SocketBase {
  readonly #url: string;
  readonly #abort = new AbortController();
  /** The id of the stream, which authorises the requests with messages. Empty until the stream is open. */
  #streamId = '';
  /** The messages that the relay has not acknowledged, and the number of the first of them. */
  #queue: string[] = [];
  #firstNumber = 0;
  #isSending = false;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string) {
    super();
    this.#url = url.replace(/^ws/, 'http');
    this.#read().then(
      (event) => this.finish(event),
      (thrown) =>
        this.finish({
          code: CloseCode.Lost,
          ...(!this.#streamId && { failure: causeOf(this.#url, thrown) }),
        }),
    );
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.isOver) return;
    this.#queue.push(btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')));
    void this.#sendQueue();
  }

  /** Ends the stream, once the messages that were sent before are delivered. */
  close(): void {
    if (this.isOver) return;
    this.isOver = true;
    if (!this.#isSending) return this.#abort.abort();
    this.#closeTimer = setTimeout(() => this.#abort.abort(), CLOSE_TIMEOUT_MS);
  }

  protected override release(): void {
    this.#abort.abort();
  }

  /** Reads the stream to its end, which it returns. */
  async #read(): Promise<Closed> {
    const response = await this.#post('stream');
    const { ok, headers, body } = response;
    if (!ok || !body || !headers.get('content-type')?.startsWith('text/event-stream')) {
      return { code: CloseCode.Lost, failure: await refusalOf(this.#url, response) };
    }
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ''; ;) {
      const { value, done } = await reader.read();
      // Gateways end a response in good order when it lasts too long for them.
      if (done) return { code: this.#streamId ? CloseCode.GoingAway : CloseCode.Lost };
      const events = (text + value).split('\n\n');
      text = events.pop()!;
      for (const event of events) {
        const code = this.#received(event);
        if (code) return { code };
      }
    }
  }

  /** Handles one event. Returns the close code if the event ends the stream. */
  #received(event: string): number | undefined {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(event)?.[1];
    const data = field('data');
    if (data === undefined || this.isOver) return undefined;
    switch (field('event')) {
      case 'open':
        this.#streamId = data;
        this.onopen?.('http');
        return undefined;
      case 'close':
        return Number(data);
      default:
        this.onmessage?.({ data: Uint8Array.from(atob(data), (char) => char.charCodeAt(0)).buffer });
        return undefined;
    }
  }

  async #sendQueue(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    // The microtask lets messages that are sent together share a request.
    await null;
    while (this.#queue.length > 0) {
      const next = await this.#deliver();
      if (next === undefined) {
        this.finish({ code: CloseCode.Lost });
        break;
      }
      this.#queue.splice(0, next - this.#firstNumber);
      this.#firstNumber = next;
    }
    this.#isSending = false;
    if (!this.isOver) return;
    clearTimeout(this.#closeTimer);
    this.#abort.abort();
  }

  /** Sends one batch. Returns the number of the message that the relay expects next; undefined if the stream is broken. */
  async #deliver(): Promise<number | undefined> {
    let [count, length] = [0, 0];
    const maxCount = Math.min(this.#queue.length, MAX_BATCH_MESSAGES);
    do length += this.#queue[count++]!.length;
    while (count < maxCount && length + this.#queue[count]!.length < MAX_BATCH_LENGTH);
    const body = [`${this.#streamId} ${this.#firstNumber}`, ...this.#queue.slice(0, count)].join('\n');
    for (let retries = 0; ; retries += 1) {
      try {
        const response = await this.#post('send', body);
        if (response.ok) {
          const { next } = await response.json();
          return next > this.#firstNumber && next <= this.#firstNumber + count ? next : undefined;
        }
        // Every other status is final.
        if (response.status !== 429 && response.status < 500) return undefined;
      } catch {
        if (this.#abort.signal.aborted) return undefined;
      }
      if (retries === MAX_RETRIES) return undefined;
      // Jitter spreads the retries of many clients whose requests failed at the same moment.
      const delay = FIRST_RETRY_MS * 2 ** retries * (0.5 + Math.random());
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }

  /** Sends a request with a text body and without custom headers, so that it needs no CORS preflight. */
  #post(name: string, body?: string): Promise<Response> {
    return fetch(new URL(name, this.#url), {
      method: 'POST',
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      signal: this.#abort.signal,
      ...(body !== undefined && { body }),
    });
  }
}

/** Opens a socket over HTTP to the relay at this WebSocket address. */
export const connectOverSse: Connect = (url) => new SseSocket(url);
