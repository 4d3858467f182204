// Measures the messages per second that a page receives with this package, sealed and from a relay, and with the clients of
// Centrifugo and Ably, in plain text and from a server that speaks their protocol. The clients take turns, each in a new page.
// `cargo xtask client-speed --peers` runs it and installs the clients into $SEALWIRE_PEERS.
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import { launch } from '../support/browser.mjs';
import { startSystem } from '../support/system.mjs';
import { median } from './median.mjs';
import { publish, receive, RELAY } from './messages.mjs';
import { startPeers } from './peers/server.mjs';

const ROUNDS = Number(process.env.SEALWIRE_RUNS ?? 7);
const COUNT = 20_000;
const BYTES = 100;
/** The number of messages that the peers' server sends in one message of the WebSocket. */
const GROUP = 64;
const PEERS = [
  'centrifuge-json',
  'centrifuge-protobuf',
  'ably-json',
  'ably-json-batched',
  'ably-msgpack',
  'ably-msgpack-batched',
];
const folder = process.env.SEALWIRE_PEERS;
if (!folder) throw new Error('SEALWIRE_PEERS is not set; run this with `cargo xtask client-speed --peers`');

/** Bundles a module with the packages of the peers. */
async function bundled(entry, options) {
  const { outputFiles } = await build({
    ...entry,
    bundle: true,
    write: false,
    minify: true,
    nodePaths: [path.join(folder, 'node_modules')],
    logLevel: 'error',
    ...options,
  });
  return outputFiles[0].text;
}

/** Returns the codecs of centrifuge-js, which also encode what its server sends. */
function codecs() {
  const require = createRequire(path.join(folder, 'package.json'));
  const { Centrifuge } = require('centrifuge/build/protobuf');
  const json = {
    decodeCommands: (text) => text.split('\n').map((line) => JSON.parse(line)),
    encodeReplies: (replies) => replies.map((reply) => JSON.stringify(reply)).join('\n'),
  };
  return { json, protobuf: new Centrifuge('ws://127.0.0.1')._codec };
}

const payload = 'x'.repeat(BYTES - '""'.length);
const script = await bundled(
  { entryPoints: [new URL('peers/page.js', import.meta.url).pathname] },
  { format: 'esm' },
);
const files = new Map([['/page.js', script]]);
const peers = await startPeers({ folder, files, codecs: codecs(), payload, count: COUNT, group: GROUP });
const systems = [];
const browser = await launch();

async function receiveAsPeer(name) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`http://127.0.0.1:${peers.port}/blank`);
  const rate = await page.evaluate(
    async ([wanted, port, count]) => {
      await import('/page.js');
      return globalThis.peers[wanted](port, count);
    },
    [name, peers.port, COUNT],
  );
  await page.context().close();
  return rate;
}

try {
  const measured = new Map();
  for (const [name, webAssembly] of [
    ['sealwire, WebAssembly', true],
    ['sealwire, plain JavaScript', false],
  ]) {
    const system = await startSystem({ webAssembly, relay: RELAY, minified: true });
    systems.push(system);
    await publish(system, 'speed', BYTES, COUNT);
    measured.set(name, () => receive(system, 'speed', COUNT, true));
  }
  for (const name of PEERS) measured.set(name, () => receiveAsPeer(name));

  const rates = new Map([...measured.keys()].map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, measure] of measured) rates.get(name).push(await measure());
  }
  const fastest = Math.max(...PEERS.map((name) => median(rates.get(name))));
  console.log(`Messages of ${BYTES} bytes a second, median of ${ROUNDS} new pages (smallest to largest):`);
  for (const [name, values] of rates) {
    const range = `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`;
    const ratio = (median(values) / fastest).toFixed(2);
    console.log(`${name.padEnd(28)}${median(values).toFixed(0)} (${range}), ${ratio} times the fastest peer`);
  }
} finally {
  await browser.close();
  await peers.stop();
  for (const system of systems) await system.stop();
}
