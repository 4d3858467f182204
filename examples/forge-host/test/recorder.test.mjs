import assert from 'node:assert/strict';
import test from 'node:test';
import protobuf from 'protobufjs';
import { Observer } from '../src/relay/observer.mjs';
import { Recording } from '../src/relay/recording.mjs';
import { decodeFrame } from '../src/relay/wire.mjs';

const UPGRADE = 'GET /v1/realtime HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\n\r\n';
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n';

const contract = await protobuf.load(
  new URL('../../../protocol/proto/sealwire/v1/realtime.proto', import.meta.url).pathname,
);

/**
 * @param {string} type
 * @param {object} message
 */
const encode = (type, message) =>
  Buffer.from(contract.lookupType(`sealwire.v1.${type}`).encode(message).finish());

/**
 * Returns a WebSocket frame of a client, which RFC 6455 requires to be masked.
 * @param {Buffer} payload
 */
function masked(payload) {
  const mask = Buffer.from('a1b2c3d4', 'hex');
  const body = payload.map((byte, i) => byte ^ mask[i % 4]);
  return Buffer.concat([Buffer.from([0x82, 0x80 | payload.length]), mask, body]);
}

/** @param {Buffer} payload */
const unmasked = (payload) => Buffer.concat([Buffer.from([0x82, payload.length]), payload]);

function observed() {
  /** @type {import('../src/relay/observer.mjs').Observation[]} */
  const observations = [];
  const recording = new Recording();
  const observer = new Observer(1, recording, (observation) => observations.push(observation));
  return { observer, recording, observations };
}

test('frames have the names of the .proto file', () => {
  const bytes = encode('ToRelay', {
    subscribe: { request: 7, channel: { name: 'absences', properties: ['dashboard'] } },
  });
  assert.equal(decodeFrame('to-relay', bytes)?.kind, 'Subscribe');
  assert.equal(decodeFrame('to-relay', bytes)?.fields.channel.name, 'absences');
  assert.equal(decodeFrame('to-client', Buffer.from('ffff', 'hex')), undefined);
});

test('a publication is reported with its channel and its sealed bytes, however the stream is split', () => {
  const channelId = Buffer.alloc(16, 9);
  const claims = Buffer.from(JSON.stringify({ sub: 'account-1', ctx: { dashboard: '1' } })).toString(
    'base64url',
  );
  const toRelay = Buffer.concat([
    Buffer.from(UPGRADE),
    masked(encode('ToRelay', { hello: { token: `h.${claims}.s` } })),
    masked(encode('ToRelay', { subscribe: { request: 1, channel: { name: 'absences' } } })),
  ]);
  const toClient = Buffer.concat([
    Buffer.from(SWITCHED),
    unmasked(encode('ToClient', { subscribed: { request: 1, channelId } })),
    unmasked(
      encode('ToClient', { publication: { channelId, offset: 3, event: 'e', sealed: Buffer.alloc(40, 1) } }),
    ),
  ]);
  for (const cut of [0, 20, SWITCHED.length, SWITCHED.length + 5, toClient.length]) {
    const { observer, observations } = observed();
    observer.push('to-relay', toRelay.subarray(0, UPGRADE.length));
    observer.push('to-client', Buffer.from(SWITCHED).subarray(0, cut));
    observer.push('to-client', Buffer.from(SWITCHED).subarray(cut));
    observer.push('to-relay', toRelay.subarray(UPGRADE.length));
    observer.push('to-client', toClient.subarray(SWITCHED.length));
    assert.deepEqual(
      observations.map(({ kind }) => kind),
      ['Hello', 'Subscribe', 'Subscribed', 'Publication'],
    );
    const [publication] = observations.slice(-1);
    assert.equal(publication.channel, 'absences');
    assert.equal(publication.accountId, 'account-1');
    assert.equal(publication.sealed?.size, 40);
  }
});

test('the messages of a batch are reported one by one', () => {
  const { observer, observations } = observed();
  observer.push('to-relay', Buffer.from(UPGRADE));
  observer.push('to-client', Buffer.from(SWITCHED));
  const frame = unmasked(encode('ToClient', { ping: {} }));
  observer.push('to-client', Buffer.concat([unmasked(Buffer.concat([frame, frame])), frame]));
  assert.deepEqual(
    observations.map(({ kind, size }) => [kind, size]),
    [
      ['Ping', 2],
      ['Ping', 2],
      ['Ping', 2],
    ],
  );
});

