import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { CoreClient, Host } from '../../src/core/browser-core.js';
import { closable } from '../../src/core/closable.js';
import { FakeClient } from '../support/fake-core.js';

function closed() {
  const said: string[] = [];
  const core = Object.assign(new FakeClient({} as Host, {}), {
    free: () => void said.push('free'),
  }) as CoreClient & FakeClient;
  const client = closable(core, () => said.push('ended'));
  return { core, client, said };
}

test('a closed client frees the core once, and not before the core has returned', async () => {
  const { core, client, said } = closed();
  client.close();
  client.close();
  assert.deepEqual([core.closed, said], [true, ['ended']]);
  await null;
  assert.deepEqual(said, ['ended', 'free']);
  assert.equal(client.state, 'closed');
});

test('a closed client answers every call without the core', async () => {
  const { core, client } = closed();
  client.close();
  await null;
  core.failure = new Error('the core was asked');
  const error = { code: 'CLOSED', message: 'the client was closed' };
  const ignore = () => {};
  await assert.rejects(client.subscribe({ name: 'n' }, {}, ignore, ignore), error);
  await assert.rejects(client.publish({ name: 'n' }, '', '1', {}), error);
  await assert.rejects(client.refreshToken(1, 't'), error);
  await client.unsubscribe(1);
  client.provideToken(1, 't');
  client.failToken(1, error);
  client.provideOpened(1, undefined);
  client.pause('offline');
  client.wake();
  assert.deepEqual([core.provided, core.opened, core.lifecycleEvents], [[], [], []]);
});
