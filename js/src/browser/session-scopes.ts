// Keeps the resolver's notes on the scopes of the page's session. A call without contextOverrides waits for the first
// session, since only the resolver knows if there is a default scope.

import { sentence } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
import type { ChannelSpec } from '../core/browser-core.js';
import type { ScopedGrant } from '../session/scoped-grant.js';
import type { Wait } from './wait.js';

/** A call's wait for the first session before the core takes over: it asks again where no answer comes. */
const FIRST_SESSION_MS = 10_000;

export class SessionScopes {
  #latest: ScopedGrant | undefined;
  /** A first session that a call has waited for in vain. */
  #late: Promise<unknown> | undefined;
  /** Calls went to the core before there was a session. */
  #unasked = false;

  /** Takes each session before the core gets it. Refuses one that cannot serve a call that the core already holds. */
  take(grant: ScopedGrant): void {
    this.#latest = grant;
    const why = this.#unasked ? noDefault(grant) : undefined;
    this.#unasked = false;
    if (why) throw why;
  }

  /** Resolves when the call may go to the core. `first` is the session that is on its way. */
  async admit(spec: ChannelSpec, first: Promise<unknown> | undefined, wait: Wait): Promise<void> {
    if (spec.scope !== undefined) return;
    if (!this.#latest && first && first !== this.#late) {
      await wait.settled(first, FIRST_SESSION_MS);
      // No other call loses its time to a session that is not coming.
      if (!this.#latest) this.#late = first;
    }
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
    const { code, message, cause } = error;
    return new SealwireError(code, `${sentence(message)} ${hint}`, { cause });
  }
}

function noDefault({ noDefaultScope }: ScopedGrant): SealwireError | undefined {
  if (noDefaultScope === undefined) return undefined;
  return new SealwireError('SCOPE_REFUSED', String(noDefaultScope));
}