test('a client that resumes is reported with the answer of the relay, and one that begins without', () => {
  const { observer, observations } = observed();
  const subscribe = (/** @type {number} */ request, /** @type {object} */ since) =>
    masked(encode('ToRelay', { subscribe: { request, channel: { name: 'absences' }, ...since } }));
  const subscribed = (/** @type {number} */ request, /** @type {boolean} */ recovered) =>
    unmasked(encode('ToClient', { subscribed: { request, channelId: Buffer.alloc(16, 9), recovered } }));
  observer.push('to-relay', Buffer.from(UPGRADE));
  observer.push('to-client', Buffer.from(SWITCHED));
  const position = { epoch: 1, offset: 3 };
  for (const since of [{}, { position }, { position }].map((since, at) => subscribe(at, since)))
    observer.push('to-relay', since);
  [false, true, false].forEach((recovered, at) => observer.push('to-client', subscribed(at, recovered)));
  assert.deepEqual(
    observations.filter(({ kind }) => kind === 'Subscribed').map(({ recovered }) => recovered),
    [undefined, true, false],
  );
});

test('the sessions of a connection are told apart, although their requests have the same numbers', () => {
  const { observer, observations } = observed();
  observer.push('to-relay', Buffer.from(UPGRADE));
  observer.push('to-client', Buffer.from(SWITCHED));
  const hello = (/** @type {string} */ sub) =>
    masked(
      encode('ToRelay', {
        hello: { token: `h.${Buffer.from(JSON.stringify({ sub })).toString('base64url')}.s` },
      }),
    );
  const subscribe = (/** @type {string} */ name) =>
    masked(encode('ToRelay', { subscribe: { request: 1, channel: { name } } }));
  const subscribed = (/** @type {number} */ id) =>
    unmasked(encode('ToClient', { subscribed: { request: 1, channelId: Buffer.alloc(16, id) } }));
  const toRelay = [hello('anna'), subscribe('absences')];
  toRelay.push(masked(encode('ToRelay', { session: { number: 1 } })), hello('ben'), subscribe('rotation'));
  for (const bytes of toRelay) observer.push('to-relay', bytes);
  const toClient = [unmasked(encode('ToClient', { session: { number: 1 } })), subscribed(9)];
  toClient.push(unmasked(encode('ToClient', { session: {} })), subscribed(8));
  for (const bytes of toClient) observer.push('to-client', bytes);
  assert.deepEqual(
    observations.map(({ kind, session, accountId, channel }) => [kind, session, accountId, channel]),
    [
      ['Hello', 0, 'anna', undefined],
      ['Subscribe', 0, 'anna', 'absences'],
      ['Hello', 1, 'ben', undefined],
      ['Subscribe', 1, 'ben', 'rotation'],
      ['Subscribed', 1, 'ben', 'rotation'],
      ['Subscribed', 0, 'anna', 'absences'],
    ],
  );
});

test('publishes over HTTP are reported one by one, with and without chunks', () => {
  const sealed = Buffer.alloc(40, 1).toString('base64');
  const body = JSON.stringify({
    messages: [{ channel: 'absences', scope: { dashboard: '1' }, event: '', sealed }],
  });
  const size = Buffer.byteLength(body);
  const sized = `POST /v1/publish HTTP/1.1\r\nContent-Length: ${size}\r\n\r\n${body}`;
  const chunked = `POST /v1/publish HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const { observer, observations } = observed();
  observer.push('to-relay', Buffer.from(sized + chunked));
  assert.deepEqual(
    observations.map(({ kind, transport, channel }) => [kind, transport, channel]),
    [
      ['Publish', 'http', 'absences'],
      ['Publish', 'http', 'absences'],
    ],
  );
});

test('a search finds text behind masks, chunks, base64 and JSON escapes, and across pieces of the stream', () => {
  const { observer, recording } = observed();
  const sealed = Buffer.from('not sealed at all').toString('base64');
  const body = JSON.stringify({ messages: [{ channel: 'c', scope: {}, event: '', sealed }] });
  observer.push('to-relay', Buffer.from(`POST / HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
  observer.push('to-relay', Buffer.from(UPGRADE));
  observer.push('to-client', Buffer.from(SWITCHED));
  observer.push('to-relay', masked(Buffer.from('behind a mask')));
  observer.push('to-client', Buffer.from('in two pie'));
  observer.push('to-client', Buffer.from('ces, "quoted": "\\u00d6land"'));
  for (const text of ['not sealed', 'behind a mask', 'two pieces', 'Öland']) {
    assert.ok(recording.count(text) > 0, `${text} was not found`);
  }
  assert.equal(recording.count('something else'), 0);
});
