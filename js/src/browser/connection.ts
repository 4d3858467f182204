// Owns the core's client: loads the core at the first call, and gives the client its sessions.

import type {
  ChannelSpec,
  Client,
  ConnectionState,
  CoreKind,
  Host,
  SessionReason,
} from '../core/browser-core.js';
import { closable } from '../core/closable.js';
import type { CoreError } from '../core/core-error.js';
import { loadCore, type CoreSources } from '../core/load.js';
import { errorFromCore } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { failureOf } from '../errors/failure-of.js';
import { decrypt, fasterFrom } from '../page/aes-gcm.js';
import { watchSurroundings } from '../page/surroundings.js';
import { freshToken, renewedToken } from '../session/channel-token.js';
import { forgeSession } from '../session/forge-session.js';
import { checkGrant, type SessionGrant } from '../session/grant.js';
import { refusalIn } from '../session/refusal.js';
import { sharedThrough } from '../sharing/shared-connection.js';
import { debugged, type DebugEvent } from '../transport/debugged.js';
import { evented } from '../transport/evented.js';
import { withFallback } from '../transport/fallback.js';
import type { Transport } from '../transport/socket.js';
import { report } from './deliver.js';
import { SessionScopes } from './session-scopes.js';
import type { RealtimeOptions, StateListener } from './types.js';
import { closedError, slowFunction, Wait, type WaitLimits } from './wait.js';

export class Connection {
  core: CoreKind | undefined;
  transport: Transport | undefined;
  state: ConnectionState = 'idle';
  readonly #options: RealtimeOptions;
  readonly #sources: CoreSources | undefined;
  readonly #listeners = new Set<StateListener>();
  readonly #scopes: SessionScopes;
  /** The session that is fetched while the core loads. */
  #first: Promise<SessionGrant> | undefined;
  #client: Promise<Client> | undefined;
  /** The client that there is, once the core is loaded. */
  #live: Client | undefined;
  /** The calls that wait. */
  readonly #waits = new Set<Wait>();
  /** Called by close(). */
  readonly #subscriptions = new Set<(error: SealwireError) => void>();
  /** By the name of a channel: when everything that was published to it is with the core. */
  readonly #lanes = new Map<string, Promise<void>>();
  /** Grows with every close, so that what a closed client still says is ignored. */
  #generation = 0;
  #unwatch: (() => void) | undefined;

  constructor(options: RealtimeOptions, sources?: CoreSources) {
    this.#options = options;
    this.#sources = sources;
    this.#scopes = new SessionScopes();
  }

