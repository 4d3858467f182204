// The page of the React tests that control when a subscription is confirmed and when a message arrives: a scripted
// connection replaces the real one. The page does not use StrictMode, which would subscribe twice.
import * as React from 'react';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import { RealtimeProvider, useChannel, usePublish, useRealtimeState } from 'sealwire/react';

/** Returns a connection that records its subscriptions in `made` and its publishes in `published`. */
function scripted(name) {
  const made = [];
  const published = [];
  const listeners = new Set();
  const connection = {
    name,
    made,
    published,
    state: 'connected',
    subscribe(channel, callback, options) {
      const one = { channel, callback, options, live: true, refreshed: [] };
      made.push(one);
      const subscription = {
        unsubscribe: async () => void (one.live = false),
        refreshToken: async (token) => void one.refreshed.push(token),
      };
      return new Promise((resolve) => (one.confirm = () => resolve(subscription)));
    },
    publish: async (channel, payload, options) => (published.push([channel, payload, options]), {}),
    onStateChange: (listener) => (listeners.add(listener), () => void listeners.delete(listener)),
    show: (state) => {
      connection.state = state;
      for (const listener of [...listeners]) listener(state);
    },
    listening: () => listeners.size,
  };
  return connection;
}

globalThis.connections = { first: scripted('first'), second: scripted('second') };
globalThis.received = [];
globalThis.commits = [];
globalThis.publishers = [];
/** Called at each commit, before the effects that subscribe. */
globalThis.onCommit = () => {};
globalThis.onMessage = () => {};
globalThis.React = React;
globalThis.flushSync = flushSync;

const never = new Promise(() => {});

function Room({ label, channel, options, suspended = false }) {
  const { status, error } = useChannel(
    channel,
    (payload, problem) => {
      globalThis.received.push(`${label}: ${problem?.code ?? payload}`);
      globalThis.onMessage();
    },
    options,
  );
  const publish = usePublish(channel ?? 'none', options);
  const state = useRealtimeState();
  React.useLayoutEffect(() => {
    globalThis.commits.push([label, status, error?.code, state].filter(Boolean).join(' '));
    globalThis.publishers.push(publish);
    globalThis.onCommit();
  });
  if (suspended) throw never;
  return <output>{[label, status].join(' ')}</output>;
}

const root = createRoot(document.body.appendChild(document.createElement('main')));

/** Renders a room on the named connection. `hidden` hides or shows it with React's Activity. */
globalThis.render = (props, { connection = 'first', hidden } = {}) => {
  let room = props && <Room {...props} />;
  if (hidden !== undefined) {
    room = <React.Activity mode={hidden ? 'hidden' : 'visible'}>{room}</React.Activity>;
  }
  root.render(
    <RealtimeProvider realtime={globalThis.connections[connection]}>
      <React.Suspense fallback={null}>{room}</React.Suspense>
    </RealtimeProvider>,
  );
};
