// Subscribes with the hooks. Runs in every kind of page bundle with React, and sets `window.outcome` to the result.

import { createElement, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createRealtime, realtime } from 'sealwire';
import { RealtimeProvider, useChannel, useRealtime } from 'sealwire/react';

const own = createRealtime({
  session: () => {
    throw Object.assign(new Error('Not today. [sealwire:PERMISSION_MISSING]'));
  },
});

let usesDefault = false;

function Probe() {
  const { status, error } = useChannel('n', () => {});
  if (status === 'failed') window.outcome = { core: own.core, failure: error.code, usesDefault };
  return null;
}

function Default({ children }) {
  usesDefault = useRealtime() === realtime;
  return createElement(RealtimeProvider, { realtime: own }, children);
}

const root = createRoot(document.body.appendChild(document.createElement('main')));
root.render(createElement(StrictMode, null, createElement(Default, null, createElement(Probe))));
