import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connections } from '../../src/browser/observation.js';
import type { Realtime } from '../../src/index.js';
import { Jira } from '../../src/index.js';
import { createTestRelay } from '../../src/testing.js';
import { isError } from '../support/rejects.js';

const context = { moduleKey: 'panel', extension: { issue: { id: '7' }, project: { id: '3' } } };

/** Returns a test relay with the functions and a page of an app with blind names. */
function blindApp() {
  const relay = createTestRelay();
  const resolver = relay.resolver({ blindNames: true });
  return { relay, resolver, page: relay.realtime({ context, resolver }) };
}

/** Subscribes, and records payloads with the names of their channels and events. */
async function heardOn(page: Realtime, channel: string): Promise<unknown[]> {
  const heard: unknown[] = [];
  await page.subscribe(channel, (payload, error, event) =>
    heard.push(error?.code ?? [payload, event?.channel, event?.name]),
  );
  return heard;
}

test('pages and functions of an app with blind names exchange messages, and a test sees their names', async () => {
  const { relay, resolver, page } = blindApp();
  const site = { ...context, installContext: relay.installation };
  const heard = await heardOn(page, 'n');
  await page.publish('n', 'one', { eventName: 'added' });
  await resolver.publish('n', 'two', { context: site });
  const { token } = await resolver.signRealtimeToken('m', { team: 'blue' }, undefined, { context: site });
  await page.publish('m', 'three', { token: token!, contextOverrides: [Jira.Issue] });
  await relay.settled();
  assert.deepEqual(heard, [
    ['one', 'n', 'added'],
    ['two', 'n', ''],
  ]);
  const [one, two, three] = relay.published();
  assert.deepEqual([one!.channel, one!.eventName, one!.scope], ['n', 'added', two!.scope]);
  assert.deepEqual(two!.scope, { module: 'panel', issue: '7', project: '3' });
  assert.deepEqual([three!.channel, three!.scope], ['m', { issue: '7' }]);
  assert.deepEqual(relay.published('m'), [three]);
});

test('a page of an app with blind names does not meet one without', async () => {
  const { relay, page } = blindApp();
  const plain = relay.realtime({ context });
  const heard = await heardOn(page, 'n');
  await plain.publish('n', 'x');
  await relay.settled();
  assert.deepEqual(heard, []);
});

test('the limits of names are those of tags, and a tag reads back in its own installation only', async () => {
  const { relay, resolver, page } = blindApp();
  const site = { ...context, installContext: relay.installation };
  const long = 'a'.repeat(160);
  await assert.rejects(
    page.subscribe(long, () => {}),
    isError('NAME_INVALID', /160 bytes; the limit with blindNames is 159/),
  );
  const { errors } = await page.publish('n', 'x', { eventName: long });
  assert.match(errors![0]!, /^NAME_INVALID: The name of the event has 160 bytes/);
  const { context: tags } = await resolver.session({ context: { ...site, accountId: 'ada' } });
  assert.deepEqual(await resolver.nameOf(tags['issue']!, { context: site }), { kind: 'value', name: '7' });
  const elsewhere = { ...site, installContext: 'ari:cloud:jira::site/other' };
  for (const [tag, where] of [
    [tags['issue']!, elsewhere],
    ['~t1.AAAA', site],
    ['n', site],
  ] as const) {
    await assert.rejects(resolver.nameOf(tag, { context: where }), isError('INVALID_ARGUMENT', /not one of/));
  }
});

test('disconnect() finds the sessions of a context by its real values', async () => {
  const { relay, resolver, page } = blindApp();
  const site = { ...context, installContext: relay.installation };
  await heardOn(page, 'n');
  const states: string[] = [];
  page.onStateChange((state) => states.push(state));
  await resolver.disconnect({ properties: { issue: '8' } }, { context: site });
  await relay.settled();
  assert.deepEqual(states, []);
  await resolver.disconnect({ properties: { issue: '7' } }, { context: site });
  await relay.settled();
  assert.equal(states[0], 'reconnecting');
});

test('the panel for developers gets the real values of the context', async () => {
  const { page } = blindApp();
  await heardOn(page, 'n');
  const { session } = connections.get(page)!;
  assert.deepEqual(session!.context, { module: 'panel', issue: '7', project: '3' });
});
