// Tracks the state of one subscription, and reports its changes to the option onState.

import { checkFunction } from '../arguments/options.js';
import type { SealwireError } from '../errors/sealwire-error.js';
import { report } from './deliver.js';
import type { SubscriptionState } from './subscription-types.js';

type OnState = (state: SubscriptionState, error?: SealwireError) => void;

export function checkOnState(value: unknown): OnState | undefined {
  if (value !== undefined) checkFunction(value, 'The option onState');
  return value as OnState | undefined;
}

export class SubscriptionStateTracker {
  current: SubscriptionState = 'subscribing';
  readonly #onState: OnState | undefined;

  constructor(onState: OnState | undefined) {
    this.#onState = onState;
  }

  /** Sets the state and reports a change. The state `ended` is final. */
  set(state: SubscriptionState, error?: SealwireError): void {
    if (state === this.current || this.current === 'ended') return;
    this.current = state;
    try {
      this.#onState?.(state, error);
    } catch (thrown) {
      report(thrown);
    }
  }
}
