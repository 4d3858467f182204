// The interface through which the panel of `sealwire/devtools` observes a client. A client without a panel has no observers
// and records nothing.

import type { ChannelSpec, Meta, Notice } from '../core/browser-core.js';
import type { SealwireError } from '../errors/sealwire-error.js';
import { processWide } from '../process-wide.js';
import type { Socket } from '../transport/socket.js';
import type { NamedChannel } from './channel.js';
import type { SubscriptionState } from './subscription-types.js';
import type { PublishResult, Realtime, StateListener } from './types.js';

/** A subscription of the app, from its call to its end. */
export interface ObservedSubscription {
  readonly named: NamedChannel;
  readonly replaySeconds: number | undefined;
  readonly state: { readonly current: SubscriptionState };
}

/** A new state of a subscription, a message or notice for it, or a publication of this page. */
export type Observation =
  | { subscription: ObservedSubscription; error: SealwireError | undefined }
  | { subscription: ObservedSubscription; payload: string; meta: Meta }
  | { subscription: ObservedSubscription; notice: Notice }
  | { spec: ChannelSpec; event: string; payload: string; result: Promise<PublishResult> };

/** Receives every observation. It must not throw, since it runs in the calls of the app. */
export type Observer = (observation: Observation) => void;

/** The parts of a session that are no secrets. */
export interface SessionFacts {
  /** The time at which the session expires, in Unix seconds. */
  expiresAt: number;
  /** Property names and values. */
  context: Record<string, string>;
}

/** The connection of a client, as the panel sees it. */
export interface ObservedConnection extends Pick<Realtime, 'core' | 'transport' | 'state'> {
  /** The latest error of the connection. */
  readonly error: SealwireError | undefined;
  /** The socket of the current or latest connection. */
  readonly socket: Socket | undefined;
  readonly session: SessionFacts | undefined;
  /** The subscriptions that have not ended. */
  readonly subscriptions: ReadonlySet<ObservedSubscription>;
  readonly observers: Set<Observer>;
  onStateChange(listener: StateListener): () => void;
}

/** The connection of each client, which `sealwire/devtools` finds by its name. */
export const connections = /* @__PURE__ */ processWide(
  'connections',
  () => new WeakMap<object, ObservedConnection>(),
);
