// The types of usePresence.

import type { PresenceMember, PresenceOptions } from '../browser/presence-types.js';
import type { SealwireError } from '../errors/sealwire-error.js';

/** The options of `usePresence`. */
export interface UsePresenceOptions<T = any> extends Omit<PresenceOptions, 'signal' | 'timeoutMs'> {
  /** The data with which the page is a member: a JSON value of at most 3,072 bytes. The default is null. */
  data?: T;
  /** False to show the members without being one. The default is true. */
  enter?: boolean;
}

/** The presence of a channel, as a component shows it. */
export interface PresenceState<T = any> {
  /**
   * - `off`: there is no channel, or React has hidden the component.
   * - `opening`: the members are not known yet. An `error` tells why the last attempt failed.
   * - `open`: the members are known. It stays in this state while the client reconnects.
   * - `failed`: refused or ended, for the reason in `error`. After `close()` of the client, it is `CLOSED`.
   */
  status: 'off' | 'opening' | 'open' | 'failed';
  /** The members, in the order in which they entered. */
  members: readonly PresenceMember<T>[];
  /** The reason for the state, or for which the relay or the client refused the data. */
  error?: SealwireError;
}
