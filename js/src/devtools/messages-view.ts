// The tab with the messages, gaps and errors of the subscriptions.

import { h, setText } from './dom.js';
import { matches } from './filter.js';
import type { MessageRecord, Recorder } from './recorder.js';
import { openingRow, Rows } from './rows.js';
import { preview, prettyPayload, timeText } from './text.js';

const FIELD = { type: 'text', autocomplete: 'off', spellcheck: 'false' };

function messageRow(record: MessageRecord): HTMLElement {
  const { at, number, channel, event, text, length, offset, code } = record;
  const label = code ?? event;
  const line = [
    h('time', {}, timeText(at)),
    h('b', {}, channel),
    ...(label ? [h('span', { class: 'badge', 'data-state': code && 'error' }, label)] : []),
    h('code', {}, preview(text)),
  ];
  const position = offset === undefined ? '' : ` · position ${offset} · ${length} characters of JSON`;
  return openingRow(line, `subscription #${number}${position}`, prettyPayload(text, length));
}

/** Adds the controls and the list to the tab's panel. Returns a function that shows the current messages. */
export function messagesView(panel: HTMLElement, recorder: Recorder): () => void {
  const rows = new Rows<MessageRecord>((record) => ({ element: messageRow(record) }));
  const [channel, event, text] = [h('input', FIELD), h('input', FIELD), h('input', FIELD)];
  /** The messages at the time of the pause. */
  let paused: readonly MessageRecord[] | undefined;
  const pause = h('button', { type: 'button', 'aria-pressed': 'false' }, 'Pause');
  const clear = h('button', { type: 'button' }, 'Clear');
  const shown = h('span', { class: 'note' });

  const show = () => {
    const entries = paused ?? recorder.messages.entries;
    const filter = { channel: channel.value, event: event.value, text: text.value };
    const found = entries.filter((record) => matches(filter, record));
    setText(shown, `${found.length} of ${entries.length}${paused ? ', paused' : ''}`);
    rows.show(found);
  };
  for (const input of [channel, event, text]) input.addEventListener('input', show);
  pause.addEventListener('click', () => {
    paused = paused ? undefined : [...recorder.messages.entries];
    pause.setAttribute('aria-pressed', String(paused !== undefined));
    show();
  });
  clear.addEventListener('click', () => {
    if (paused) paused = [];
    recorder.clear(recorder.messages);
  });
  const fields = [
    h('label', {}, 'channel', channel),
    h('label', {}, 'event', event),
    h('label', {}, 'text', text),
  ];
  panel.append(h('div', { class: 'tools' }, pause, clear, ...fields, shown), rows.element);
  return show;
}
