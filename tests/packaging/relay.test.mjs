// The packed relay: installed with npm, started with npx on a machine without Rust, and used by an app in development.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

import { project, root, tarball } from './support/project.mjs';
import { binary, launcher, pathOfNode, platform, version } from './support/relay.mjs';

/** The longest start of the packed relay, in milliseconds. */
const START_LIMIT_MS = 2000;

/** The starts of which one must be as fast: the machine may be busy with other tests. */
const STARTS = 3;

/** The longest test, in milliseconds: a line that never comes would otherwise be awaited forever. */
const TIMEOUT_MS = 60_000;

const app = readFileSync(path.join(root, 'tests/packaging/app/meet-at-relay.mjs'), 'utf8');

/** Reads the lines of a program until one has the text; returns them. */
function reader(program) {
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  return async (text) => {
    const read = [];
    while (!read.at(-1)?.includes(text)) {
      const { value, done } = await lines.next();
      assert.ok(!done, `the output ended without ${text}:\n${read.join('\n')}`);
      read.push(value);
    }
    return read;
  };
}

/** Starts the relay with npx. Returns the time until it was ready, in milliseconds. */
async function start(t, folder, env) {
  const args = ['--no-install', 'sealwire-relay', 'dev', '--listen', '127.0.0.1:0'];
  // A process group of its own, like that of a command in a terminal.
  const group = { detached: true, stdio: ['ignore', 'pipe', 'inherit'] };
  const begin = performance.now();
  const relay = spawn('npx', args, { cwd: folder, env, ...group });
  t.after(() => relay.exitCode ?? relay.signalCode ?? process.kill(-relay.pid, 'SIGKILL'));
  const until = reader(relay);
  await until('listening on http://127.0.0.1:');
  const passed = performance.now() - begin;
  t.diagnostic(`the relay was ready after ${Math.round(passed)} ms`);
  return { relay, until, passed };
}

/** Presses Ctrl-C, which reaches every process of the group, and waits for their end. */
function end(relay) {
  process.kill(-relay.pid, 'SIGINT');
  return once(relay, 'close');
}

const STORY =
  'npx starts the relay within 2 s without Rust, and an app meets its users there by the printed variables';
test(STORY, { timeout: TIMEOUT_MS }, async (t) => {
  const folder = project(t, {
    tarballs: [tarball, launcher, binary],
    files: { 'app.mjs': app },
  });
  const env = { PATH: pathOfNode(folder), HOME: folder };
  let { relay, until, passed } = await start(t, folder, env);
  for (let starts = 1; passed >= START_LIMIT_MS && starts < STARTS; starts += 1) {
    await end(relay);
    ({ relay, until, passed } = await start(t, folder, env));
  }
  assert.ok(passed < START_LIMIT_MS, `${passed} ms`);

  const introduction = (await until('Ctrl-C')).join('\n');
  const variables = new Map(
    [...introduction.matchAll(/^ {4}export FORGE_USER_VAR_(\w+)=(\S+)$/gm)].map(([, ...pair]) => pair),
  );
  assert.deepEqual([...variables.keys()], ['SEALWIRE_SIGNING_KEY', 'SEALWIRE_APP', 'SEALWIRE_URL']);
  // `forge tunnel` removes the prefix.
  const options = { cwd: folder, env: { ...env, ...Object.fromEntries(variables) }, encoding: 'utf8' };
  const outcome = spawn(process.execPath, ['app.mjs'], { ...options, stdio: ['ignore', 'pipe', 'inherit'] });
  const log = [
    ...(await until('session 1 opened: account ada, installation ari:cloud:jira::site/1')),
    ...(await until('channel notes (issue 7, module panel): session 1 subscribed, 1 subscriber')),
    ...(await until('sealed bytes from a function, to 1 subscriber')),
    ...(await until('TOKEN_UNKNOWN_KEY of a client at 127.0.0.1 refused (hello)')),
    ...(await until('hint: the app signs with another key: set the variables of tunnel.env')),
  ].join('\n');
  assert.doesNotMatch(log, /plaintext/);
  const [printed] = await reader(outcome)('}');
  assert.deepEqual(JSON.parse(printed), { note: { text: 'plaintext' }, code: 'TOKEN_UNKNOWN_KEY' });

  const ended = end(relay);
  await until('the relay ends');
  await ended;
  // A port that is free again shows that the relay has ended as well.
  const url = variables.get('SEALWIRE_URL').replace('ws:', 'http:');
  await assert.rejects(fetch(`${url}/healthz`), { name: 'TypeError' });
});

