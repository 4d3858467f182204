// The tab with the subscriptions of the page.

import { h, setText } from './dom.js';
import type { Recorder, SubscriptionRecord } from './recorder.js';
import { Rows, type Row } from './rows.js';
import { counted, scopeText } from './text.js';

function subscriptionRow(record: SubscriptionRecord, recorder: Recorder): Row {
  const { named, replaySeconds = 0, state } = record.subscription;
  const { spec, provider } = named;
  const badge = h('span', { class: 'badge' });
  const facts = h('p');
  const access = provider ? 'token function' : spec.token ? 'token' : 'session';
  const head = h('p', {}, h('b', {}, spec.name), ` #${record.number} `, badge);
  return {
    element: h('li', { class: 'card' }, head, facts),
    update: () => {
      setText(badge, state.current);
      badge.dataset['state'] = state.current;
      const { position, received, gaps, gapReason } = record;
      const parts = [
        `scope: ${scopeText(spec, recorder.connection.session?.context)}`,
        `access: ${access}`,
        `replay: ${replaySeconds} s`,
        `position: ${position ? position.offset : 'none yet'}`,
        counted(received, 'message'),
        gaps ? `${counted(gaps, 'gap')}, latest: ${gapReason}` : 'no gaps',
      ];
      setText(facts, parts.join(' · '));
      facts.title = position ? `epoch ${position.epoch}` : '';
    },
  };
}

/** Adds the list to the tab's panel. Returns a function that shows the current subscriptions. */
export function subscriptionsView(panel: HTMLElement, recorder: Recorder): () => void {
  const rows = new Rows<SubscriptionRecord>((record) => subscriptionRow(record, recorder));
  const none = h('p', { class: 'note' }, 'The page has no subscription yet.');
  panel.append(none, rows.element);
  return () => {
    const { subscriptions } = recorder;
    none.hidden = subscriptions.length > 0;
    rows.show(subscriptions);
  };
}
