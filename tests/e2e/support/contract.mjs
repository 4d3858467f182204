// What an app can observe of Realtime, as behaviours that hold on every relay: the real one with the real core, and the
// one in memory of sealwire/testing. A stage offers page(), resolver, cut(), mend() and restart().
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

const SITE = 'ari:cloud:jira::site/contract';

/** The context of a page that shows an issue. */
export const issue = (id, module = 'panel') => ({
  installContext: SITE,
  accountId: 'ada',
  moduleKey: module,
  extension: { type: 'jira:issuePanel', issue: { id }, project: { id: '3' } },
});

/** Subscribes and keeps what comes: payloads, and the codes of errors. */
async function listen(realtime, channel, options, subscribe = realtime.subscribe) {
  const heard = [];
  const events = [];
  const errors = [];
  const callback = (payload, error, event) => {
    heard.push(error ? error.code : payload);
    if (error) errors.push(error);
    else events.push(event);
  };
  const subscription = await subscribe(channel, callback, options);
  const has = async (count) => {
    for (const end = Date.now() + 20_000; heard.length < count && Date.now() < end;) await sleep(5);
    return heard;
  };
  return { heard, events, errors, subscription, has };
}

const accepted = async (publishing) => {
  const result = await publishing;
  assert.equal(result.errors, undefined);
  return result;
};
const refused = async (publishing, code) => {
  const { errors } = await publishing;
  const [error] = errors;
  assert.match(
    typeof error === 'string' ? error : `${error.code}: ${error.message}`,
    new RegExp(`^${code}: [A-Z].*[.]$`),
  );
};
const rejected = (promise, code) =>
  assert.rejects(promise, (error) => error.code === code || assert.equal(error.code, code));

async function waitFor(condition) {
  for (const end = Date.now() + 8_000; Date.now() < end; await sleep(5)) if (condition()) return;
  assert.fail('it did not come to pass in time');
}

