// realtime.presence(): loaded on demand, because most apps have no presence.

import { checkSigned } from '../arguments/call-options.js';
import { invalid } from '../arguments/invalid.js';
import { byteLength } from '../arguments/names.js';
import { checkFunction, checkOptions, checkToken } from '../arguments/options.js';
import { plainJson } from '../arguments/plain-json.js';
import type { ChannelSpec, Client, MemberRow, Notice } from '../core/browser-core.js';
import { errorFromCore } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { refuseToken } from '../session/channel-token.js';
import { channelKeyOf, channelSpec, withToken, type NamedChannel } from './channel.js';
import type { Connection } from './connection.js';
import { deliverError, noticeError, report, type Audience } from './deliver.js';
import { keepMember, takeMember, type FormerMember } from './member-storage.js';
import { merged, type Member } from './merged-members.js';
import type { Presence, PresenceListener, PresenceOptions } from './presence-types.js';
import { limitsOf, slowFunction, type Wait } from './wait.js';

const MAX_DATA_BYTES = 3 * 1024;

export async function openPresence(
  connection: Connection,
  channel: unknown,
  given: unknown,
): Promise<Presence> {
  const options = checkOptions(given);
  const named = channelSpec(channel, options, false);
  const { tabs = 'separate', members = 'any', onError } = options as PresenceOptions;
  if (tabs !== 'separate' && tabs !== 'merged') {
    throw invalid("The option tabs must be 'separate' or 'merged'.");
  }
  if (members !== 'any' && members !== 'verified') {
    throw invalid("The option members must be 'any' or 'verified'.");
  }
  if (members === 'verified') connection.needSignatures("members: 'verified'");
  const signed = checkSigned(options['signed']) ?? connection.signs;
  if (signed) connection.expectSigning();
  if (onError !== undefined) checkFunction(onError, 'The option onError');
  const audience = {
    channel: named.spec.name,
    callback: () => {},
    onError,
    senders: 'any' as const,
    unheard: new Set<string>(),
  };
  const shown = (all: readonly Member[]) => {
    const accepted = members === 'any' ? all : all.filter(({ accountId }) => accountId !== undefined);
    return tabs === 'merged' ? merged(accepted) : accepted;
  };
  const opened = new OpenedPresence(connection, named, { shown, signed, audience });
  return connection.withWait(limitsOf(options), (wait) => opened.open(wait));
}

function dataText(data: unknown): string {
  const text = plainJson('data', data ?? null);
  const bytes = byteLength(text);
  if (bytes <= MAX_DATA_BYTES) return text;
  throw invalid(`The data has ${bytes} bytes as JSON; the limit is ${MAX_DATA_BYTES}. Send a reference.`);
}

/** The options of one presence. */
interface Given {
  /** Returns the members that the app gets. */
  shown: (members: readonly Member[]) => readonly Member[];
  /** True if the page signs its entry. */
  signed: boolean;
  audience: Audience;
}

class OpenedPresence {
  readonly #connection: Connection;
  readonly #named: NamedChannel;
  readonly #given: Given;
  readonly #members = new Map<string, Member>();
  readonly #listeners = new Set<PresenceListener>();
  #snapshot: readonly Member[] = [];
  /** The member that a former load of the page left, until the page leaves. */
  #former: FormerMember = {};
  #hasEntered = false;
  #isLive = true;
  #known: () => void = () => {};
  #stop: (() => void)[] = [];

  constructor(connection: Connection, named: NamedChannel, given: Given) {
    this.#connection = connection;
    this.#named = named;
    this.#given = given;
  }

