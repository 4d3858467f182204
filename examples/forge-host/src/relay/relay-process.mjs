// Writes a configuration with a new app, and runs the relay with it on the loopback interface.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const APP = 'team-dashboard';
const START_TIMEOUT_MS = 10_000;

/**
 * @param {string} program
 * @param {string} folder the folder for the configuration
 */
export async function startRelay(program, folder) {
  const config = path.join(folder, 'relay.toml');
  // The environment is empty, so that settings of the caller's own relay do not apply.
  const init = ['init', '--config', config, '--app', APP];
  const { stdout } = await promisify(execFile)(program, init, { env: {} });
  const variables = forgeVariables(stdout);

  const run = ['run', '--config', config, '--listen', '127.0.0.1:0', '--log', 'warn'];
  const relay = spawn(program, run, { env: {}, stdio: ['ignore', 'pipe', 'inherit'] });
  let stopping = false;
  relay.on('exit', () => stopping || console.error('The relay ended.'));
  const stop = async () => {
    stopping = true;
    if (relay.exitCode !== null || relay.signalCode !== null) return;
    relay.kill();
    await once(relay, 'exit');
  };
  try {
    return { port: await portOf(relay), variables, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Reads the app's variables from the Forge commands that `init` prints.
 * @param {string} text
 * @returns {Record<string, string>}
 */
export function forgeVariables(text) {
  const found = text.matchAll(/forge variables set (?:--encrypt )?(SEALWIRE_\w+) (\S+)/g);
  const variables = new Map([...found].map(([, name, value]) => [name, value]));
  for (const name of ['SEALWIRE_APP', 'SEALWIRE_SIGNING_KEY']) {
    if (!variables.get(name)) throw new Error(`'sealwire-relay init' printed no value for ${name}.`);
  }
  return Object.fromEntries(variables);
}

/**
 * Reads the port from the relay's first line, which has its address.
 * @param {import('node:child_process').ChildProcessByStdio<null, import('node:stream').Readable, null>} relay
 * @returns {Promise<number>}
 */
async function portOf(relay) {
  const lines = createInterface({ input: relay.stdout });
  const signal = AbortSignal.timeout(START_TIMEOUT_MS);
  const [line] = await Promise.race([
    once(lines, 'line', { signal }),
    once(lines, 'close').then(() => {
      throw new Error('The relay did not start; see the error above.');
    }),
  ]);
  const port = /^listening on http:\/\/127\.0\.0\.1:(\d+)$/.exec(line)?.[1];
  if (!port) throw new Error(`The relay's first line has no address: ${line}`);
  return Number(port);
}
