// A client that releases the core when it closes. The core's memory, and everything that the app passed in, is freed at
// once, since no engine guarantees to collect it.

import type { CoreClient, Client } from './browser-core.js';

const closed = () => Promise.reject({ code: 'CLOSED', message: 'the client was closed' });

class ClosableClient implements Client {
  #core: CoreClient | undefined;
  readonly #ended: () => void;

  constructor(core: CoreClient, ended: () => void) {
    this.#core = core;
    this.#ended = ended;
  }

  get state(): string {
    return this.#core?.state ?? 'closed';
  }

  get repeatedMessages(): number {
    return this.#core?.repeatedMessages ?? 0;
  }

  subscribe(...given: Parameters<Client['subscribe']>): Promise<number> {
    return this.#core?.subscribe(...given) ?? closed();
  }

  async unsubscribe(id: number): Promise<void> {
    await this.#core?.unsubscribe(id);
  }

  enter(id: number, data: string | undefined, signed: boolean): Promise<void> {
    return this.#core?.enter(id, data, signed) ?? closed();
  }

  publish(...given: Parameters<Client['publish']>): ReturnType<Client['publish']> {
    return this.#core?.publish(...given) ?? closed();
  }

  withdraw(...given: Parameters<Client['withdraw']>): void {
    this.#core?.withdraw(...given);
  }

  refreshToken(...given: Parameters<Client['refreshToken']>): Promise<void> {
    return this.#core?.refreshToken(...given) ?? closed();
  }

  provideToken(renewal: number, token: string): void {
    this.#core?.provideToken(renewal, token);
  }

  failToken(renewal: number, error: unknown): void {
    this.#core?.failToken(renewal, error);
  }

  provideOpened(opening: number, plaintext: Uint8Array | undefined): void {
    this.#core?.provideOpened(opening, plaintext);
  }

  provideVerified(verification: number, isValid: boolean): void {
    this.#core?.provideVerified(verification, isValid);
  }

  provideSigned(publish: number, signature: Uint8Array | undefined): void {
    this.#core?.provideSigned(publish, signature);
  }

  pause(...given: Parameters<Client['pause']>): void {
    this.#core?.pause(...given);
  }

  wake(): void {
    this.#core?.wake();
  }

  close(): void {
    const core = this.#core;
    if (!core) return;
    core.close();
    this.#core = undefined;
    this.#ended();
    // The core may be on the call stack now; in a microtask, it is not.
    queueMicrotask(() => core.free?.());
  }
}

/** Returns a client of this core. `ended` is called when the client closes. */
export function closable(core: CoreClient, ended: () => void): Client {
  return new ClosableClient(core, ended);
}
