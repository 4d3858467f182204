// The page of the React tests, which renders one component under StrictMode.
import { refresh } from './refresh.js';
import { StrictMode, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { RealtimeProvider, useChannel, usePresence, usePublish, useRealtimeState } from 'sealwire/react';
import { start } from './connect.js';

// Records the kinds of messages to the relay, which the first byte of a message determines.
const KINDS = { 1: 'hello', 3: 'subscribe', 4: 'unsubscribe', 10: 'enter', 11: 'leave', 12: 'watch' };
globalThis.sent = [];
const { send } = WebSocket.prototype;
WebSocket.prototype.send = function (bytes) {
  const [first] = ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, 1)
    : new Uint8Array(bytes);
  const kind = KINDS[first >> 3];
  if (kind) globalThis.sent.push(kind);
  return send.call(this, bytes);
};

globalThis.received = [];
globalThis.senders = [];
globalThis.problems = [];
globalThis.states = [];
globalThis.resumed = [];
globalThis.publishers = new Set();
// On a shared socket, the first byte would belong to the envelope of the shared connection.
start({ share: false });

function Channel({ label, channel, options, publishOptions }) {
  const onResumed = ({ recovered }) => globalThis.resumed.push(`${label}: ${recovered}`);
  const { status, error } = useChannel(
    channel,
    (payload, problem, event) => {
      if (problem) return globalThis.problems.push(problem.code);
      globalThis.senders.push(event.sender?.accountId ?? null);
      globalThis.received.push(`${label}: ${payload}`);
    },
    { ...options, onResumed },
  );
  const publish = usePublish(channel ?? 'none', { ...options, ...publishOptions });
  useEffect(() => {
    globalThis.publish = publish;
    globalThis.publishers.add(publish);
  });
  const state = useRealtimeState();
  if (globalThis.states.at(-1) !== state) globalThis.states.push(state);
  return <output>{[status, error?.code, state].filter(Boolean).join(' ')}</output>;
}

function Members({ data, enter, options }) {
  const onError = (error) => globalThis.problems.push(error.code);
  const { status, error, members } = usePresence('board', { data, enter, onError, ...options });
  const shown = members.map((member) => [member.data, member.accountId].filter(Boolean).join(' of '));
  return <output>{[status, error?.code, ...shown].filter(Boolean).join(' ')}</output>;
}

function Handlers({ channel }) {
  const { status } = useChannel(channel, {
    global: true,
    onMessage: (payload, event) => globalThis.received.push(`${event.channel}: ${payload}`),
    onError: (error) => globalThis.problems.push(error.code),
  });
  return <output>{status}</output>;
}

const components = { Channel, Handlers, Members };
refresh.register(Channel, 'Channel');

const root = createRoot(document.body.appendChild(document.createElement('main')));
globalThis.render = (name, props) => {
  const Component = components[name];
  root.render(
    <StrictMode>
      <RealtimeProvider realtime={globalThis.realtime}>
        {Component && <Component {...props} />}
      </RealtimeProvider>
    </StrictMode>,
  );
};

/** Replaces the mounted component by an edited one, as a development server does. */
globalThis.edit = () => {
  function Edited(props) {
    return Channel({ ...props, label: `${props.label}, edited` });
  }
  refresh.register(Edited, 'Channel');
  components.Channel = Edited;
  refresh.performReactRefresh();
};
