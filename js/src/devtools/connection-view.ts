// The tab with the state of the connection, the session and the latest error.

import type { SessionFacts } from '../browser/observation.js';
import { h, setText } from './dom.js';
import type { Recorder } from './recorder.js';
import { timeText, valuesText } from './text.js';

const NOT_YET = 'not yet known';

/** The rows: the label, and the text for a client. */
const FACTS: [string, (recorder: Recorder) => string][] = [
  ['State', ({ connection }) => connection.state],
  ['Transport', transportText],
  ['Core', coreText],
  ['Connection', sharingText],
  ['Session expires', sessionText(({ expiresAt }) => timeText(expiresAt * 1000).slice(0, 8))],
  ['Context', sessionText(({ context }) => valuesText(Object.keys(context), context) || 'empty')],
  ['Last error', problemText],
];

function sessionText(text: (session: SessionFacts) => string): (recorder: Recorder) => string {
  return ({ connection: { session } }) => (session ? text(session) : NOT_YET);
}

function transportText({ connection: { transport } }: Recorder): string {
  if (!transport) return NOT_YET;
  return transport === 'http' ? 'HTTP streaming, the fallback' : 'WebSocket';
}

function coreText({ connection: { core } }: Recorder): string {
  if (!core) return NOT_YET;
  return core === 'js' ? 'js (plain JavaScript)' : 'wasm (WebAssembly)';
}

function sharingText({ connection: { socket } }: Recorder): string {
  if (!socket) return NOT_YET;
  return socket.isShared ? 'shared with the other frames of the page' : 'its own';
}

function problemText({ problem }: Recorder): string {
  if (!problem) return 'none';
  const { at, source, code, message, retryAfterMs } = problem;
  const retry = retryAfterMs === undefined ? '' : ` Retry after ${retryAfterMs} ms.`;
  return `${timeText(at)}, ${source}: ${code}: ${message}${retry}`;
}

/** Adds the rows to the tab's panel. Returns a function that shows the current facts. */
export function connectionView(panel: HTMLElement): (recorder: Recorder) => void {
  const values = FACTS.map(([label, text]) => ({ label, text, value: h('dd') }));
  panel.append(h('dl', {}, ...values.flatMap(({ label, value }) => [h('dt', {}, label), value])));
  return (recorder) => {
    for (const { text, value } of values) setText(value, text(recorder));
  };
}
