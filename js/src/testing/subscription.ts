// One subscription at the test relay: its place in the channel, its token, and what it hands on.

import type { ChannelSpec, Meta, Notice, SubscribeOptions } from '../core/browser-core.js';
import type { CoreError } from '../core/core-error.js';
import { channelId, eventId, gapOf, positionOf, type Address, type Publication, type Replay } from './hub.js';
import type { ChannelClaims, Minted } from './tokens.js';
import type { Timer } from './waiting.js';

export class TestSubscription {
  readonly channel: string;
  token: Minted<ChannelClaims> | undefined;
  /** Ends it, or fetches the next token. */
  timer: Timer | undefined;
  /** It has what its replay brought; nothing else comes before that. */
  begun: boolean;
  #position: Replay['position'];

  constructor(
    readonly spec: ChannelSpec,
    address: Address,
    token: Minted<ChannelClaims> | undefined,
    readonly options: SubscribeOptions,
    position: Replay['position'],
    readonly onMessage: (payload: string, meta: Meta) => void,
    readonly onNotice: (notice: Notice) => void,
  ) {
    this.channel = channelId(address);
    this.token = token;
    this.#position = position;
    this.begun = !options.replaySeconds;
  }

  get position(): Replay['position'] {
    return this.#position;
  }

  /** What the replay that it asked for brought. */
  begin({ position, recovered, publications }: Replay): void {
    this.begun = true;
    this.#position = position;
    if (!recovered) this.#gap(null, positionOf(position), 'evicted');
    for (const publication of publications) this.take(publication);
  }

  /** Goes on after a lost connection. */
  resume(replay: Replay): void {
    const gap = gapOf(this.#position, replay);
    const { position } = replay;
    const advanced = position.epoch !== this.#position.epoch || position.offset > this.#position.offset;
    if (advanced) this.#position = position;
    if (gap) this.#gap(gap.from, gap.to, gap.reason);
    for (const publication of replay.publications) this.take(publication);
  }

  /** Delivers it, once. */
  take(publication: Publication): void {
    const { epoch, offset } = publication;
    if (epoch !== this.#position.epoch || offset <= this.#position.offset) return;
    this.#position = { epoch, offset };
    this.onMessage(publication.payload, {
      eventId: eventId(publication),
      timestamp: publication.timestamp,
      publishedAt: publication.publishedAt,
      event: publication.event,
      channel: this.spec.name,
    });
  }

  /** Shows the app how it stands. */
  show(state: 'subscribed' | 'resuming'): void {
    this.onNotice({ kind: 'state', state });
  }

  end(error: CoreError): void {
    clearTimeout(this.timer);
    const { code, message } = error;
    this.onNotice({ kind: 'ended', code, message });
  }

  #gap(
    from: ReturnType<typeof positionOf> | null,
    to: ReturnType<typeof positionOf>,
    reason: 'evicted' | 'epoch' | 'skipped',
  ): void {
    const message = 'messages were missed; load the current state anew';
    this.onNotice({ kind: 'gap', from, to, reason, message });
  }
}
