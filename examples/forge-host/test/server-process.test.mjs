import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { ServerProcess } from '../src/relay/server-process.mjs';

const SERVER = "console.error('a word to the log'); console.log('up'); setInterval(() => {}, 1000)";

test('a process can be killed and started again, and writes to its log', async (context) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'server-process-'));
  context.after(() => rm(folder, { recursive: true }));
  const server = new ServerProcess({
    name: 'The server',
    file: process.execPath,
    args: ['-e', SERVER],
    log: path.join(folder, 'log'),
  });
  context.after(() => server.end('SIGKILL'));
  for (const _ of [1, 2]) {
    const { pid, stdout } = server.start();
    await once(/** @type {import('node:stream').Readable} */ (stdout), 'data');
    assert.equal(server.runs, true);
    assert.throws(() => server.start(), /runs already/);
    await server.end('SIGKILL');
    assert.equal(server.runs, false);
    assert.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' });
  }
  assert.equal(await server.logTail(), 'a word to the log\na word to the log');
});
