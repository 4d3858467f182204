// The types of realtime.presence().

import type { CallOptions, ChannelOptions, ErrorListener } from './subscription-types.js';

/** A member of a presence: a page, or, with `tabs: 'merged'`, all pages of one account. */
export interface PresenceMember<T = any> {
  /** The id, which a page keeps while it reconnects or is reloaded. */
  readonly id: string;
  /** The data that the member entered with; null without any. Of merged pages, the data of the one that entered first. */
  readonly data: T;
  /**
   * The account of the member, as its signature and the app's certificate prove: the member signs (`signed`). Absent for any
   * other member.
   */
  readonly accountId?: string;
  /**
   * The account that the member's session names. It is a claim: any page with access to the channel could state it. Absent if
   * the session names none. With `accountId`, it is the same account.
   */
  readonly claimedAccountId?: string;
  /** The time at which the member entered, in Unix milliseconds. Members are in this order. */
  readonly enteredAt: number;
  /** True if the member's connection is broken. It returns, or leaves within the relay's grace time (15 s by default). */
  readonly inGrace: boolean;
  /** True if this page is the member. */
  readonly isSelf: boolean;
  /** The number of pages: 1, or more with `tabs: 'merged'`. */
  readonly connections: number;
}

/**
 * The members that a presence shows:
 *
 * - `any`: every page that entered. `accountId` names a verified account.
 * - `verified`: pages that sign (`signed`), as their signatures prove.
 */
export type AcceptedMembers = 'any' | 'verified';

/** The options of `realtime.presence()`. */
export interface PresenceOptions extends ChannelOptions, CallOptions {
  /**
   * - `separate`: each page is a member.
   * - `merged`: the pages of the same account are one member. Pages with a verified account and pages that claim it are two.
   *
   * The default is `separate`.
   */
  tabs?: 'separate' | 'merged';
  /** The members that are shown. Others are left out without an error. The default is `any`. */
  members?: AcceptedMembers;
  /**
   * True to sign this page's entry with the key of the page, so that others receive `accountId`. The default is the client's
   * option `signed`. `enter()` of a page that cannot sign rejects with `SIGNING_UNAVAILABLE`.
   */
  signed?: boolean;
  /**
   * Receives the errors of the presence: an entry that was refused, such as one with a false signature (`SENDER_UNVERIFIED`),
   * or the end of the presence. The default is a warning.
   */
  onError?: ErrorListener;
}

/** Receives the members after each change. Changes that arrive together are one call. */
export type PresenceListener<T = any> = (members: readonly PresenceMember<T>[]) => unknown;

/** The presence of a channel, as `realtime.presence()` returns it. */
export interface Presence<T = any> {
  /** The members, in the order in which they entered. The array is replaced with each change, and never changed. */
  readonly members: readonly PresenceMember<T>[];
  /** The state: `open`, or `ended` by `close()`, by the client's `close()`, or by the relay, which `onError` reports. */
  readonly state: 'open' | 'ended';
  /**
   * Makes this page a member, or replaces its data. The page stays one while it reconnects, until `leave()` or `close()`. The
   * promise resolves once the relay has the data, however long that takes. It rejects if the relay refuses it, and with `SIGNING_UNAVAILABLE` if the page
   * signs and cannot.
   *
   * @param data - A JSON value of at most 3,072 bytes. The default is null. The relay cannot read it.
   */
  enter: (data?: T) => Promise<void>;
  /** Replaces the data of this page's member. It rejects with `INVALID_ARGUMENT` if the page has not entered. */
  update: (data: T) => Promise<void>;
  /** Ends the membership of this page at once, unless another open presence of the same channel has entered, too. */
  leave: () => Promise<void>;
  /**
   * Adds a listener. An exception of a listener goes to the page's error handler and stops no other one.
   *
   * @returns A function that removes the listener.
   */
  onChange: (listener: PresenceListener<T>) => () => void;
  /**
   * Replaces the channel token before it expires, without interrupting the presence. Rejects with a SealwireError if the token
   * has other claims or the presence has ended.
   */
  refreshToken: (token: string) => Promise<void>;
  /** Leaves, and ends the presence of this page. No listener is called any more. */
  close: () => Promise<void>;
}

/**
 * Opens the presence of a channel, and resolves once its members are known. It needs the permission `presence`.
 *
 * @param channel - The name of the channel, 1 to 255 bytes.
 * @param options - The scope or token of the channel, `tabs`, `members`, `signed`, a listener for errors, and the limits of the call.
 * @typeParam T - The type of the members' data.
 * @returns The presence. The page is no member before it calls `enter()`.
 * @throws SealwireError with the code `INVALID_ARGUMENT` or `NAME_INVALID` for a wrong argument, `PERMISSION_MISSING`,
 * `SCOPE_REFUSED` or a `TOKEN_…` code if the channel is refused, `PRESENCE_UNSUPPORTED` if the relay has no presence, and
 * `CLOSED` after `close()`.
 */
export type OpenPresence = <T = any>(channel: string, options?: PresenceOptions) => Promise<Presence<T>>;
