// The page with the peers' clients. Each function subscribes, and resolves with the messages per second from the first to the last.
import * as Ably from 'ably';
import { Centrifuge } from 'centrifuge';
import { Centrifuge as CentrifugeProtobuf } from 'centrifuge/build/protobuf';

const CHANNEL = 'speed';

/** Returns a callback for each message, and the promise of the rate. */
function counter(count) {
  let [received, first] = [0, 0];
  let finished;
  const rate = new Promise((resolve) => (finished = resolve));
  const arrived = () => {
    received += 1;
    if (received === 1) first = performance.now();
    if (received === count) finished(((count - 1) / (performance.now() - first)) * 1000);
  };
  return { arrived, rate };
}

function centrifuge(Client, port, name, count, read) {
  const { arrived, rate } = counter(count);
  const client = new Client(`ws://127.0.0.1:${port}/${name}`);
  const subscription = client.newSubscription(CHANNEL);
  subscription.on('publication', ({ data }) => {
    globalThis.latest = read(data);
    arrived();
  });
  subscription.subscribe();
  client.connect();
  return rate;
}

const decoder = new TextDecoder();

function ably(port, name, count) {
  const { arrived, rate } = counter(count);
  const client = new Ably.Realtime({
    token: 'any',
    endpoint: '127.0.0.1',
    port,
    tls: false,
    useBinaryProtocol: name.includes('msgpack'),
    transportParams: { peer: name },
    transports: ['web_socket'],
    disableConnectivityCheck: true,
  });
  const heard = ({ data }) => {
    globalThis.latest = data;
    arrived();
  };
  client.channels.get(CHANNEL).subscribe(heard).catch(console.error);
  return rate;
}

globalThis.peers = {
  'centrifuge-json': (port, count) => centrifuge(Centrifuge, port, 'centrifuge-json', count, (data) => data),
  // Payloads are bytes in this format, so the app parses them.
  'centrifuge-protobuf': (port, count) =>
    centrifuge(CentrifugeProtobuf, port, 'centrifuge-protobuf', count, (data) =>
      JSON.parse(decoder.decode(data)),
    ),
  'ably-json': (port, count) => ably(port, 'ably-json', count),
  'ably-json-batched': (port, count) => ably(port, 'ably-json-batched', count),
  'ably-msgpack': (port, count) => ably(port, 'ably-msgpack', count),
  'ably-msgpack-batched': (port, count) => ably(port, 'ably-msgpack-batched', count),
};
