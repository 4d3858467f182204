// Decodes one connection to the relay as far as that is possible without keys. The gadgets of a page share a connection, on
// which each has a session.
import { FrameReader, OPCODE } from './websocket-frames.mjs';
import { HttpReader } from './http-reader.mjs';
import { claimsOf, decodeFrame, partsOfSealed } from './wire.mjs';

/** The first byte of a batch; see docs/protocol.md. */
const BATCH = 0x82;

/** @typedef {import('./wire.mjs').Direction} Direction */
/**
 * A message that the relay saw.
 * @typedef {object} Observation
 * @property {number} connection
 * @property {Direction} direction
 * @property {'websocket' | 'http'} transport
 * @property {string} kind
 * @property {number} size the bytes of the message
 * @property {number} session the session on the connection
 * @property {string} [accountId] the account of the session, once it is known
 * @property {string} [channel] the channel's name, once the relay knows it
 * @property {string} [channelId] the channel's id in hexadecimal
 * @property {Record<string, string> | string[]} [scope]
 * @property {string} [event]
 * @property {ReturnType<typeof partsOfSealed>} [sealed]
 * @property {boolean} [recovered] the relay's answer to a client that resumed: whether every message since follows
 * @property {string} [detail]
 */

export class Observer {
  #connection;
  #recording;
  #report;
  /** @type {Record<Direction, HttpReader>} */
  #http = { 'to-relay': new HttpReader(), 'to-client': new HttpReader() };
  /** @type {Record<Direction, FrameReader> | undefined} set once the connection is a WebSocket */
  #frames;
  /** @type {Map<Direction, number>} the selected session, which is 0 at first */
  #selected = new Map();
  /** @type {Map<number, string>} the accounts by session */
  #accounts = new Map();
  /** The pending subscribe requests by session and request: the channel's name, and whether the client resumes. */
  #requested = new Map();
  /** The channel names by channel id. */
  #channels = new Map();

  /**
   * @param {number} connection
   * @param {import('./recording.mjs').Recording} recording
   * @param {(observation: Observation) => void} report
   */
  constructor(connection, recording, report) {
    this.#connection = connection;
    this.#recording = recording;
    this.#report = report;
  }

  /**
   * @param {Direction} direction
   * @param {Buffer} bytes
   */
  push(direction, bytes) {
    this.#recording.addWire(`${this.#connection} ${direction}`, bytes);
    if (this.#frames) return this.#readFrames(direction, bytes);

    const reader = this.#http[direction];
    for (let message = reader.push(bytes); message; message = reader.push()) {
      this.#recording.addDecoded(message.body);
      if (message.startLine.startsWith('HTTP/1.1 101')) {
        this.#frames = { 'to-relay': new FrameReader(), 'to-client': new FrameReader() };
        this.#readFrames('to-relay', this.#http['to-relay'].takeRest());
        return this.#readFrames(direction, reader.takeRest());
      }
      if (!message.headers.has('upgrade')) this.#http1(direction, message);
    }
  }

  /**
   * @param {Direction} direction
   * @param {Buffer} bytes
   */
  #readFrames(direction, bytes) {
    for (const { opcode, payload } of this.#frames?.[direction].push(bytes) ?? []) {
      this.#recording.addDecoded(payload);
      const size = payload.length;
      if (opcode === OPCODE.close) {
        const code = size >= 2 ? payload.readUInt16BE(0) : undefined;
        this.#observe({ direction, kind: 'Close', size, detail: code ? `code ${code}` : undefined });
      } else if (opcode === OPCODE.binary) {
        // A batch is a message that is a sequence of frames.
        const isBatch = direction === 'to-client' && payload[0] === BATCH;
        const inner = isBatch ? new FrameReader().push(payload) : [{ payload }];
        for (const { payload: message } of inner) this.#frame(direction, message);
      } else if (opcode === OPCODE.text) {
        this.#observe({ direction, kind: 'Text', size });
      }
    }
  }

  /**
   * @param {Direction} direction
   * @param {Buffer} payload
   */
  #frame(direction, payload) {
    const size = payload.length;
    const decoded = decodeFrame(direction, payload);
    if (!decoded) return this.#observe({ direction, kind: 'Unknown', size });
    const { kind, fields } = decoded;
    const channelId = fields.channelId?.length ? Buffer.from(fields.channelId).toString('hex') : undefined;
    const channel = fields.channel?.name ?? this.#channels.get(channelId);
    const base = { direction, kind, size, channel, channelId, scope: fields.channel?.properties };

    const session = this.#sessionOf(direction);
    const request = `${session} ${fields.request}`;

    switch (kind) {
      case 'Session':
        return void this.#selected.set(direction, fields.number);
      case 'Hello': {
        const claims = claimsOf(fields.token);
        this.#accounts.set(session, claims.sub);
        this.#recording.addDecoded(JSON.stringify(claims));
        return this.#observe({ ...base, scope: claims.ctx, detail: 'a signed session token' });
      }
      case 'Subscribe':
        this.#requested.set(request, { name: channel, resumes: fields.since === 'position' });
        return this.#observe(base);
      case 'Subscribed': {
        const { name, resumes } = this.#requested.get(request) ?? {};
        this.#requested.delete(request);
        this.#channels.set(channelId, name);
        const { recovered } = fields;
        const detail = recovered ? 'resumed: every message since follows' : 'resumed with a gap';
        return this.#observe({ ...base, channel: name, ...(resumes && { recovered, detail }) });
      }
      case 'Publish':
      case 'Publication':
        return this.#observe({ ...base, event: fields.event, sealed: partsOfSealed(fields.sealed) });
      case 'Failed':
      case 'Ended':
      case 'Goodbye':
        return this.#observe({ ...base, detail: `${fields.code}: ${fields.message}` });
      default:
        return this.#observe(base);
    }
  }

  /**
   * @param {Direction} direction
   * @param {import('./http-reader.mjs').HttpMessage} message
   */
  #http1(direction, { startLine, headers, body }) {
    const size = body.length;
    const token = headers.get('authorization');
    if (token) this.#recording.addDecoded(JSON.stringify(claimsOf(token)));
    if (direction === 'to-client') {
      return this.#observe({
        direction,
        transport: 'http',
        kind: 'Response',
        size,
        detail: startLine.slice(9),
      });
    }
    for (const { channel, scope, event, sealed } of publishedBy(body)) {
      const bytes = Buffer.from(sealed, 'base64');
      this.#recording.addDecoded(bytes);
      const parts = partsOfSealed(bytes);
      this.#observe({
        direction,
        transport: 'http',
        kind: 'Publish',
        size,
        channel,
        scope,
        event,
        sealed: parts,
      });
    }
  }

  /** @param {Direction} direction */
  #sessionOf(direction) {
    return this.#selected.get(direction) ?? 0;
  }

  /** @param {Omit<Observation, 'connection' | 'session' | 'transport' | 'accountId'> & { transport?: Observation['transport'] }} observation */
  #observe(observation) {
    const seen = { transport: /** @type {const} */ ('websocket'), ...observation };
    const session = this.#sessionOf(observation.direction);
    const accountId = this.#accounts.get(session);
    this.#report({ connection: this.#connection, session, accountId, ...seen });
  }
}

/**
 * @param {Buffer} body the body of POST /v1/publish
 * @returns {{ channel: string, scope: Record<string, string>, event?: string, sealed: string }[]}
 */
function publishedBy(body) {
  try {
    return JSON.parse(body.toString('utf8')).messages;
  } catch {
    return [];
  }
}
