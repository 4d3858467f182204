// A server's process, which can be killed and started again.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { closeSync, openSync } from 'node:fs';

/** The number of lines of a log that an error shows. */
const LOG_LINES = 10;

/**
 * @typedef {object} Program
 * @property {string} name the name in messages
 * @property {string} file
 * @property {string[]} args
 * @property {string} [log] the file to which the process writes its errors; without one, they appear on the terminal
 */

export class ServerProcess {
  name;
  #program;
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;

  /** @param {Program} program */
  constructor(program) {
    this.name = program.name;
    this.#program = program;
  }

  get runs() {
    return this.#child !== undefined;
  }

  /** Starts the process and returns it. The environment is empty, so that the caller's own settings do not apply. */
  start() {
    if (this.#child) throw new Error(`${this.name} runs already.`);
    const { name, file, args, log } = this.#program;
    const errors = log === undefined ? 'inherit' : openSync(log, 'a');
    const child = spawn(file, args, { env: {}, stdio: ['ignore', 'pipe', errors] });
    if (typeof errors === 'number') closeSync(errors);
    this.#child = child;
    child.on('error', (error) => console.error(`${name} did not start: ${error.message}`));
    child.on('close', (code) => {
      // `end` has forgotten the child already.
      if (this.#child !== child) return;
      this.#child = undefined;
      // An interrupt from the terminal also reaches the process, which then ends without an error.
      if (code !== 0) console.error(`${name} ended.`);
    });
    return child;
  }

  /**
   * Ends the process and waits for its end. Does nothing if it does not run.
   * @param {NodeJS.Signals} signal
   */
  async end(signal) {
    const child = this.#child;
    if (!child) return;
    this.#child = undefined;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /** Returns the last lines of the log. */
  async logTail() {
    const text =
      this.#program.log === undefined ? '' : await readFile(this.#program.log, 'utf8').catch(() => '');
    return text.trimEnd().split('\n').slice(-LOG_LINES).join('\n');
  }
}
