// Writes a configuration with a new app, and runs relays with it on the loopback interface.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { ServerProcess } from './server-process.mjs';

const APP = 'team-dashboard';
const START_TIMEOUT_MS = 10_000;

/**
 * @param {string} program
 * @param {string} folder the folder for the configuration
 * @returns {Promise<{ config: string, variables: Record<string, string> }>} the file, and the app's Forge variables
 */
export async function writeConfig(program, folder) {
  const config = path.join(folder, 'relay.toml');
  // The environment is empty, so that settings of the caller's own relay do not apply.
  const init = ['init', '--config', config, '--app', APP];
  const { stdout } = await promisify(execFile)(program, init, { env: {} });
  return { config, variables: forgeVariables(stdout) };
}

/** A relay on a free port. Each start takes another port. */
export class Relay {
  #process;
  /** The port while the relay runs. */
  port = 0;

  /**
   * @param {object} options
   * @param {string} options.program
   * @param {string} options.config the configuration file
   * @param {string} [options.name] the name in messages
   * @param {string} [options.log] the file of its log; without one, the log appears on the terminal
   * @param {string[]} [options.settings] further arguments
   */
  constructor({ program, config, name = 'The relay', log, settings = [] }) {
    const args = ['run', '--config', config, '--listen', '127.0.0.1:0', '--log', 'warn', ...settings];
    this.#process = new ServerProcess({ name, file: program, args, log });
  }

  get runs() {
    return this.#process.runs;
  }

  /** Starts the relay and waits until it listens. */
  async start() {
    const relay = this.#process.start();
    try {
      this.port = await portOf(/** @type {import('node:stream').Readable} */ (relay.stdout));
    } catch (error) {
      await this.#process.end('SIGKILL');
      throw error;
    }
  }

  /** Kills the relay, which has no time to say goodbye. */
  kill() {
    return this.#process.end('SIGKILL');
  }

  stop() {
    return this.#process.end('SIGTERM');
  }

  /** Returns the last lines of the log. */
  logTail() {
    return this.#process.logTail();
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
 * @param {import('node:stream').Readable} output
 * @returns {Promise<number>}
 */
async function portOf(output) {
  const lines = createInterface({ input: output });
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
