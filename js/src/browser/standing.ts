// The state of one subscription, as the app is told of it.

import { checkFunction } from '../arguments/options.js';
import type { SealwireError } from '../errors/sealwire-error.js';
import { report } from './deliver.js';
import type { SubscriptionState } from './types.js';

type OnState = (state: SubscriptionState, error?: SealwireError) => void;

export function checkOnState(value: unknown): OnState | undefined {
  if (value !== undefined) checkFunction(value, 'The option onState');
  return value as OnState | undefined;
}

export class SubscriptionStanding {
  state: SubscriptionState = 'subscribing';
  readonly #onState: OnState | undefined;

  constructor(onState: OnState | undefined) {
    this.#onState = onState;
  }

  show(state: SubscriptionState, error?: SealwireError): void {
    if (state === this.state || this.state === 'ended') return;
    this.state = state;
    try {
      this.#onState?.(state, error);
    } catch (thrown) {
      report(thrown);
    }
  }
}
