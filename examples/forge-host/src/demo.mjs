// Starts relay or cluster, recorder, app functions, host page and iframes, and stops them in reverse order.
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { buildCounter, buildCustomUi, bundleFunctions } from './app/build.mjs';
import { forLocalRelay, gadgetsOf, parseManifest, validateManifest } from './app/manifest.mjs';
import { Cluster } from './cluster/cluster.mjs';
import { COUNTER, serveApp } from './pages/app-server.mjs';
import { serveHost } from './pages/host-server.mjs';
import { Functions } from './platform/functions.mjs';
import { MEMBERS } from './platform/members.mjs';
import { Storage } from './platform/storage.mjs';
import { Recorder } from './relay/recorder.mjs';
import { Relay, writeConfig } from './relay/relay-process.mjs';

/** The channel on which the pages of a cluster's demo count messages; counter/counter.mjs uses it. */
const COUNTER_CHANNEL = 'counter';

/** @typedef {Awaited<ReturnType<typeof startDemo>>} RunningDemo */

/** @param {import('./arguments.mjs').Arguments} options */
export async function startDemo(options) {
  /** @type {(() => Promise<unknown>)[]} */
  const stops = [];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    return { ...(await startParts(options, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * @param {import('./arguments.mjs').Arguments} options
 * @param {(() => Promise<unknown>)[]} stops receives the end of each part that started
 */
async function startParts(options, stops) {
  const { app, port, unsafeEval, natsBin } = options;
  const folder = await mkdtemp(path.join(os.tmpdir(), 'sealwire-demo-'));
  stops.push(() => rm(folder, { recursive: true, force: true }));

  const checked = await parseManifest(app);
  const { gadgets, resolver } = gadgetsOf(checked);
  await buildCustomUi(app, gadgets, { unsafeEval });
  await validateManifest(app);
  const folders = new Map(gadgets.map(({ key, folder: built }) => [key, path.join(app, built)]));
  if (natsBin) {
    folders.set(COUNTER, path.join(folder, 'counter'));
    await buildCounter(app, path.join(folder, 'counter'));
  }
  const bundle = await bundleFunctions(app, resolver.file, path.join(folder, 'functions'));

  /** @type {Map<string, string>} */
  const frames = new Map();
  const { recorder, cluster, address, variables } = await startRelays(options, folder, frames, stops);
  const manifest = forLocalRelay(checked, {
    client: `ws://${address}`,
    backend: `http://${address}`,
    unsafeEval,
  });
  const functions = await Functions.start({
    bundle,
    variables: { ...variables, SEALWIRE_URL: `ws://${address}` },
    egress: [`http://${address}`],
    storage: new Storage(),
  });
  stops.push(() => functions.stop());

  const host = await serveHost(port, () => ({
    gadgets,
    handler: resolver.handler,
    functions,
    recorder,
    frames,
    cluster,
  }));
  stops.push(host.close);

  /** @type {{ directive: string, blocked: string }[]} */
  const violations = [];
  /** @type {string[]} */
  const policies = [];
  for (const member of MEMBERS) {
    const server = await serveApp({
      folders,
      manifest,
      hostOrigin: host.origin,
      onViolation: (violation) => violations.push(violation),
    });
    stops.push(server.close);
    frames.set(member.id, `${server.origin}/`);
    policies.push(...server.policies);
  }
  return { url: `${host.origin}/`, recorder, cluster, violations, policies };
}

/**
 * Starts a relay, or a cluster of relays with a load balancer.
 * @param {import('./arguments.mjs').Arguments} options
 * @param {string} folder
 * @param {Map<string, string>} frames the address of each person's iframe
 * @param {(() => Promise<unknown>)[]} stops
 * @returns {Promise<{ recorder: Recorder, cluster?: Cluster, address: string, variables: Record<string, string> }>} `address` is
 * that of the relay for browsers and functions
 */
async function startRelays({ relayBin, natsBin }, folder, frames, stops) {
  const { config, variables } = await writeConfig(relayBin, folder);
  const recorder = new Recorder(COUNTER_CHANNEL);
  if (!natsBin) {
    const relay = new Relay({ program: relayBin, config });
    await relay.start();
    stops.push(() => relay.stop());
    const port = await recorder.listen(() => relay.port);
    stops.push(() => recorder.close());
    return { recorder, address: `127.0.0.1:${port}`, variables };
  }
  const personAt = (/** @type {string} */ origin) =>
    [...frames].find(([, frame]) => new URL(frame).origin === origin)?.[0];
  const cluster = await Cluster.start({
    natsProgram: natsBin,
    relayProgram: relayBin,
    config,
    folder,
    recorder,
    personAt,
  });
  stops.push(() => cluster.stop());
  stops.push(() => recorder.close());
  return { recorder, cluster, address: `127.0.0.1:${cluster.port}`, variables };
}
