// Makes a configuration with a fresh app, and runs the relay with it on the loopback interface.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';

const APP = 'team-dashboard';
const START_MS = 10_000;

/**
 * @param {string} program
 * @param {string} folder for the configuration
 */
export async function startRelay(program, folder) {
  const config = path.join(folder, 'relay.toml');
  const { stdout } = await promisify(execFile)(program, ['init', '--config', config, '--app', APP]);
  const variables = forgeVariables(stdout);

  const port = await freePort();
  const relay = spawn(program, ['--config', config, '--listen', `127.0.0.1:${port}`], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  let stopping = false;
  relay.on('exit', () => stopping || console.error('The relay ended.'));
  const stop = async () => {
    stopping = true;
    if (relay.exitCode !== null || relay.signalCode !== null) return;
    relay.kill();
    await once(relay, 'exit');
  };
  try {
    await untilHealthy(port, relay);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, variables, stop };
}

/**
 * The variables for the app, from the Forge commands that `init` prints.
 * @param {string} text
 * @returns {Record<string, string>}
 */
export function forgeVariables(text) {
  const found = text.matchAll(/forge variables set (?:--encrypt )?(SEALWIRE_\w+) (\S+)/g);
  const variables = Object.fromEntries(
    [...found].map(([, name, value]) => [name, value.replace(/^(['"])(.*)\1$/, '$2')]),
  );
  for (const name of ['SEALWIRE_APP', 'SEALWIRE_SIGNING_KEY']) {
    if (!variables[name]) throw new Error(`'sealwire-relay init' printed no value for ${name}.`);
  }
  return variables;
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * @param {number} port
 * @param {import('node:child_process').ChildProcess} relay
 */
async function untilHealthy(port, relay) {
  const end = Date.now() + START_MS;
  while (Date.now() < end) {
    if (relay.exitCode !== null) throw new Error('The relay ended at once; the lines above say why.');
    const healthy = await fetch(`http://127.0.0.1:${port}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (healthy) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`The relay did not answer within ${START_MS / 1000} seconds.`);
}
