// subscribe() and subscribeGlobal(): checks a call, passes it to the core, and delivers messages and errors to the app.

import { invalid } from '../arguments/invalid.js';
import { checkOptions, checkReplaySeconds, checkToken } from '../arguments/options.js';
import type { ChannelSpec, Client, Meta, Notice } from '../core/browser-core.js';
import { errorFromCore } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { refuseToken } from '../session/channel-token.js';
import { channelSpec, withToken, type NamedChannel } from './channel.js';
import type { Connection } from './connection.js';
import {
  audienceOf,
  deliverMessage,
  deliverNotice,
  noticeError,
  type AnyCallback,
  type Audience,
} from './deliver.js';
import type { ObservedSubscription } from './observation.js';
import { checkOnState, SubscriptionStateTracker } from './subscription-state.js';
import type { SubscriptionState } from './subscription-types.js';
import type { Subscription } from './types.js';
import { limitsOf, type Wait } from './wait.js';

export async function subscribe(
  connection: Connection,
  global: boolean,
  channel: string,
  callback: AnyCallback,
  given: unknown,
): Promise<Subscription> {
  const options = checkOptions(given);
  const named = channelSpec(channel, options, global);
  const replaySeconds = checkReplaySeconds(options['replaySeconds']);
  const audience = audienceOf(channel, callback, options);
  if (audience.senders !== 'any') connection.needSignatures(`senders: '${audience.senders}'`);
  const limits = limitsOf(options);
  const state = new SubscriptionStateTracker(checkOnState(options['onState']));
  const subscriber = new Subscriber(connection, named, replaySeconds, audience, state);
  return connection.withWait(limits, (wait) => subscriber.subscribe(wait));
}

interface Confirmed {
  client: Client;
  /** The number of the core for the subscription. */
  id: number;
}

/** One subscription of the app, from the call of subscribe() to its end. */
class Subscriber implements ObservedSubscription {
  readonly named: NamedChannel;
  readonly replaySeconds: number | undefined;
  readonly state: SubscriptionStateTracker;
  readonly #connection: Connection;
  readonly #audience: Audience;
  #isLive = true;

  constructor(
    connection: Connection,
    named: NamedChannel,
    replaySeconds: number | undefined,
    audience: Audience,
    state: SubscriptionStateTracker,
  ) {
    this.#connection = connection;
    this.named = named;
    this.replaySeconds = replaySeconds;
    this.#audience = audience;
    this.state = state;
  }

  /** Resolves once the relay has confirmed the subscription. */
  async subscribe(wait: Wait): Promise<Subscription> {
    this.#connection.subscriptions.add(this);
    this.#connection.observe({ subscription: this, error: undefined });
    let confirmed: Confirmed;
    try {
      confirmed = await this.#confirmed(wait);
      wait.throwIfEnded();
    } catch (thrown) {
      const error = wait.ended ? wait.ended.error : this.#connection.errorOf(thrown);
      this.end(error instanceof SealwireError ? error : undefined);
      throw error;
    }
    this.#setState('subscribed');
    return this.#handle(confirmed);
  }

  /** Subscribes with a token of the app's function, and once more with another if the relay refuses the first. */
  async #confirmed(wait: Wait): Promise<Confirmed> {
    const { provider } = this.named;
    const spec = provider ? await withToken(this.named, wait) : this.named.spec;
    return this.#attempt(spec, wait).catch(async (thrown: unknown) => {
      const isAboutToken = this.#connection.errorOf(thrown).code.startsWith('TOKEN_');
      // A token that the function returned for an earlier call may have expired meanwhile.
      if (wait.ended || !provider || !isAboutToken || !refuseToken(provider, spec.token)) throw thrown;
      const fresh = await withToken(this.named, wait);
      if (fresh.token === spec.token) throw thrown;
      return this.#attempt(fresh, wait);
    });
  }

  async #attempt(spec: ChannelSpec, wait: Wait): Promise<Confirmed> {
    const client = await this.#connection.clientFor(spec, wait);
    wait.throwIfEnded();
    const { provider } = this.named;
    const remaining = wait.remainingMs;
    const id = await client.subscribe(
      spec,
      {
        ...(this.replaySeconds !== undefined && { replaySeconds: this.replaySeconds }),
        ...(provider && { renewToken: provider }),
        ...(remaining !== undefined && { timeoutMs: remaining }),
        started: (call) => wait.onEnd(() => void client.unsubscribe(call).catch(() => {})),
      },
      (payload, meta) => this.#message(payload, meta),
      (notice) => this.#notice(notice),
    );
    return { client, id };
  }

  #message(payload: string, meta: Meta): void {
    if (!this.#isLive) return;
    this.#connection.observe({ subscription: this, payload, meta });
    deliverMessage(this.#audience, payload, meta);
  }

  #notice(notice: Notice): void {
    if (!this.#isLive) return;
    if (notice.kind === 'state') return this.#setState(notice.state);
    this.#connection.observe({ subscription: this, notice });
    if (notice.kind === 'ended') this.end(noticeError(notice));
    deliverNotice(this.#audience, notice);
  }

  end(error?: SealwireError): void {
    this.#isLive = false;
    this.#connection.subscriptions.delete(this);
    this.#setState('ended', error);
  }

  #setState(state: SubscriptionState, error?: SealwireError): void {
    this.state.set(state, error);
    this.#connection.observe({ subscription: this, error });
  }

  #handle({ client, id }: Confirmed): Subscription {
    const { state } = this;
    const rejectConverted = (error: unknown) => Promise.reject(errorFromCore(error));
    return {
      get state() {
        return state.current;
      },
      unsubscribe: async () => {
        if (!this.#isLive) return;
        this.end();
        await client.unsubscribe(id).catch(rejectConverted);
      },
      refreshToken: async (token) => {
        const checked = checkToken(token);
        if (checked === undefined) throw invalid('refreshToken() needs a token.');
        await client.refreshToken(id, checked).catch(rejectConverted);
      },
    };
  }
}
