// The interface of the Rust client, which both of its builds (WebAssembly and plain JavaScript) export. It converts
// nothing: the JavaScript idiom lives in browser/.

import type { CoreError } from '../errors/core-error.js';
import type { Gap } from '../errors/sealwire-error.js';
import type { SessionGrant, SessionReason } from '../session/grant.js';
import type { TokenProvider } from '../session/token-provider.js';

/** A build of the core: WebAssembly or plain JavaScript. */
export type CoreKind = 'wasm' | 'js';

/**
 * The state of a connection:
 *
 * - `idle`: nothing needs a connection.
 * - `connecting`: the first connection is being made.
 * - `connected`: the relay has accepted the session.
 * - `reconnecting`: the connection was lost and is being made again.
 * - `suspended`: a connection is needed, but the browser is offline, or the page is frozen or has been hidden for minutes.
 *   It returns by itself with the network or the page.
 * - `closed`: by `close()`. A later call connects again.
 */
export type ConnectionState = 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'suspended' | 'closed';

/** The reason for which the core stops trying to connect for now. */
export type PauseReason = 'offline' | 'hidden' | 'frozen';

/** The functions that the page provides to the core. */
export interface Host {
  /** Returns a session. With `certify`, it certifies the public key of the page. */
  session(reason: SessionReason, certify?: boolean): Promise<SessionGrant>;
  /**
   * Opens a socket. The core listens to its events `open`, `message` and `close`, as those of a WebSocket. A `close` event
   * may have a `failure`, which says more than the close code: an object with `code`, `message` and an optional
   * `retryAfterMs`.
   */
  connect(url: string, protocol: string): EventTarget;
  /**
   * Fetches a channel token. The result goes to the client's `provideToken` or `failToken`. `fresh` excludes a token that
   * was fetched a moment ago: it lacks a key, or the relay refused it.
   */
  token(provider: TokenProvider, renewal: number, fresh: boolean): void;
  state(state: ConnectionState, error?: CoreError): void;
  /**
   * Decrypts a message with AES-256-GCM. The result goes to the client's `provideOpened`. The arguments are views of the
   * core's memory and are valid until this function returns.
   */
  open(
    opening: number,
    key: Uint8Array,
    iv: Uint8Array,
    associatedData: Uint8Array,
    ciphertext: Uint8Array,
  ): void;
  /**
   * Verifies a signature of ECDSA with P-256 and SHA-256 by the public key `signer`. The result goes to the client's
   * `provideVerified`. If the author is a page, `issuer` is the public key that verifies its certificate, and `certificate` is
   * the certified text with its signature behind it; otherwise both are empty. The arrays are views, as for `open`.
   */
  verify(
    verification: number,
    signer: string,
    text: Uint8Array,
    signature: Uint8Array,
    issuer: string,
    certificate: Uint8Array,
  ): void;
  /** Signs with the key of the page. The result goes to the client's `provideSigned`. `text` is a view, as for `open`. */
  sign(signing: number, text: Uint8Array): void;
}

export interface ClientOptions {
  /** The time that an unused connection stays open, in milliseconds. The default is 5,000. */
  idleCloseMs?: number;
  /** The number of sealed bytes from which the host decrypts a message. By default, the core decrypts all messages. */
  hostDecryptThreshold?: number;
  /** True if the host verifies signatures. By default, no message has a verified sender. */
  verifiesSignatures?: boolean;
}

export interface ChannelSpec {
  name: string;
  /** Property names. Undefined selects the session's whole context, an empty list the installation-wide channel. */
  scope?: string[];
  token?: string;
}

/**
 * The sender of a message that a signature proves, in the same installation: a function of the app, or a page of this account
 * that signs.
 */
export type VerifiedSender = { kind: 'function' } | { kind: 'page'; accountId: string };

/** The metadata of a message. */
export interface Meta {
  eventId: string;
  /** The relay's time, in Unix milliseconds. */
  timestamp: number;
  /** The time of the publisher's backend, sealed with the message, in Unix milliseconds. */
  publishedAt: number;
  event: string;
  channel: string;
  /** Absent if nothing proves the sender. */
  sender?: VerifiedSender;
}

/**
 * A notice to a subscription. Messages continue after each kind but `ended`. `recovered` and `not-recovered` are the ends of a
 * resume.
 */
export type Notice =
  | ({ kind: 'gap'; message: string } & Gap)
  | ({ kind: 'error' } & CoreError)
  | ({ kind: 'ended' } & CoreError)
  | { kind: 'state'; state: 'subscribed' | 'resuming' }
  | { kind: 'recovered' | 'not-recovered' };

export interface Published {
  eventId: string;
  timestamp: number;
}

/** The limits of a call. */
export interface CallOptions {
  /** The maximum duration of the call, in milliseconds. By default two minutes for a publish, unlimited for a subscribe. */
  timeoutMs?: number;
  /** Called at once with the number of the call, for `unsubscribe` or `withdraw`. */
  started?: (call: number) => void;
}

export interface PublishOptions extends CallOptions {
  /** The id that the app chose; by default the core chooses one. */
  idempotencyId?: string;
  /** True if the host signs the message. */
  signed?: boolean;
}

/** A member that changed, or, with its id alone, one that left. `isVerified` is true if a signature proves the account. */
export type MemberRow = [
  id: string,
  ...content:
    | []
    | [
        data: string,
        account: string,
        enteredAt: number,
        inGrace: boolean,
        isSelf: boolean,
        isVerified: boolean,
      ],
];

export interface SubscribeOptions extends CallOptions {
  /**
   * Subscribes to the presence of the channel: `onMessage` gets all members, and then each change, as rows instead of a
   * payload. The member is the one that the page becomes if it enters, as a former load of the page knew it, or a new one.
   */
  member?: { id?: string; enteredAt?: number };
  replaySeconds?: number;
  /** Provides new tokens for the subscription's channel before the current one expires. */
  renewToken?: TokenProvider;
}

export interface Client {
  subscribe(
    channel: ChannelSpec,
    options: SubscribeOptions,
    onMessage: (payload: string, meta: Meta) => void,
    onNotice: (notice: Notice) => void,
  ): Promise<number>;
  unsubscribe(id: number): Promise<void>;
  /** Enters a presence, or replaces the data of the page's member. Without data, the page leaves. The host signs if `signed`. */
  enter(id: number, data: string | undefined, signed: boolean): Promise<void>;
  publish(channel: ChannelSpec, event: string, payload: string, options: PublishOptions): Promise<Published>;
  /** Stops waiting for a publication: its promise rejects. */
  withdraw(publish: number): void;
  refreshToken(id: number, token: string): Promise<void>;
  provideToken(renewal: number, token: string): void;
  failToken(renewal: number, error: unknown): void;
  provideOpened(opening: number, plaintext: Uint8Array | undefined): void;
  provideVerified(verification: number, isValid: boolean): void;
  /** Passes a signature of 64 bytes, or undefined if the page could not sign. */
  provideSigned(signing: number, signature: Uint8Array | undefined): void;
  pause(reason: PauseReason): void;
  wake(): void;
  close(): void;
  readonly state: string;
  /** The number of messages that were dropped because the relay had delivered them before. */
  readonly repeatedMessages: number;
}

/** A client of the Rust core. Its memory must be released by hand. */
export interface CoreClient extends Client {
  free?(): void;
}

export interface CoreModule {
  Client: new (host: Host, options: ClientOptions) => CoreClient;
}
