// Keeps the resolver's notes on the scopes of the page's session. A call without contextOverrides waits for the first
// session, since only the resolver knows if there is a default scope.

import { sentence } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
import type { ChannelSpec } from '../core/browser-core.js';
import type { ScopedGrant } from '../session/scoped-grant.js';

const DEFAULT_TIMEOUT_MS = 10_000;

export class SessionScopes {
  readonly #timeoutMs: number;
  #latest: ScopedGrant | undefined;
  /** Calls went to the core before there was a session. */
  #unasked = false;

  constructor(timeoutMs: number | undefined) {
    this.#timeoutMs = timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /** Takes each session before the core gets it. Refuses one that cannot serve a call that the core already holds. */
  take(grant: ScopedGrant): void {
    this.#latest = grant;
    const why = this.#unasked ? noDefault(grant) : undefined;
    this.#unasked = false;
    if (why) throw why;
  }

  /** Resolves when the call may go to the core. `first` is the session that is on its way. */
  async admit(spec: ChannelSpec, first: Promise<unknown> | undefined): Promise<void> {
    if (spec.scope !== undefined) return;
    if (!this.#latest && first) await settled(first, this.#timeoutMs);
    if (!this.#latest) {
      // The core asks again and says what is wrong.
      this.#unasked = true;
      return;
    }
    const why = noDefault(this.#latest);
    if (why) throw why;
  }

  /** The error that the core gave, with what to do about a property that the session lacks. */
  explained(error: SealwireError): SealwireError {
    const hint = this.#latest?.scopeHint;
    if (error.code !== 'SCOPE_REFUSED' || typeof hint !== 'string' || error.message.includes(hint))
      return error;
    return new SealwireError(error.code, `${sentence(error.message)} ${hint}`, { cause: error.cause });
  }
}

function noDefault({ noDefaultScope }: ScopedGrant): SealwireError | undefined {
  if (noDefaultScope === undefined) return undefined;
  return new SealwireError('SCOPE_REFUSED', String(noDefaultScope));
}

/** Resolves when it is settled, or late. */
async function settled(promise: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, timeoutMs)));
  await Promise.race([promise.catch(() => {}), late]);
  clearTimeout(timer);
}
