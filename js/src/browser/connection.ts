// Owns the core's client: loads the core at the first call, and provides the client with sessions, sockets and tokens.

import type { ChannelSpec, Client, ConnectionState, CoreKind, Host } from '../core/browser-core.js';
import { closable } from '../core/closable.js';
import { loadCore, type CoreSources } from '../core/load.js';
import type { CoreError } from '../errors/core-error.js';
import { failureOf } from '../errors/failure-of.js';
import { errorFromCore } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { AesGcm, decryptThreshold } from '../page/aes-gcm.js';
import { watchLifecycle } from '../page/lifecycle.js';
import type { PageKey } from '../page/page-key.js';
import { needSignatures, needSigning, SignatureVerifier, verifiesSignatures } from '../page/signatures.js';
import { freshToken, renewedToken } from '../session/channel-token.js';
import { forgeSession } from '../session/forge-session.js';
import {
  certifiedFor,
  checkGrant,
  type SessionGrant,
  type SessionReason,
  type SessionRequest,
} from '../session/grant.js';
import { valueOf } from '../session/invoked.js';
import { refusalIn } from '../session/refusal.js';
import type { ScopedGrant } from '../session/scoped-grant.js';
import { sharedThrough } from '../sharing/shared-connection.js';
import { withDebug, type DebugEvent } from '../transport/debug-socket.js';
import { withEvents } from '../transport/event-target-socket.js';
import { withFallback } from '../transport/fallback-socket.js';
import type { Connect, Socket, Transport } from '../transport/socket.js';
import { report } from './deliver.js';
import type {
  Observation,
  ObservedConnection,
  ObservedSubscription,
  Observer,
  SessionFacts,
} from './observation.js';
import { PublishOrder } from './publish-order.js';
import { SessionScopes } from './session-scopes.js';
import type { RealtimeOptions, StateListener } from './types.js';
import { closedError, Wait, type WaitLimits } from './wait.js';

/** A subscription that close() ends. */
interface EndableSubscription extends ObservedSubscription {
  end(error: SealwireError): void;
}

/** The session that is fetched while the core loads. */
interface FirstSession {
  session: Promise<SessionGrant>;
  isCertified: boolean;
}

export class Connection implements ObservedConnection {
  core: CoreKind | undefined;
  transport: Transport | undefined;
  state: ConnectionState = 'idle';
  error: SealwireError | undefined;
  socket: Socket | undefined;
  session: SessionFacts | undefined;
  readonly subscriptions = new Set<EndableSubscription>();
  readonly observers = new Set<Observer>();
  /** The order of the publications to each channel. */
  readonly order = new PublishOrder();
  readonly #options: RealtimeOptions;
  readonly #sources: CoreSources | undefined;
  readonly #listeners = new Set<StateListener>();
  readonly #scopes = new SessionScopes();
  /** The session that is fetched while the core loads. */
  #firstSession: Promise<SessionGrant> | undefined;
  #client: Promise<Client> | undefined;
  /** The client, once the core is loaded. */
  #loadedClient: Client | undefined;
  /** The waits of the pending calls. */
  readonly #waits = new Set<Wait>();
  /** The number of calls of close(). The reports of an earlier client are ignored. */
  #generation = 0;
  #unwatchLifecycle: (() => void) | undefined;
  /** True if sessions certify the key of this page, because the app signs. */
  #certifies = false;

  constructor(options: RealtimeOptions, sources?: CoreSources) {
    this.#options = options;
    this.#sources = sources;
    if (options.signed === true) this.expectSigning();
  }

  /** True if the app signs the messages of this client, unless a call says otherwise. */
  get signs(): boolean {
    return this.#options.signed === true;
  }

