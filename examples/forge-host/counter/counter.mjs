// A page of one person that publishes numbered events through Sealwire, and reports to the host page every event that it
// published or received. It has no controls: the host page tells it when to publish, and counts.
import { createRealtime, Jira } from 'sealwire';

const CHANNEL = 'counter';
const ON_THIS_DASHBOARD = { contextOverrides: [Jira.Dashboard] };
const INTERVAL_MS = 500;
/** The number of unanswered events at which the page stops publishing new ones. */
const MAX_WAITING = 40;

/** @typedef {{ publisher: string, sequence: number }} Event */

/** The name under which this page publishes. It is new at each load, so that sequences never start again. */
const publisher = new URLSearchParams(location.search).get('publisher') ?? '';
const host = document.querySelector('script[data-host]')?.getAttribute('data-host') ?? '';
// The gadget of the same person has a connection of its own, so that the recorder can tell the two apart.
const realtime = createRealtime({ share: false });
let sequence = 0;
let waiting = 0;
let publishing = false;

/** @param {import('../pages/ledger.mjs').Report} report */
const report = (report) => window.parent.postMessage({ forge: 'counter', publisher, report }, host);

async function publishNext() {
  if (!publishing || waiting >= MAX_WAITING) return;
  const own = ++sequence;
  waiting += 1;
  report({ type: 'sent', sequence: own });
  const { errors } = await realtime.publish(CHANNEL, { publisher, sequence: own }, ON_THIS_DASHBOARD);
  waiting -= 1;
  report(
    errors ? { type: 'refused', sequence: own, reason: errors[0] } : { type: 'accepted', sequence: own },
  );
}

window.addEventListener('message', ({ source, origin, data }) => {
  if (source !== window.parent || origin !== host || data?.forge !== 'host') return;
  if (typeof data.publishing === 'boolean') publishing = data.publishing;
});

await realtime.subscribe(CHANNEL, (/** @type {Event} */ event) => report({ type: 'received', ...event }), {
  ...ON_THIS_DASHBOARD,
  onGap: (error) => report({ type: 'gap', reason: error.message }),
  onError: (error) => report({ type: 'failed', reason: error.message }),
});
report({ type: 'ready' });
setInterval(publishNext, INTERVAL_MS);