test('the packages are small and plain: one program each, no script at installation, no other dependency', (t) => {
  const folder = path.join(project(t, { tarballs: [launcher, binary] }), 'node_modules');
  const read = (name) => JSON.parse(readFileSync(path.join(folder, name, 'package.json'), 'utf8'));
  const [started, built] = [read('sealwire-relay'), read(platform)];
  for (const manifest of [started, built]) {
    assert.deepEqual([manifest.scripts, manifest.dependencies], [undefined, undefined], manifest.name);
    assert.equal(manifest.license, 'Apache-2.0 OR MIT');
    for (const file of ['LICENSE-APACHE', 'LICENSE-MIT']) statSync(path.join(folder, manifest.name, file));
  }
  assert.equal(started.optionalDependencies[platform], started.version);
  assert.deepEqual([built.os, built.cpu], [[process.platform], [process.arch]]);
  assert.equal(statSync(path.join(folder, platform, 'bin/sealwire-relay')).mode & 0o111, 0o111);
  const licences = readFileSync(path.join(folder, platform, 'LICENSES-OF-LIBRARIES.txt'), 'utf8');
  assert.match(licences, /^tokio 1\./m);
  if (process.platform === 'linux') assert.match(licences, /Jason Evans/); // jemalloc
  // The relay has no code that opens a message, which the list of its libraries shows as well.
  assert.doesNotMatch(licences, /^(?:aes|hkdf|sealwire)/m);
});

/** Runs the launcher without npx; `preload` is code that runs before it. */
function launch(folder, { args = [], env = {}, preload = '' } = {}) {
  const program = path.join(folder, 'node_modules/sealwire-relay/bin/sealwire-relay.mjs');
  const node = ['--import', `data:text/javascript,${encodeURIComponent(preload)}`, program, ...args];
  return spawnSync(process.execPath, node, { cwd: folder, env, encoding: 'utf8' });
}

test('without the package of the platform, the error says which one to install', (t) => {
  const { status, stderr } = launch(project(t, { tarballs: [launcher] }));
  assert.equal(status, 1);
  assert.match(stderr, /--omit=optional or --no-optional/);
  assert.ok(stderr.endsWith(`Install it: npm install ${platform}@${version}\n`), stderr);
});

test('on a platform without a binary, the error names the platforms that have one and the way from source', (t) => {
  const preload = `Object.defineProperty(process, 'platform', { value: 'win32' })`;
  const { status, stderr } = launch(project(t, { tarballs: [launcher, binary] }), { preload });
  assert.equal(status, 1);
  assert.match(
    stderr,
    /no binary for win32-\w+, only for darwin-arm64, darwin-x64, linux-arm64, linux-x64\./,
  );
  assert.match(stderr, /cargo install --locked .* SEALWIRE_RELAY_BINARY/);
});

/** A stand-in for the relay that shows what it gets. */
const STAND_IN = `#!${process.execPath}
const { argv, env } = process;
if (argv[2] === 'die') process.kill(process.pid, 'SIGKILL');
if (argv[2] === 'status') process.exit(Number(argv[3]));
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    console.log(signal);
    if (signal === 'SIGTERM') process.exit(5);
  });
}
setInterval(() => {}, 1000);
console.log(JSON.stringify([argv.slice(2), Object.keys(env).filter((name) => name.startsWith('SEALWIRE'))]));
`;

function withStandIn(t) {
  const folder = project(t, { tarballs: [launcher], files: { 'stand-in': STAND_IN } });
  const env = { SEALWIRE_RELAY_BINARY: path.join(folder, 'stand-in'), SEALWIRE_RELAY_LOG: 'off' };
  chmodSync(env.SEALWIRE_RELAY_BINARY, 0o755);
  return { folder, env };
}

const PASSED = 'arguments, variables and each signal reach the binary once, and the launcher has its status';
test(PASSED, { timeout: TIMEOUT_MS }, async (t) => {
  const { folder, env } = withStandIn(t);
  const program = path.join(folder, 'node_modules/sealwire-relay/bin/sealwire-relay.mjs');
  const args = [program, 'run', '--config', 'a b.toml'];
  const relay = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const until = reader(relay);
  const [first] = await until('[');
  // The relay would refuse the launcher's own variable as an unknown setting.
  assert.deepEqual(JSON.parse(first), [['run', '--config', 'a b.toml'], ['SEALWIRE_RELAY_LOG']]);
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) {
    relay.kill(signal);
    assert.deepEqual(await until('SIG'), [signal]);
  }
  assert.deepEqual(await once(relay, 'exit'), [5, null]);
  assert.equal(launch(folder, { env, args: ['status', '3'] }).status, 3);
  assert.equal(launch(folder, { env, args: ['die'] }).signal, 'SIGKILL');
});

test('a binary that cannot be started is named with the reason', (t) => {
  const { folder, env } = withStandIn(t);
  for (const [file, reason] of [
    ['missing', 'ENOENT'],
    ['package.json', 'EACCES'],
  ]) {
    env.SEALWIRE_RELAY_BINARY = path.join(folder, file);
    const { status, stderr } = launch(folder, { env });
    assert.equal(status, 1);
    assert.ok(stderr.startsWith(`sealwire-relay: cannot start ${env.SEALWIRE_RELAY_BINARY}: `), stderr);
    assert.match(stderr, new RegExp(reason));
  }
});