  /** Resolves once the members are known. */
  async open(wait: Wait): Promise<Presence> {
    const key = channelKeyOf(this.#named);
    this.#former = takeMember(key);
    const known = new Promise<void>((resolve) => (this.#known = resolve));
    this.#stop = [
      keepMember(key, () => this.#own()),
      this.#connection.onStateChange((state) => state === 'closed' && this.#end()),
    ];
    try {
      const { client, id } = await this.#confirmed(wait);
      await wait.for(known, () => slowFunction('The relay'));
      wait.throwIfEnded();
      return this.#handle(client, id);
    } catch (thrown) {
      this.#end();
      throw wait.ended ? wait.ended.error : this.#connection.errorOf(thrown);
    }
  }

  /** Opens the presence with a token of the app's function, and once more with another if the relay refuses the first. */
  async #confirmed(wait: Wait): Promise<{ client: Client; id: number }> {
    const { provider, spec: named } = this.#named;
    const spec = provider ? await withToken(this.#named, wait) : named;
    try {
      return await this.#attempt(spec, wait);
    } catch (thrown) {
      const isAboutToken = this.#connection.errorOf(thrown).code.startsWith('TOKEN_');
      if (wait.ended || !provider || !isAboutToken || !refuseToken(provider, spec.token)) throw thrown;
      return this.#attempt(await withToken(this.#named, wait), wait);
    }
  }

  async #attempt(spec: ChannelSpec, wait: Wait): Promise<{ client: Client; id: number }> {
    const client = await this.#connection.clientFor(spec, wait);
    const { provider } = this.#named;
    const timeoutMs = wait.remainingMs;
    const id = await client.subscribe(
      spec,
      {
        member: this.#former,
        ...(provider && { renewToken: provider }),
        ...(timeoutMs !== undefined && { timeoutMs }),
        started: (call) => wait.onEnd(() => void client.unsubscribe(call).catch(() => {})),
      },
      // The core passes rows to the subscriber of a presence.
      (rows: unknown) => this.#changed(rows as MemberRow[]),
      (notice) => this.#noticed(notice),
    );
    return { client, id };
  }

  #changed(rows: MemberRow[]): void {
    if (!this.#isLive) return;
    for (const [id, ...content] of rows) {
      if (content.length === 0) {
        this.#members.delete(id);
        continue;
      }
      const [data, account, enteredAt, inGrace, isSelf, isVerified] = content;
      try {
        this.#members.set(id, {
          id,
          data: JSON.parse(data),
          ...(isVerified && { accountId: account }),
          ...(account && { claimedAccountId: account }),
          enteredAt,
          inGrace,
          isSelf,
          connections: 1,
        });
      } catch (cause) {
        this.#members.delete(id);
        const message = 'The data of a member is not JSON.';
        deliverError(this.#given.audience, new SealwireError('MESSAGE_UNREADABLE', message, { cause }));
      }
    }
    const inOrder = [...this.#members.values()].sort(
      (a, b) => a.enteredAt - b.enteredAt || (a.id < b.id ? -1 : 1),
    );
    this.#snapshot = this.#given.shown(inOrder);
    this.#known();
    this.#notify();
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(this.#snapshot);
      } catch (thrown) {
        report(thrown);
      }
    }
  }

  #noticed(notice: Notice): void {
    if (!this.#isLive || (notice.kind !== 'error' && notice.kind !== 'ended')) return;
    if (notice.kind === 'ended') {
      this.#members.clear();
      this.#snapshot = [];
      this.#notify();
      this.#end();
    }
    deliverError(this.#given.audience, noticeError(notice));
  }

  #end(): void {
    this.#isLive = false;
    for (const stop of this.#stop) stop();
  }

  /** Returns the member that the page is, or was before it was loaded again. */
  #own(): FormerMember | undefined {
    const own = this.#hasEntered && [...this.#members.values()].find(({ isSelf }) => isSelf);
    if (own) return { id: own.id, enteredAt: own.enteredAt };
    return this.#former.id === undefined ? undefined : this.#former;
  }

  #handle(client: Client, id: number): Presence {
    const converted = (error: unknown) => Promise.reject(errorFromCore(error));
    const snapshot = () => this.#snapshot;
    const isLive = () => this.#isLive;
    const { signed } = this.#given;
    const enter = async (data: unknown): Promise<void> => {
      const text = dataText(data);
      if (signed) this.#connection.needSigning();
      this.#hasEntered = true;
      await client.enter(id, text, signed).catch(converted);
    };
    return {
      get members() {
        return snapshot();
      },
      get state() {
        return isLive() ? 'open' : 'ended';
      },
      enter,
      update: async (data) => {
        if (!this.#hasEntered) throw invalid('update() needs a member; call enter() first.');
        await enter(data);
      },
      leave: async () => {
        this.#hasEntered = false;
        this.#former = {};
        await client.enter(id, undefined, false).catch(converted);
      },
      onChange: (listener) => {
        checkFunction(listener, 'The listener');
        // The wrapper makes two listeners of a function that is added twice.
        const entry: PresenceListener = (members) => listener(members);
        this.#listeners.add(entry);
        return () => void this.#listeners.delete(entry);
      },
      refreshToken: async (token) => {
        const checked = checkToken(token);
        if (checked === undefined) throw invalid('refreshToken() needs a token.');
        await client.refreshToken(id, checked).catch(converted);
      },
      close: async () => {
        if (!this.#isLive) return;
        this.#end();
        await client.unsubscribe(id).catch(converted);
      },
    };
  }
}
