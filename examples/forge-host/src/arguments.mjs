// Reads the command line.
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { parseArgs } from 'node:util';

export const USAGE = `Usage: node src/main.mjs --relay-bin <path> [options]

  --relay-bin <path>    the sealwire-relay program (required)
  --app <folder>        the Forge app (default: ../team-dashboard)
  --port <n>            port of the page (default: a free port)
  --nats-bin <path>     the nats-server program: run two relays on three NATS servers, with buttons to kill each
  --unsafe-eval         add unsafe-eval to the app's manifest, so that WebAssembly can be compiled
  --check               test the page in headless Chromium, then exit
  --screenshot <file>   with --check: the file of the screenshot (default: forge-host.png in the temporary folder)

Chromium is /usr/bin/chromium, or the value of the environment variable CHROMIUM.`;

/** @typedef {ReturnType<typeof readArguments>} Arguments */

/** @param {string[]} args */
export function readArguments(args) {
  const { values } = parseArgs({
    args,
    options: {
      'relay-bin': { type: 'string' },
      app: { type: 'string', default: fileURLToPath(new URL('../../team-dashboard', import.meta.url)) },
      port: { type: 'string', default: '0' },
      'nats-bin': { type: 'string' },
      'unsafe-eval': { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      screenshot: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const port = Number(values.port);
  if (!values.help && !values['relay-bin']) throw new Error(`--relay-bin is missing.\n\n${USAGE}`);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new Error(`--port must be a number from 0 to 65535.\n\n${USAGE}`);
  return {
    help: values.help,
    relayBin: path.resolve(values['relay-bin'] ?? ''),
    natsBin: values['nats-bin'] && path.resolve(values['nats-bin']),
    app: path.resolve(values.app),
    port,
    unsafeEval: values['unsafe-eval'],
    check: values.check,
    screenshot: values.screenshot && path.resolve(values.screenshot),
  };
}
