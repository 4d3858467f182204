// The state of one subscription, as the app is told of it.

import { checkFunction } from '../arguments/options.js';
import type { SealwireError } from '../errors/sealwire-error.js';
import { report, type AnyCallback } from './deliver.js';
import type { Subscribe, SubscriptionState } from './types.js';

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

/** Subscribes for a reader, whose callback is told of `close()` as well: it must not wait for what never comes. */
export function tellingOfTheEnd(subscribe: Subscribe): Subscribe {
  return (channel, callback, options) => {
    const onState: OnState = (state, error) => {
      options?.onState?.(state, error);
      if (state === 'ended' && error?.code === 'CLOSED') (callback as AnyCallback)(undefined, error);
    };
    return subscribe(channel, callback, { ...options, onState });
  };
}
