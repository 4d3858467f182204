// Keeps the resolver's notes on the scopes of the page's session. A call without contextOverrides waits for the first
// session, since only the resolver knows whether there is a default scope.

import { sentence } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
import type { ChannelSpec } from '../core/browser-core.js';
import type { ScopedGrant } from '../session/scoped-grant.js';
import type { Wait } from './wait.js';

/** The time that a call waits for the first session before it goes to the core, which requests the session again. */
const FIRST_SESSION_TIMEOUT_MS = 10_000;

export class SessionScopes {
  #latest: ScopedGrant | undefined;
  /** The first session for which a call has waited in vain. */
  #late: Promise<unknown> | undefined;
  /** True if a call for the default scope went to the core before there was a session. */
  #isUnchecked = false;

  /** Takes each session before the core does. Throws if it has no default scope and the core has a call that needs one. */
  take(grant: ScopedGrant): void {
    this.#latest = grant;
    const error = this.#isUnchecked ? noDefault(grant) : undefined;
    this.#isUnchecked = false;
    if (error) throw error;
  }

  /** Resolves once the call may go to the core. `first` is the pending first session. */
  async admit(spec: ChannelSpec, first: Promise<unknown> | undefined, wait: Wait): Promise<void> {
    if (spec.scope !== undefined) return;
    if (!this.#latest && first && first !== this.#late) {
      await wait.settled(first, FIRST_SESSION_TIMEOUT_MS);
      // Later calls do not wait for a session that does not come.
      if (!this.#latest) this.#late = first;
    }
    if (!this.#latest) {
      // The core requests the session again and reports a failure.
      this.#isUnchecked = true;
      return;
    }
    const error = noDefault(this.#latest);
    if (error) throw error;
  }

  /** Returns the core's error, with advice about a property that the session lacks. */
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
