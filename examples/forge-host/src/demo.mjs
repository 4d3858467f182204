// Starts relay, recorder, app functions, host page and iframes, and stops them in reverse order.
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { buildCustomUi, bundleFunctions } from './app/build.mjs';
import { forLocalRelay, gadgetOf, readManifest } from './app/manifest.mjs';
import { serveApp } from './pages/app-server.mjs';
import { serveHost } from './pages/host-server.mjs';
import { Functions } from './platform/functions.mjs';
import { MEMBERS } from './platform/members.mjs';
import { Storage } from './platform/storage.mjs';
import { Recorder } from './relay/recorder.mjs';
import { startRelay } from './relay/relay-process.mjs';

/** @typedef {Awaited<ReturnType<typeof startDemo>>} RunningDemo */

/** @param {import('./arguments.mjs').Arguments} options */
export async function startDemo({ relayBin, app, port, unsafeEval }) {
  /** @type {(() => Promise<unknown>)[]} */
  const stops = [];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'sealwire-demo-'));
    stops.push(() => rm(folder, { recursive: true, force: true }));

    await buildCustomUi(app, { unsafeEval });
    const checked = await readManifest(app);
    const gadget = gadgetOf(checked);
    const bundle = await bundleFunctions(app, gadget.file, path.join(folder, 'functions'));

    const relay = await startRelay(relayBin, folder);
    stops.push(relay.stop);
    const recorder = new Recorder(relay.port);
    const recorderPort = await recorder.listen();
    stops.push(() => recorder.close());
    const relayAddress = `127.0.0.1:${recorderPort}`;

    const manifest = forLocalRelay(checked, {
      client: `ws://${relayAddress}`,
      backend: `http://${relayAddress}`,
      unsafeEval,
    });
    const functions = await Functions.start({
      bundle,
      variables: { ...relay.variables, SEALWIRE_URL: `ws://${relayAddress}` },
      egress: [`http://${relayAddress}`],
      storage: new Storage(),
    });
    stops.push(() => functions.stop());

    /** @type {Map<string, string>} */
    const frames = new Map();
    const host = await serveHost(port, () => ({ gadget, functions, recorder, frames }));
    stops.push(host.close);

    /** @type {{ directive: string, blocked: string }[]} */
    const violations = [];
    let policy = '';
    for (const member of MEMBERS) {
      const server = await serveApp({
        folder: path.join(app, gadget.folder),
        manifest,
        hostOrigin: host.origin,
        onViolation: (violation) => violations.push(violation),
      });
      stops.push(server.close);
      frames.set(member.id, `${server.origin}/`);
      policy = server.policy;
    }
    return { url: `${host.origin}/`, recorder, violations, policy, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
