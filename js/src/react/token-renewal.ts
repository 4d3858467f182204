// The renewal of a string token by a hook, when a render has another one with the same claims.

import { errorFromCore } from '../errors/from-core.js';
import type { SealwireError } from '../errors/sealwire-error.js';
import type { RetryTimer } from './retry-timer.js';

/** The subscription or the presence of a hook. */
export interface Renewable {
  /** Returns it if it is open. */
  opened: () => { refreshToken: (token: string) => Promise<void> } | undefined;
  /** Returns whether it has failed or ended, so that another token starts it again. */
  hasEnded: () => boolean;
  restart: () => void;
}

export class TokenRenewal {
  readonly #retry: RetryTimer;
  readonly #renewable: Renewable;
  #token: unknown;

  constructor(retry: RetryTimer, renewable: Renewable) {
    this.#retry = retry;
    this.#renewable = renewable;
  }

  /** Notes the token of a new attempt. */
  begin(token: unknown): void {
    this.#token = token;
  }

  /** Renews the token, if it is another one. */
  renew(token: unknown): void {
    if (typeof token !== 'string' || token === this.#token) return;
    if (this.#renewable.hasEnded()) return this.#renewable.restart();
    const opened = this.#renewable.opened();
    // A hook that has not opened yet takes the token when it opens.
    if (!opened) return;
    this.#token = token;
    this.#retry.stop();
    opened.refreshToken(token).catch((thrown: unknown) => {
      if (this.#renewable.opened() === opened) this.#failed(token, errorFromCore(thrown));
    });
  }

  /** Handles a failed renewal. If the relay could not be asked, the current token stays in use meanwhile. */
  #failed(token: string, error: SealwireError): void {
    if (!error.retryable) return this.#renewable.restart();
    this.#retry.later(error, () => {
      if (this.#token !== token) return;
      this.#token = undefined;
      this.renew(token);
    });
  }
}
