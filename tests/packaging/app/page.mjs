// Publishes with the page API. Runs in every kind of page bundle, and sets `window.outcome` to the result.

import { createRealtime, Jira, realtime } from 'sealwire';

async function exercisePage() {
  const own = createRealtime({
    requestTimeoutMs: 300,
    session: () => {
      throw new Error('of the app');
    },
  });
  const publish = () => own.publish('n', { text: 'x' }, { contextOverrides: [Jira.Issue] });
  // The first calls may end before the core is loaded.
  while (own.core === undefined) await publish();
  const { errors } = await publish();
  return { core: own.core, failure: errors[0].split(':')[0], untouched: realtime.core === undefined };
}

exercisePage().then(
  (outcome) => (window.outcome = outcome),
  (error) => (window.outcome = { error: String(error) }),
);
