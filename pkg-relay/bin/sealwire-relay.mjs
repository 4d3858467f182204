#!/usr/bin/env node
// Starts the relay's binary, which one of the optional dependencies has: npm installs the one for this platform.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';

/** Names a binary to start instead of the installed one. */
const OVERRIDE = 'SEALWIRE_RELAY_BINARY';

/** The signals that a relay handles. SIGHUP reloads its configuration. */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/** The signals that a terminal itself sends to every program in the foreground. */
const OF_TERMINAL = new Set(['SIGINT', 'SIGQUIT']);

const SOURCES =
  'Elsewhere, build the relay from source with Rust (cargo install --locked --git https://github.com/sealwire/sealwire ' +
  `sealwire-relay), and name the binary in ${OVERRIDE} if it is not on the PATH.`;

/** The path of the binary, or an error that says what to install. */
function findBinary() {
  const named = process.env.SEALWIRE_RELAY_BINARY;
  if (named) return named;
  const { version, optionalDependencies } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  );
  const platforms = Object.keys(optionalDependencies);
  const name = `sealwire-relay-${process.platform}-${process.arch}`;
  if (!platforms.includes(name)) {
    const known = platforms.map((each) => each.replace('sealwire-relay-', '')).join(', ');
    throw new Error(
      `there is no binary for ${process.platform}-${process.arch}, only for ${known}. ${SOURCES}`,
    );
  }
  try {
    return createRequire(import.meta.url).resolve(`${name}/bin/sealwire-relay`);
  } catch {
    throw new Error(
      `the package ${name}, which has the binary for this platform, is not installed. npm leaves it out with ` +
        '--omit=optional or --no-optional, and a node_modules folder from another platform has another one. ' +
        `Install it: npm install ${name}@${version}`,
    );
  }
}

/** Runs the binary until it ends, and ends as it does. */
function run(binary) {
  // The relay refuses variables of its name that are not settings.
  const env = { ...process.env };
  delete env.SEALWIRE_RELAY_BINARY;
  const relay = spawn(binary, process.argv.slice(2), { env, stdio: 'inherit' });
  relay.on('error', (error) =>
    fail(`cannot start ${binary}: ${error.message}. Check the file and its mode.`),
  );
  const isTerminal = process.stdin.isTTY || process.stdout.isTTY;
  for (const signal of FORWARDED) {
    // The relay takes a second signal as the wish to end at once, so one that it has already is not forwarded.
    process.on(signal, () => (isTerminal && OF_TERMINAL.has(signal)) || relay.kill(signal));
  }
  relay.on('exit', (status, signal) => {
    if (signal === null) process.exit(status);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // A signal that does not end this process, such as SIGSTOP, leaves the status of a shell.
    process.exit(128 + (constants.signals[signal] ?? 0));
  });
}

function fail(problem) {
  process.stderr.write(`sealwire-relay: ${problem}\n`);
  process.exit(1);
}

try {
  run(findBinary());
} catch (error) {
  fail(error.message);
}