  client(): Promise<Client> {
    if (this.#client) return this.#client;
    const starting = this.#start(this.#generation);
    this.#client = starting;
    // After a failure, the next call loads the core again.
    starting.catch(() => {
      if (this.#client === starting) this.#client = undefined;
    });
    return starting;
  }

  /**
   * Runs a call with a wait. The call's own time limit, the client's, or else `defaultMs` applies; the call's signal and
   * close() end the wait.
   */
  async withWait<T>(
    { timeoutMs, signal }: WaitLimits,
    call: (wait: Wait) => Promise<T>,
    defaultMs?: number,
  ): Promise<T> {
    const { timeoutMs: ofClient, requestTimeoutMs } = this.#options;
    const wait = new Wait({ timeoutMs: timeoutMs ?? ofClient ?? requestTimeoutMs ?? defaultMs, signal });
    this.#waits.add(wait);
    try {
      return await call(wait);
    } finally {
      this.#waits.delete(wait);
      wait.detach();
    }
  }

  /** Resolves with the client, once it may take a call for this channel. */
  async clientFor(spec: ChannelSpec, wait: Wait): Promise<Client> {
    wait.throwIfEnded();
    const client = await wait.for(this.client(), slowCore);
    await this.#scopes.admit(spec, this.#firstSession, wait);
    wait.throwIfEnded();
    return client;
  }

  /** Refuses a call with an option that needs signatures if the page cannot verify them. A relay for tests vouches for them. */
  needSignatures(option: string): void {
    if (!this.#sources) needSignatures(option);
  }

  /** Prepares for a signature. Refuses it if the page cannot sign. A relay for tests vouches for the sender. */
  needSigning(): void {
    if (!this.#sources) needSigning();
    this.expectSigning();
  }

  /** Lets the next session certify the key of this page, which may sign later. */
  expectSigning(): void {
    this.#certifies ||= !this.#sources && verifiesSignatures();
  }

  /** Passes an observation to the panels that show this client. */
  observe(observation: Observation): void {
    for (const observer of this.observers) observer(observation);
  }

  /** Returns the error that the app receives for a failed call. */
  errorOf(thrown: unknown): SealwireError {
    return this.#scopes.explained(errorFromCore(thrown));
  }

  get repeatedMessages(): number {
    return this.#loadedClient?.repeatedMessages ?? 0;
  }

  /** Adds a listener. Returns a function that removes it. */
  onStateChange(listener: StateListener): () => void {
    // The wrapper makes two listeners of a function that is added twice.
    const entry: StateListener = (state, error) => listener(state, error);
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  close(): void {
    if (!this.#client && this.#waits.size === 0) return;
    const [client, waits, subscriptions] = [this.#loadedClient, [...this.#waits], [...this.subscriptions]];
    this.#client = this.#loadedClient = this.#firstSession = undefined;
    this.#waits.clear();
    this.#generation += 1;
    this.#unwatchLifecycle?.();
    client?.close();
    const error = closedError();
    for (const wait of waits) wait.end(error);
    for (const subscription of subscriptions) subscription.end(error);
    this.#stateChanged('closed', undefined);
  }

  async #start(generation: number): Promise<Client> {
    // The microtask lets client() store this start first: a call of the API from a function of the app then joins it.
    await undefined;
    this.#refuseClosed(generation);
    // The core takes longer than the session, so its request goes first.
    const loading = loadCore(this.#options.core, this.#sources);
    loading.catch(() => {});
    // A client that starts is about to connect, so the session is fetched while the core loads.
    const isCertified = this.#certifies;
    const first = this.#session('connect', generation);
    first.catch(() => {});
    this.#firstSession = first;
    const { kind, module } = await loading;
    this.#refuseClosed(generation);
    this.core = kind;
    const { timeoutMs, requestTimeoutMs, idleCloseMs, share } = this.#options;
    const alone = withFallback({ timeoutMs: timeoutMs ?? requestTimeoutMs });
    const shared = share === false ? undefined : sharedThrough(alone, () => client.wake());
    const connect: Connect = (url, protocol) => (this.socket = (shared ?? alone)(url, protocol));
    const host = this.#host(generation, connect, { session: first, isCertified }, () => client);
    const hostDecryptThreshold = decryptThreshold(kind);
    const core = new module.Client(host, {
      ...(idleCloseMs !== undefined && { idleCloseMs }),
      ...(hostDecryptThreshold !== undefined && { hostDecryptThreshold }),
      verifiesSignatures: verifiesSignatures(),
    });
    const client = closable(core, () => shared?.forget());
    this.#loadedClient = client;
    this.#unwatchLifecycle = watchLifecycle(client);
    return client;
  }

  /** Returns the functions that the core calls. `first` is the session that the first connection uses. */
  #host(generation: number, connect: Connect, first: FirstSession, client: () => Client): Host {
    const { onDebug } = this.#options;
    let firstSession: Promise<SessionGrant> | undefined = first.session;
    const aesGcm = new AesGcm();
    const verifier = new SignatureVerifier();
    const connectWithDebug = onDebug
      ? withDebug(connect, (event) => generation === this.#generation && this.#debug(event))
      : connect;
    return {
      session: (reason, certify = false) => {
        const isFirst = reason === 'connect' && (first.isCertified || !certify);
        const session = (isFirst && firstSession) || this.#session(reason, generation);
        firstSession = undefined;
        return session;
      },
      connect: withEvents(connectWithDebug, (transport) => (this.transport = transport)),
      token: (provider, renewal, fresh) => {
        if (onDebug) this.#debug({ type: 'token' });
        (fresh ? freshToken : renewedToken)(provider).then(
          (token) => client().provideToken(renewal, token),
          (error: unknown) => client().failToken(renewal, error),
        );
      },
      open: (opening, ...sealed) => {
        aesGcm.decrypt(...sealed).then(
          (plaintext) => client().provideOpened(opening, plaintext),
          () => client().provideOpened(opening, undefined),
        );
      },
      verify: (verification, ...signed) => {
        void verifier.verify(...signed).then((isValid) => client().provideVerified(verification, isValid));
      },
      sign: (signing, text) => {
        const copy = text.slice();
        pageKey()
          .then((key) => key.sign(copy))
          .then(
            (signature) => client().provideSigned(signing, signature),
            () => client().provideSigned(signing, undefined),
          );
      },
      state: (state, error) => {
        if (generation === this.#generation) this.#stateChanged(state, error);
      },
    };
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

  #stateChanged(state: ConnectionState, cause: CoreError | undefined): void {
    this.state = state;
    const error = cause ? errorFromCore(cause) : undefined;
    if (error) this.error = error;
    if (this.#options.onDebug) this.#debug({ type: 'state', state, ...(error && { code: error.code }) });
    for (const listener of [this.#options.onState, ...this.#listeners]) {
      try {
        listener?.(state, error);
      } catch (thrown) {
        report(thrown);
      }
    }
  }

  async #session(reason: SessionReason, generation: number): Promise<SessionGrant> {
    // Without a key, the session has no certificate, which a signed message then reports.
    const key = this.#certifies ? await pageKey().catch(() => undefined) : undefined;
    const publicKey = key?.publicKey;
    const request = { reason, ...(publicKey !== undefined && { publicKey }) };
    const grant = certifiedFor(await this.#fetchSession(request), publicKey);
    this.#refuseClosed(generation);
    const { expiresAt, context, readableContext = context }: ScopedGrant = grant;
    this.session = { expiresAt, context: readableContext };
    this.#scopes.take(grant);
    return grant;
  }

  async #fetchSession(request: SessionRequest): Promise<SessionGrant> {
    if (this.#options.onDebug) this.#debug({ type: 'session', reason: request.reason });
    const provide = this.#options.session;
    if (!provide) return forgeSession(request);
    let grant: unknown;
    try {
      grant = await provide(request);
    } catch (cause) {
      throw refusalIn(cause) ?? failureOf('The session option failed', cause);
    }
    return checkGrant(valueOf(grant), 'The session option');
  }
}

/** Returns the key of the page. Only a page that signs loads the code for it. */
async function pageKey(): Promise<PageKey> {
  return (await import('../page/page-key.js')).pageKey();
}

function slowCore(): SealwireError {
  const message = 'The script of the core has not loaded in time; the relay was not asked.';
  return new SealwireError('UNREACHABLE', message, { mayHaveArrived: false });
}
