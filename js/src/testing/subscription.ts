// One subscription at the test relay: its position in the channel, its token, and its delivery.

import type { ChannelSpec, MemberRow, Meta, Notice, SubscribeOptions } from '../core/browser-core.js';
import type { CoreError } from '../errors/core-error.js';
import type { Gap } from '../errors/sealwire-error.js';
import { channelId, eventId, gapOf, positionOf, type Address, type Publication, type Replay } from './hub.js';
import { readable } from './name-tags.js';
import type { ChannelClaims, Minted } from './tokens.js';
import type { Timer } from './timing.js';

function senderOf({ from, signed, accountId }: Publication): Pick<Meta, 'sender'> {
  if (from === 'resolver') return { sender: { kind: 'function' } };
  return signed && accountId !== undefined ? { sender: { kind: 'page', accountId } } : {};
}

export class TestSubscription {
  readonly channel: string;
  token: Minted<ChannelClaims> | undefined;
  /** The timer that fetches the next token, or ends the subscription. */
  timer: Timer | undefined;
  /** True once the replay was delivered. No other message is delivered before it. */
  hasBegun: boolean;
  #position: Replay['position'];

  constructor(
    readonly spec: ChannelSpec,
    address: Address,
    token: Minted<ChannelClaims> | undefined,
    readonly options: SubscribeOptions,
    position: Replay['position'],
    readonly onMessage: (payload: string, meta: Meta) => void,
    readonly onNotice: (notice: Notice) => void,
    /** The account of the session. */
    readonly account: string | undefined,
  ) {
    this.channel = channelId(address);
    this.token = token;
    this.#position = position;
    this.hasBegun = !options.replaySeconds;
  }

  get position(): Replay['position'] {
    return this.#position;
  }

  /** Delivers the requested replay. `isResumed` is true if the connection was lost before it. */
  begin({ position, recovered, publications }: Replay, isResumed = false): void {
    this.hasBegun = true;
    this.#position = position;
    if (!recovered) this.#gap(null, positionOf(position), 'evicted');
    if (isResumed) this.#resumed(recovered);
    for (const publication of publications) this.take(publication);
  }

  /** Continues after a lost connection. */
  resume(replay: Replay): void {
    const gap = gapOf(this.#position, replay);
    const { position } = replay;
    const advanced = position.epoch !== this.#position.epoch || position.offset > this.#position.offset;
    if (advanced) this.#position = position;
    if (gap) this.#gap(gap.from, gap.to, gap.reason);
    this.#resumed(gap === undefined);
    for (const publication of replay.publications) this.take(publication);
  }

  /** Delivers a publication, unless it was delivered before. */
  take(publication: Publication): void {
    const { epoch, offset } = publication;
    if (epoch !== this.#position.epoch || offset <= this.#position.offset) return;
    this.#position = { epoch, offset };
    this.onMessage(publication.payload, {
      eventId: eventId(publication),
      timestamp: publication.timestamp,
      publishedAt: publication.publishedAt,
      event: readable(publication.event),
      channel: this.spec.name,
      ...senderOf(publication),
    });
  }

  /** Returns whether the subscription is to the presence of the channel. */
  get isPresence(): boolean {
    return this.options.member !== undefined;
  }

  /** Delivers the rows of members, which the subscriber of a presence gets instead of payloads. */
  takeMembers(rows: MemberRow[]): void {
    (this.onMessage as unknown as (rows: MemberRow[]) => void)(rows);
  }

  /** Reports the state. */
  setState(state: 'subscribed' | 'resuming'): void {
    this.onNotice({ kind: 'state', state });
  }

  end(error: CoreError): void {
    clearTimeout(this.timer);
    const { code, message } = error;
    this.onNotice({ kind: 'ended', code, message });
  }

  #resumed(recovered: boolean): void {
    this.onNotice({ kind: recovered ? 'recovered' : 'not-recovered' });
  }

  #gap(
    from: ReturnType<typeof positionOf> | null,
    to: ReturnType<typeof positionOf>,
    reason: Gap['reason'],
  ): void {
    const message = 'messages were missed; load the current state again';
    this.onNotice({ kind: 'gap', from, to, reason, message });
  }
}