  client(): Promise<Client> {
    if (this.#client) return this.#client;
    const starting = this.#start(this.#generation);
    this.#client = starting;
    // A chunk that failed to load is asked for again by the next call.
    starting.catch(() => {
      if (this.#client === starting) this.#client = undefined;
    });
    return starting;
  }

  /** Runs a call with a wait that the call's own limit, the client's or `otherwiseMs`, its signal and close() end. */
  async within<T>(
    { timeoutMs, signal }: WaitLimits,
    call: (wait: Wait) => Promise<T>,
    otherwiseMs?: number,
  ): Promise<T> {
    const { timeoutMs: ofClient, requestTimeoutMs } = this.#options;
    const wait = new Wait({ timeoutMs: timeoutMs ?? ofClient ?? requestTimeoutMs ?? otherwiseMs, signal });
    this.#waits.add(wait);
    try {
      return await call(wait);
    } finally {
      this.#waits.delete(wait);
      wait.done();
    }
  }

  /** The client, once it may have a call for this channel. */
  async clientFor(spec: ChannelSpec, wait: Wait): Promise<Client> {
    wait.check();
    const client = await wait.for(this.client(), slowCore);
    await this.#scopes.admit(spec, this.#first, wait);
    wait.check();
    return client;
  }

  /** `ended` is called when close() ends a subscription. The function that is returned forgets it. */
  onClosed(ended: (error: SealwireError) => void): () => void {
    this.#subscriptions.add(ended);
    return () => void this.#subscriptions.delete(ended);
  }

  /**
   * Hands a publication to the core once those that were called before it have been, however long each one's token takes.
   * `lane` names the channel, as far as the call does. A call whose wait ends before its turn hands nothing over.
   */
  inOrder<T>(lane: string, wait: Wait, handOver: () => Promise<T>): Promise<T> {
    const before = this.#lanes.get(lane) ?? Promise.resolve();
    const slow = () => slowFunction('The token function of an earlier publication to the channel');
    const mine = wait.for(before, slow).then(handOver);
    const over = before
      .then(() => mine)
      .then(
        () => {},
        () => {},
      );
    this.#lanes.set(lane, over);
    void over.then(() => this.#lanes.get(lane) === over && this.#lanes.delete(lane));
    return mine;
  }

  /** The error that the app gets for a failed call. */
  errorOf(thrown: unknown): SealwireError {
    return this.#scopes.explained(errorFromCore(thrown));
  }

  /** The function that it returns ends it. */
  onStateChange(listener: StateListener): () => void {
    // The same function twice is two listeners.
    const entry: StateListener = (state, error) => listener(state, error);
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  close(): void {
    if (!this.#client && this.#waits.size === 0) return;
    const [live, waits, subscriptions] = [this.#live, [...this.#waits], [...this.#subscriptions]];
    this.#client = this.#live = this.#first = undefined;
    this.#waits.clear();
    this.#subscriptions.clear();
    this.#generation += 1;
    this.#unwatch?.();
    live?.close();
    const why = closedError();
    for (const wait of waits) wait.end(why);
    for (const ended of subscriptions) ended(why);
    this.#changed('closed', undefined);
  }

  async #start(generation: number): Promise<Client> {
    // No function of the app runs before this start is known: a call of the API from within it joins this start.
    await undefined;
    this.#refuseClosed(generation);
    // Whoever starts a client is about to connect, so the session comes while the core loads.
    let early: Promise<SessionGrant> | undefined = this.#session('connect', generation);
    early.catch(() => {});
    this.#first = early;
    const { kind, module } = await loadCore(this.#options.core, this.#sources);
    this.#refuseClosed(generation);
    this.core = kind;
    const { timeoutMs, requestTimeoutMs, idleCloseMs, onDebug, share } = this.#options;
    const alone = withFallback({ timeoutMs: timeoutMs ?? requestTimeoutMs });
    const shared = share === false ? undefined : sharedThrough(alone, () => client.wake());
    const connect = shared ?? alone;
    const host: Host = {
      session: (reason) => {
        const session = reason === 'connect' && early ? early : this.#session(reason, generation);
        early = undefined;
        return session;
      },
      connect: evented(
        onDebug
          ? debugged(connect, (event) => generation === this.#generation && this.#debug(event))
          : connect,
        (transport) => (this.transport = transport),
      ),
      token: (provider, renewal, fresh) => {
        if (onDebug) this.#debug({ type: 'token' });
        (fresh ? freshToken : renewedToken)(provider).then(
          (token) => client.provideToken(renewal, token),
          (error: unknown) => client.failToken(renewal, error),
        );
      },
      open: (opening, ...sealed) => {
        decrypt(...sealed).then(
          (plaintext) => client.provideOpened(opening, plaintext),
          () => client.provideOpened(opening, undefined),
        );
      },
      state: (state, error) => {
        if (generation === this.#generation) this.#changed(state, error);
      },
    };
    const opensElsewhereFrom = fasterFrom(kind);
    const core = new module.Client(host, {
      ...(idleCloseMs !== undefined && { idleCloseMs }),
      ...(opensElsewhereFrom !== undefined && { opensElsewhereFrom }),
    });
    const client = closable(core, () => shared?.forget());
    this.#live = client;
    this.#unwatch = watchSurroundings(client);
    return client;
  }

  #refuseClosed(generation: number): void {
    if (generation !== this.#generation) throw closedError();
  }

  #debug(event: DebugEvent): void {
    try {
      this.#options.onDebug?.(event);
    } catch (thrown) {
      report(thrown);
    }
  }

  #changed(state: ConnectionState, error: CoreError | undefined): void {
    this.state = state;
    const why = error ? errorFromCore(error) : undefined;
    if (this.#options.onDebug) this.#debug({ type: 'state', state, ...(why && { code: why.code }) });
    for (const listener of [this.#options.onState, ...this.#listeners]) {
      try {
        listener?.(state, why);
      } catch (thrown) {
        report(thrown);
      }
    }
  }

  async #session(reason: SessionReason, generation: number): Promise<SessionGrant> {
    const grant = await this.#fetch(reason);
    this.#refuseClosed(generation);
    this.#scopes.take(grant);
    return grant;
  }

  async #fetch(reason: SessionReason): Promise<SessionGrant> {
    if (this.#options.onDebug) this.#debug({ type: 'session', reason });
    const provide = this.#options.session;
    if (!provide) return forgeSession(reason);
    let grant: unknown;
    try {
      grant = await provide(reason);
    } catch (cause) {
      throw refusalIn(cause) ?? failureOf('The session option failed', cause);
    }
    return checkGrant(grant, 'The session option');
  }
}

function slowCore(): SealwireError {
  const message = 'The script of the core has not loaded in time; the relay was not asked.';
  return new SealwireError('UNREACHABLE', message, { mayHaveArrived: false });
}
