// The tab with the publications of this page and their outcomes.

import { h, setText } from './dom.js';
import type { PublicationRecord, Recorder } from './recorder.js';
import { openingRow, Rows, type Row } from './rows.js';
import { preview, prettyPayload, scopeText, timeText } from './text.js';

function publicationRow(record: PublicationRecord, recorder: Recorder): Row {
  const { at, spec, event, text, length } = record;
  const outcome = h('span', { class: 'badge' });
  const note = h('span');
  const line = [
    h('time', {}, timeText(at)),
    h('b', {}, spec.name),
    ...(event ? [h('span', { class: 'badge' }, event)] : []),
    outcome,
    h('code', {}, preview(text)),
  ];
  return {
    element: openingRow(line, note, prettyPayload(text, length)),
    update: () => {
      const { error, tookMs, offset } = record;
      const took = tookMs === undefined ? 'pending' : `${tookMs} ms`;
      setText(outcome, error === undefined ? took : error.split(':')[0]!);
      outcome.dataset['state'] = error === undefined ? took : 'error';
      const result = error ?? (offset === undefined ? 'pending' : `accepted at position ${offset}`);
      const scope = scopeText(spec, recorder.connection.session?.context);
      setText(note, `${result} · ${took} · scope: ${scope} · ${length} characters of JSON`);
    },
  };
}

/** Adds the list to the tab's panel. Returns a function that shows the current publications. */
export function publicationsView(panel: HTMLElement, recorder: Recorder): () => void {
  const rows = new Rows<PublicationRecord>((record) => publicationRow(record, recorder));
  const none = h('p', { class: 'note' }, 'The page has published nothing yet.');
  const clear = h('button', { type: 'button' }, 'Clear');
  clear.addEventListener('click', () => recorder.clear(recorder.publications));
  panel.append(h('div', { class: 'tools' }, clear), none, rows.element);
  return () => {
    const { entries } = recorder.publications;
    none.hidden = entries.length > 0;
    rows.show(entries);
  };
}
