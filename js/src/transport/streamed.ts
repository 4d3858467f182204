// A socket over HTTP: server-sent events in the answer to one request, messages in the bodies of others. The format is in
// docs/protocol.md, "Without a WebSocket".

import { causeOf, refusalOf } from './refused.js';
import type { Closed, Connect, Socket, Transport } from './socket.js';

/** Most base64 in one request; the relay takes 294,912 bytes. A longer message goes alone. */
const MAX_BATCH = 200_000;
/** Most messages in one request. */
const MAX_MESSAGES = 1_000;
/** How often a request that failed is sent again, each time after about twice as long. */
const RETRIES = 4;
const FIRST_RETRY_MS = 250;
/** How long what was sent before the end may take. */
const FAREWELL_MS = 2_000;
const LOST = 1006;
/** The code of an answer that has come to its end in good order, as gateways end one that lasts too long for them. */
const GOING_AWAY = 1001;

class StreamedSocket implements Socket {
  binaryType = 'arraybuffer';
  onopen: ((transport?: Transport) => void) | null = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  readonly #url: string;
  readonly #abort = new AbortController();
  #secret = '';
  /** What the relay has not acknowledged, and the number of the first message of it. */
  #queue: string[] = [];
  #first = 0;
  #isSending = false;
  #isOver = false;
  #farewell: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string) {
    this.#url = url.replace(/^ws/, 'http');
    this.#read().then(
      (event) => this.#closed(event),
      (thrown) => this.#closed({ code: LOST, ...(!this.#secret && { failure: causeOf(this.#url, thrown) }) }),
    );
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#isOver) return;
    this.#queue.push(btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')));
    void this.#sendAll();
  }

  /** What was sent before still goes. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.#isSending) return this.#abort.abort();
    this.#farewell = setTimeout(() => this.#abort.abort(), FAREWELL_MS);
  }

  /** Reads to the end. */
  async #read(): Promise<Closed> {
    const response = await this.#post('stream');
    const { ok, headers, body } = response;
    if (!ok || !body || !headers.get('content-type')?.startsWith('text/event-stream')) {
      return { code: LOST, failure: await refusalOf(this.#url, response) };
    }
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ''; ;) {
      const { value, done } = await reader.read();
      if (done) return { code: this.#secret ? GOING_AWAY : LOST };
      const events = (text + value).split('\n\n');
      text = events.pop()!;
      for (const event of events) {
        const code = this.#received(event);
        if (code) return { code };
      }
    }
  }

  #received(event: string): number | undefined {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(event)?.[1];
    const data = field('data');
    if (data === undefined || this.#isOver) return undefined;
    switch (field('event')) {
      case 'open':
        this.#secret = data;
        this.onopen?.('http');
        return undefined;
      case 'close':
        return Number(data);
      default:
        this.onmessage?.({ data: Uint8Array.from(atob(data), (char) => char.charCodeAt(0)).buffer });
        return undefined;
    }
  }

  async #sendAll(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    // What is sent together goes together.
    await null;
    while (this.#queue.length > 0) {
      const next = await this.#deliver();
      if (next === undefined) {
        this.#closed({ code: LOST });
        break;
      }
      this.#queue.splice(0, next - this.#first);
      this.#first = next;
    }
    this.#isSending = false;
    if (!this.#isOver) return;
    clearTimeout(this.#farewell);
    this.#abort.abort();
  }

  /** The number of the message that the relay expects next; undefined where it cannot be had. */
  async #deliver(): Promise<number | undefined> {
    let [count, size] = [0, 0];
    const most = Math.min(this.#queue.length, MAX_MESSAGES);
    do size += this.#queue[count++]!.length;
    while (count < most && size + this.#queue[count]!.length < MAX_BATCH);
    const body = [`${this.#secret} ${this.#first}`, ...this.#queue.slice(0, count)].join('\n');
    for (let tried = 0; ; tried += 1) {
      try {
        const response = await this.#post('send', body);
        if (response.ok) {
          const { next } = await response.json();
          return next > this.#first && next <= this.#first + count ? next : undefined;
        }
        // Anything else will not change: the stream is over.
        if (response.status !== 429 && response.status < 500) return undefined;
      } catch {
        if (this.#abort.signal.aborted) return undefined;
      }
      if (tried === RETRIES) return undefined;
      // Those of many clients fail at the same moment, and do not come again at another one.
      const wait = FIRST_RETRY_MS * 2 ** tried * (0.5 + Math.random());
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  /** A text body and no header of our own: such a request needs no preflight. */
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

  #closed(event: Closed): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#abort.abort();
    this.onclose?.(event);
  }
}

export const connectStreamed: Connect = (url) => new StreamedSocket(url);