export const behaviours = {
  async 'pages and resolvers meet in the same context, in order, and nobody else hears them'({
    page,
    resolver,
  }) {
    const [ada, ben] = [page({ context: issue('7') }), page({ context: issue('7') })];
    const here = [await listen(ada, 'n'), await listen(ben, 'n')];
    const elsewhere = [
      await listen(page({ context: issue('8') }), 'n'),
      await listen(page({ context: issue('7', 'action') }), 'n'),
      await listen(ben, 'm'),
      await listen(ben, 'n', {}, ben.subscribeGlobal),
    ];
    await accepted(ada.publish('n', 'one'));
    await accepted(resolver.publish('n', { two: 2 }, { context: issue('7') }));
    await accepted(ben.publish('n', { three: true }));
    for (const { has } of here) assert.deepEqual(await has(3), ['one', { two: 2 }, { three: true }]);
    for (const { heard } of elsewhere) assert.deepEqual(heard, []);
  },

  async 'overrides keep a part of the context, and global channels none of it'({ page, resolver }) {
    const [seven, eight] = [page({ context: issue('7') }), page({ context: issue('8', 'action') })];
    const inProject = { contextOverrides: ['project'] };
    const project = [await listen(seven, 'n', inProject), await listen(eight, 'n', inProject)];
    const global = [
      await listen(seven, 'n', { contextOverrides: [] }),
      await listen(eight, 'n', {}, eight.subscribeGlobal),
    ];
    await accepted(seven.publish('n', 'project', inProject));
    await accepted(resolver.publish('n', 'again', { ...inProject, context: issue('9') }));
    await accepted(eight.publishGlobal('n', 'global'));
    await accepted(resolver.publishGlobal('n', 'again', { context: { installContext: SITE } }));
    for (const { has } of project) assert.deepEqual(await has(2), ['project', 'again']);
    for (const { has } of global) assert.deepEqual(await has(2), ['global', 'again']);
  },

  async 'a property that the context lacks is refused, never widened'({ page, resolver }) {
    const ada = page({ context: issue('7') });
    await rejected(
      ada.subscribe('n', () => {}, { contextOverrides: ['board'] }),
      'SCOPE_REFUSED',
    );
    await refused(ada.publish('n', 'x', { contextOverrides: ['board'] }), 'SCOPE_REFUSED');
    const context = issue('7');
    await rejected(resolver.publish('n', 'x', { context, contextOverrides: ['board'] }), 'SCOPE_REFUSED');
  },

  async 'a page whose type is not known has no default channel, and overrides work there'({
    page,
    resolver,
  }) {
    const unknown = { ...issue('7'), extension: { ...issue('7').extension, type: 'jira:newThing' } };
    const ada = page({ context: unknown });
    await rejected(
      ada.subscribe('n', () => {}),
      'SCOPE_REFUSED',
    );
    await refused(ada.publish('n', 'x'), 'SCOPE_REFUSED');
    await rejected(resolver.publish('n', 'x', { context: unknown }), 'SCOPE_REFUSED');
    const inIssue = { contextOverrides: ['issue'] };
    const { has } = await listen(page({ context: issue('7') }), 'n', inIssue);
    await accepted(ada.publish('n', 'one', inIssue));
    await accepted(resolver.publish('n', 'two', { ...inIssue, context: unknown }));
    assert.deepEqual(await has(2), ['one', 'two']);
  },

  async 'things that a key, a parent or an environment tells apart never share a channel'({ page }) {
    const of = (extension, more = {}) => ({ ...issue('7'), ...more, extension });
    const portal = (key) => ({
      type: 'jiraServiceManagement:portalRequestDetail',
      portal: { id: 1 },
      request: { key },
    });
    const pull = (uuid) => ({
      type: 'bitbucket:repoPullRequestCard',
      repository: { uuid },
      pullRequest: { id: 5 },
    });
    const inPull = { contextOverrides: ['pullRequest'] };
    for (const [one, other, options] of [
      [of(portal('SD-1')), of(portal('SD-2'))],
      [of(pull('{a}')), of(pull('{b}'))],
      [of(pull('{a}')), of(pull('{b}')), inPull],
      [
        of({ type: 'compass:componentPage', componentId: 'ari:a' }),
        of({ type: 'compass:componentPage', componentId: 'ari:b' }),
      ],
      [
        of({ type: 'jira:issuePanel', issue: { id: 'A-7' } }),
        of({ type: 'jira:issuePanel', issue: { key: 'A-7' } }),
      ],
      [issue('7'), { ...issue('7'), environmentId: 'production' }],
    ]) {
      const here = await listen(page({ context: one }), 'n', options);
      await accepted(page({ context: other }).publish('n', 'elsewhere', options));
      await accepted(page({ context: one }).publish('n', 'here', options));
      assert.deepEqual(await here.has(1), ['here']);
    }
  },

  async 'anything that JSON would lose is refused, in payloads, claims and streams'({ page, resolver }) {
    const context = issue('7');
    const ada = page({ context });
    const { has } = await listen(ada, 'n');
    for (const lost of [
      new Map(),
      Promise.resolve(1),
      new Uint8Array(2),
      new Error('x'),
      NaN,
      () => {},
      1n,
    ]) {
      const payload = { list: [lost] };
      await rejected(ada.publish('n', payload), 'INVALID_ARGUMENT');
      await rejected(resolver.publish('n', payload, { context }), 'INVALID_ARGUMENT');
      await rejected(resolver.signRealtimeToken('n', payload, undefined, { context }), 'INVALID_ARGUMENT');
      const stream = resolver.createStream('s', { context });
      await rejected(stream.write(lost), 'INVALID_ARGUMENT');
      await rejected(resolver.publishStream('s', [lost], { context }), 'INVALID_ARGUMENT');
      await stream.end();
    }
    await accepted(ada.publish('n', { at: new Date(0), gone: undefined }));
    assert.deepEqual(await has(1), [{ at: '1970-01-01T00:00:00.000Z' }]);
  },

  async 'names that no UTF-8 can tell apart are refused, and composed accents are another name'({
    page,
    resolver,
  }) {
    const context = issue('7');
    const ada = page({ context });
    for (const name of ['\ud800', '\udc00', 'a\ud83d']) {
      await rejected(
        ada.subscribe(name, () => {}),
        'NAME_INVALID',
      );
      await rejected(ada.publish(name, 'x'), 'NAME_INVALID');
      await rejected(resolver.publish(name, 'x', { context }), 'NAME_INVALID');
    }
    const composed = await listen(ada, '\u00e9');
    await accepted(ada.publish('e\u0301', 'decomposed'));
    await accepted(resolver.publish('\u00e9', 'composed', { context }));
    assert.deepEqual(await composed.has(1), ['composed']);
  },

  async 'names that every object has are no properties'({ page, resolver }) {
    const context = issue('7');
    const ada = page({ context });
    const global = await listen(ada, 'n', {}, ada.subscribeGlobal);
    for (const name of ['constructor', '__proto__', 'toString']) {
      const options = { contextOverrides: [name] };
      await rejected(
        ada.subscribe('n', () => {}, options),
        'SCOPE_REFUSED',
      );
      await refused(ada.publish('n', 'x', options), 'SCOPE_REFUSED');
      await rejected(resolver.publish('n', 'x', { ...options, context }), 'SCOPE_REFUSED');
    }
    await accepted(ada.publishGlobal('n', 'last'));
    assert.deepEqual(await global.has(1), ['last']);
  },

  async 'a session and a resolver are held to what authorize verified'({ page }) {
    const authorize = () => ({ properties: ['issue'] });
    const ada = page({ context: issue('7'), authorize });
    const inIssue = { contextOverrides: ['issue'] };
    const { has } = await listen(ada, 'n', inIssue);
    for (const options of [{}, { contextOverrides: ['project'] }, { contextOverrides: ['module'] }]) {
      await refused(ada.publish('n', 'x', options), 'SCOPE_REFUSED');
    }
    await accepted(page({ context: issue('7') }).publish('n', 'one', inIssue));
    assert.deepEqual(await has(1), ['one']);
  },

  async 'a message comes with what is known about it'({ page }) {
    const ada = page({ context: issue('7') });
    const { has, events } = await listen(ada, 'n');
    const before = Date.now();
    const result = await accepted(ada.publish('n', 'x', { eventName: 'added' }));
    await has(1);
    const { eventId, timestamp, publishedAt, ...rest } = events[0];
    assert.deepEqual(rest, { channel: 'n', name: 'added' });
    assert.equal(eventId, result.eventId);
    assert.match(eventId, /^[0-9a-f]{16}-\d+$/);
    assert.equal(String(timestamp), result.eventTimestamp);
    assert.ok(publishedAt >= before - 1 && publishedAt <= Date.now() + 1);
  },

  async 'equal claims make a channel, whatever the order of their members'({ page, resolver }) {
    const context = issue('7');
    const sign = async (claims, can) =>
      (await resolver.signRealtimeToken('n', claims, can, { context })).token;
    const ada = page({ context });
    const blue = await listen(ada, 'n', { token: await sign({ team: 'blue', at: { b: [1, 2], a: null } }) });
    const none = await listen(ada, 'n');
    const same = await sign({ at: { a: null, b: [1, 2] }, team: 'blue' });
    await accepted(ada.publish('n', 'one', { token: same }));
    await accepted(ada.publish('n', 'for red', { token: await sign({ team: 'red' }) }));
    await accepted(resolver.publish('n', 'two', { token: same, context }));
    assert.deepEqual(await blue.has(2), ['one', 'two']);
    assert.deepEqual(none.heard, []);
  },

  async 'a channel token permits what it was signed for, on its channel'({ page, resolver }) {
    const context = issue('7');
    const sign = async (can) => (await resolver.signRealtimeToken('n', { a: 1 }, can, { context })).token;
    const ada = page({ context });
    await refused(ada.publish('n', 'x', { token: await sign(['subscribe']) }), 'PERMISSION_MISSING');
    await refused(
      resolver.publish('n', 'x', { token: await sign(['subscribe']), context }),
      'PERMISSION_MISSING',
    );
    await rejected(
      ada.subscribe('n', () => {}, { token: await sign(['publish']) }),
      'PERMISSION_MISSING',
    );
    await rejected(
      ada.subscribe('m', () => {}, { token: await sign() }),
      'TOKEN_CHANNEL',
    );
    await rejected(
      ada.subscribe('n', () => {}, { token: 'no token' }),
      'TOKEN_MALFORMED',
    );
  },

  async 'a session permits what the app authorized'({ page }) {
    const context = issue('7');
    const reader = page({ context, authorize: () => ({ subscribe: true }) });
    await reader.subscribe('n', () => {});
    await refused(reader.publish('n', 'x'), 'PERMISSION_MISSING');
    const writer = page({ context, authorize: ({ accountId }) => ({ publish: accountId === 'ada' }) });
    await accepted(writer.publish('n', 'x'));
    await rejected(
      writer.subscribe('n', () => {}),
      'PERMISSION_MISSING',
    );
    const nobody = page({ context, authorize: () => false });
    await rejected(
      nobody.subscribe('n', () => {}),
      'PERMISSION_MISSING',
    );
    await refused(nobody.publish('n', 'x'), 'PERMISSION_MISSING');
    assert.equal(nobody.state, 'idle');
  },

  async 'a subscription gets what came shortly before it, and hears where that may not be all'({ page }) {
    const ada = page({ context: issue('7') });
    for (const n of [1, 2, 3]) await accepted(ada.publish('n', { n }));
    await sleep(1_200);
    // The relay has been there for a second, and knows nothing of the 4 before.
    const unsure = await listen(ada, 'n', { replaySeconds: 5 });
    assert.deepEqual(await unsure.has(4), ['GAP', { n: 1 }, { n: 2 }, { n: 3 }]);
    assert.equal(unsure.errors[0].gap.from, null);
    const late = page({ context: issue('7') });
    await accepted(ada.publish('n', { n: 4 }));
    const sure = await listen(late, 'n', { replaySeconds: 1 });
    assert.deepEqual(await sure.has(1), [{ n: 4 }]);
    await accepted(ada.publish('n', { n: 5 }));
    assert.deepEqual(await sure.has(2), [{ n: 4 }, { n: 5 }]);
    assert.deepEqual((await unsure.has(6)).slice(4), [{ n: 4 }, { n: 5 }]);
    await rejected(
      ada.subscribe('n', () => {}, { replaySeconds: 7 }),
      'REPLAY_TOO_LONG',
    );
  },

  async 'who was cut off gets everything, once and in order'({ page, resolver, cut, mend }) {
    const context = issue('7');
    const ada = page({ context });
    const { has, heard } = await listen(ada, 'n');
    const publish = (n) => accepted(resolver.publish('n', { n }, { context }));
    await publish(0);
    await has(1);
    cut();
    await waitFor(() => ada.state === 'reconnecting');
    for (const n of [1, 2, 3]) await publish(n);
    const waiting = ada.publish('n', { n: 4 });
    await sleep(50);
    assert.equal(heard.length, 1);
    mend();
    await accepted(waiting);
    await publish(5);
    assert.deepEqual(
      await has(6),
      [0, 1, 2, 3, 4, 5].map((n) => ({ n })),
    );
    assert.equal(ada.state, 'connected');
  },

  async 'who was cut off past the replay window is told of the gap'({
    page,
    resolver,
    cut,
    mend,
    outlastWindow,
  }) {
    const context = issue('7');
    const { has, errors } = await listen(page({ context }), 'n');
    const publish = (n) => accepted(resolver.publish('n', { n }, { context }));
    await publish(0);
    await has(1);
    cut();
    await publish(1);
    await outlastWindow();
    mend();
    // It may take longer to come back than the window lasts.
    await has(2);
    await publish(2);
    assert.deepEqual(await has(3), [{ n: 0 }, 'GAP', { n: 2 }]);
    const { from, to, reason } = errors[0].gap;
    assert.equal(reason, 'evicted');
    assert.equal(from.epoch, to.epoch);
    assert.ok(BigInt(to.offset) > BigInt(from.offset));
  },

  async 'a relay that starts anew is a gap for everybody'({ page, resolver, restart }) {
    const context = issue('7');
    const { has, errors } = await listen(page({ context }), 'n');
    await accepted(resolver.publish('n', 'one', { context }));
    await has(1);
    await restart();
    await has(2);
    await accepted(resolver.publish('n', 'two', { context }));
    assert.deepEqual(await has(3), ['one', 'GAP', 'two']);
    const { from, to, reason } = errors[0].gap;
    assert.equal(reason, 'epoch');
    assert.notEqual(from.epoch, to.epoch);
  },

  async 'subscriptions of one channel live and end by their own tokens'({ page, resolver }) {
    const context = issue('7');
    const ada = page({ context });
    const sign = async (lifetimeSeconds, can) =>
      (await resolver.signRealtimeToken('n', { a: 1 }, can, { context, lifetimeSeconds })).token;
    const stays = await listen(ada, 'n', { token: await sign(60) });
    const ends = await listen(ada, 'n', { token: await sign(2) });
    await rejected(
      ada.subscribe('n', () => {}, { token: await sign(60, ['publish']) }),
      'PERMISSION_MISSING',
    );
    await accepted(resolver.publish('n', 'to both', { context, token: await sign(60) }));
    assert.deepEqual(await ends.has(2), ['to both', 'TOKEN_EXPIRED']);
    await accepted(resolver.publish('n', 'to one', { context, token: await sign(60) }));
    assert.deepEqual(await stays.has(2), ['to both', 'to one']);
    assert.equal(ends.heard.length, 2);
  },

  async 'a subscription lasts as long as its token, or as its renewals'({ page, resolver }) {
    const context = issue('7');
    const sign = async (lifetimeSeconds, claims = { a: 1 }) =>
      (await resolver.signRealtimeToken('n', claims, undefined, { context, lifetimeSeconds })).token;
    const ada = page({ context });
    const ends = await listen(page({ context }), 'n', { token: await sign(2) });
    const renewed = await listen(ada, 'n', { token: await sign(2) });
    await rejected(renewed.subscription.refreshToken(await sign(60, { a: 2 })), 'TOKEN_IDENTITY');
    await rejected(renewed.subscription.refreshToken('no token'), 'TOKEN_MALFORMED');
    await renewed.subscription.refreshToken(await sign(60));
    let asked = 0;
    const asking = await listen(page({ context }), 'n', { token: () => ((asked += 1), sign(2)) });
    assert.deepEqual(await ends.has(1), ['TOKEN_EXPIRED']);
    await sleep(1_500);
    await accepted(resolver.publish('n', 'x', { context, token: await sign(60) }));
    assert.deepEqual(await renewed.has(1), ['x']);
    assert.deepEqual(await asking.has(1), ['x']);
    assert.ok(asked >= 2, `${asked}`);
    assert.deepEqual(ends.heard, ['TOKEN_EXPIRED']);
    await rejected(ends.subscription.refreshToken(await sign(60)), 'NOT_SUBSCRIBED');
  },

  async 'a stream of text arrives whole, through a cut and for who comes late'({
    page,
    resolver,
    cut,
    mend,
  }) {
    const context = issue('7');
    const options = { id: 'a', replaySeconds: 5 };
    const ada = page({ context });
    const stream = ada.stream('n', options);
    await stream.ready;
    const publisher = resolver.createStream('n', { id: 'a', context, publishesPerSecond: 50 });
    await publisher.write('one ');
    assert.equal((await stream.next()).value, 'one ');
    cut();
    await waitFor(() => ada.state === 'reconnecting');
    await publisher.write('two ');
    await sleep(100);
    mend();
    await publisher.write('three');
    await publisher.end();
    assert.equal(await stream.text(), 'two three');
    assert.equal(await page({ context }).stream('n', options).text(), 'one two three');
  },

  async 'a session provider that fails for good is told, and the next call asks it again'({ page }) {
    let broken = true;
    const authorize = () => !broken;
    const ada = page({ context: issue('7'), authorize });
    await rejected(
      ada.subscribe('n', () => {}),
      'PERMISSION_MISSING',
    );
    broken = false;
    await ada.subscribe('n', () => {});
    assert.equal(ada.state, 'connected');
  },

  async 'a page has so many subscriptions, and so many publications on their way'({ page, cut, mend }) {
    const ada = page({ context: issue('7'), requestTimeoutMs: 5_000 });
    const subscribe = (name) => ada.subscribe(name, () => {});
    const all = await Promise.all(Array.from({ length: 256 }, (_, n) => subscribe(`n${n}`)));
    await rejected(subscribe('one more'), 'TOO_MANY_SUBSCRIPTIONS');
    await subscribe('n0');
    await all[1].unsubscribe();
    await subscribe('one more');

    cut();
    await waitFor(() => ada.state === 'reconnecting');
    const publishing = Array.from({ length: 129 }, (_, n) => ada.publish('n', { n }));
    await refused(publishing.pop(), 'RATE_LIMITED');
    mend();
    const results = await Promise.all(publishing.map(accepted));
    const offsets = results.map(({ eventId }) => Number(eventId.split('-')[1]));
    assert.deepEqual(
      offsets,
      offsets.toSorted((a, b) => a - b),
    );
  },

  async 'a token function is asked for publishing too, and told by its error where it fails'({
    page,
    resolver,
  }) {
    const context = issue('7');
    const ada = page({ context });
    const token = async () => (await resolver.signRealtimeToken('n', { a: 1 }, undefined, { context })).token;
    const { has } = await listen(ada, 'n', { token });
    await accepted(ada.publish('n', 'x', { token }));
    assert.deepEqual(await has(1), ['x']);
    const broken = () => Promise.reject(new Error('Of the app.'));
    await refused(ada.publish('n', 'x', { token: broken }), 'SESSION_UNAVAILABLE');
    await rejected(
      ada.subscribe('n', () => {}, { token: broken }),
      'SESSION_UNAVAILABLE',
    );
  },

  async 'nothing comes after unsubscribe, and the state says what the connection does'({ page }) {
    const ada = page({ context: issue('7'), idleCloseMs: 50 });
    const states = [ada.state];
    ada.onStateChange((state) => states.push(state));
    const { subscription, heard } = await listen(ada, 'n');
    const other = await listen(ada, 'm');
    await subscription.unsubscribe();
    await accepted(ada.publish('n', 'x'));
    await accepted(ada.publish('m', 'y'));
    await other.has(1);
    assert.deepEqual(heard, []);
    await other.subscription.unsubscribe();
    await waitFor(() => ada.state === 'idle');
    await accepted(ada.publish('n', 'x'));
    ada.close();
    assert.deepEqual(states, [
      'idle',
      'connecting',
      'connected',
      'idle',
      'connecting',
      'connected',
      'closed',
    ]);
    await accepted(ada.publish('n', 'after'));
    ada.close();
  },

  async 'a call that the closing overtakes is told so'({ page, cut }) {
    const ada = page({ context: issue('7') });
    await ada.subscribe('n', () => {});
    cut();
    await waitFor(() => ada.state === 'reconnecting');
    const publishing = ada.publish('n', 'x');
    const subscribing = ada.subscribe('m', () => {});
    await sleep(20);
    ada.close();
    await Promise.all([refused(publishing, 'CLOSED'), rejected(subscribing, 'CLOSED')]);
    const { errors, mayHaveArrived } = await publishing;
    assert.match(errors[0], /[a-z]; the message was not sent\.$/);
    assert.equal(mayHaveArrived, false);
  },

  async 'a call that the relay does not answer in time is told so'({ page, cut }) {
    const ada = page({ context: issue('7'), requestTimeoutMs: 300 });
    await ada.subscribe('n', () => {});
    cut();
    await waitFor(() => ada.state === 'reconnecting');
    await Promise.all([
      refused(ada.publish('n', 'x'), 'UNREACHABLE'),
      rejected(
        ada.subscribe('m', () => {}),
        'UNREACHABLE',
      ),
    ]);
  },

  async 'a subscription waits until the relay is there, and tells how it stands'({ page, cut, mend }) {
    const ada = page({ context: issue('7') });
    cut();
    const states = [];
    const options = { onState: (state) => states.push(state) };
    let subscription;
    const subscribing = ada.subscribe('n', () => {}, options).then((made) => (subscription = made));
    await sleep(400);
    assert.equal(subscription, undefined);
    mend();
    await subscribing;
    assert.equal(subscription.state, 'subscribed');
    cut();
    await waitFor(() => subscription.state === 'resuming');
    mend();
    await waitFor(() => subscription.state === 'subscribed');
    await subscription.unsubscribe();
    assert.equal(subscription.state, 'ended');
    assert.deepEqual(states, ['subscribed', 'resuming', 'subscribed', 'ended']);
  },

  async 'a signal ends the wait of a call'({ page, cut, mend }) {
    const ada = page({ context: issue('7') });
    const { has } = await listen(page({ context: issue('7') }), 'n');
    await ada.subscribe('m', () => {});
    cut();
    await waitFor(() => ada.state === 'reconnecting');
    const controller = new AbortController();
    const { signal } = controller;
    const heard = [];
    const subscribing = ada.subscribe('n', (payload) => heard.push(payload), { signal });
    const publishing = ada.publish('n', 'withdrawn', { signal });
    await sleep(20);
    controller.abort(new Error('The user left.'));
    await assert.rejects(subscribing, /The user left/);
    await refused(publishing, 'ABORTED');
    assert.equal((await publishing).mayHaveArrived, false);
    mend();
    await accepted(ada.publish('n', 'kept'));
    assert.deepEqual(await has(1), ['kept']);
    assert.deepEqual(heard, []);
  },

  async 'the same message under an id of the app is taken once, and another one is refused'({
    page,
    resolver,
    restart,
  }) {
    const [ada, ben] = [page({ context: issue('7') }), page({ context: issue('7') })];
    const { events, has } = await listen(ada, 'n');
    const once = { idempotencyId: 'note-1/2' };
    const first = await accepted(ada.publish('n', { a: 1 }, once));
    const again = await accepted(ben.publish('n', { a: 1 }, once));
    assert.equal(again.eventId, first.eventId);
    await refused(ada.publish('n', { a: 2 }, once), 'ID_REUSED');
    await accepted(ada.publish('m', { a: 1 }, once));
    await accepted(ada.publish('n', { a: 2 }, { idempotencyId: 'note-1/3' }));
    const context = issue('7');
    const job = await accepted(resolver.publish('n', 'job', { ...once, context }));
    const rerun = await accepted(resolver.publish('n', 'job', { ...once, context }));
    assert.equal(rerun.eventId, job.eventId);
    await refused(resolver.publish('n', 'other', { ...once, context }), 'ID_REUSED');
    assert.deepEqual(await has(3), [{ a: 1 }, { a: 2 }, 'job']);
    assert.equal(events[0].publishedAt, events[0].timestamp);
    await restart();
    const anew = await accepted(ada.publish('n', { a: 1 }, once));
    assert.notEqual(anew.eventId, first.eventId);
  },

  async 'an app that is slow to provide a session is named'({ page }) {
    const authorize = () => new Promise(() => {});
    const ada = page({ context: issue('7'), authorize, timeoutMs: 300 });
    const slow = { code: 'SESSION_UNAVAILABLE', message: /session function has not answered in time/ };
    await assert.rejects(
      ada.subscribe('n', () => {}),
      slow,
    );
    const result = await ada.publish('n', 'x');
    assert.match(result.errors[0], /^SESSION_UNAVAILABLE: .*session function has not answered/);
    assert.equal(result.mayHaveArrived, false);
  },
};
