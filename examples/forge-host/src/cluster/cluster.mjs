// Two relays on three NATS servers, with a load balancer in front. Every process can be killed and started again.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { MEMBERS } from '../platform/members.mjs';
import { Relay } from '../relay/relay-process.mjs';
import { Balancer } from './balancer.mjs';
import { NatsServers } from './nats-servers.mjs';

const RELAYS = 2;
const READY_TIMEOUT_MS = 1_000;
const START_TIMEOUT_MS = 30_000;
const POLL_MS = 100;

/**
 * The state of a process: `ready` serves, `waiting` runs and cannot serve yet or any more, `killed` does not run.
 * @typedef {object} ProcessState
 * @property {string} id
 * @property {string} name
 * @property {'relay' | 'nats'} kind
 * @property {'ready' | 'waiting' | 'killed'} state
 * @property {{ led: number, of: number }} [streams] the number of streams that a NATS server leads, of all
 */
/** @typedef {{ id: string, relays: string[], resumed: number, notRecovered: number }} PersonState */
/** @typedef {{ processes: ProcessState[], people: PersonState[] }} ClusterState */

export class Cluster {
  #nats;
  #relays;
  #balancer;
  /** @type {Map<string, { resumed: number, notRecovered: number }>} by account id */
  #resumptions = new Map();
  /** The port of the load balancer. */
  port = 0;

  /**
   * @param {NatsServers} nats
   * @param {{ id: string, name: string, relay: Relay, port: number }[]} relays `port` is that of the recorder
   * @param {(origin: string) => string | undefined} personAt returns the id of the person whose pages have this origin
   */
  constructor(nats, relays, personAt) {
    this.#nats = nats;
    this.#relays = relays;
    const targets = relays.map(({ id, relay, port }) => ({
      id,
      port,
      get runs() {
        return relay.runs;
      },
      isReady: () => isReady(relay),
    }));
    this.#balancer = new Balancer(targets, (origin) => {
      const person = origin === undefined ? undefined : personAt(origin);
      return person === undefined ? undefined : { person, preferred: preferredOf(person) };
    });
  }

  /**
   * @param {object} options
   * @param {string} options.natsProgram
   * @param {string} options.relayProgram
   * @param {string} options.config the configuration of the relays
   * @param {string} options.folder a folder for the files of the servers
   * @param {import('../relay/recorder.mjs').Recorder} options.recorder
   * @param {(origin: string) => string | undefined} options.personAt
   */
  static async start({ natsProgram, relayProgram, config, folder, recorder, personAt }) {
    const own = path.join(folder, 'nats');
    await mkdir(own);
    const nats = await NatsServers.start(natsProgram, own);
    /** @type {Relay[]} */
    const started = [];
    try {
      await nats.whenReady();
      const settings = [
        ...['--broker', nats.urls, '--broker-replicas', '3', '--broker-bytes', '64MiB'],
        ...['--broker-user', 'relay', '--broker-password-file', nats.passwordFile],
      ];
      const relays = [];
      for (let number = 1; number <= RELAYS; number++) {
        const [id, name] = [`relay-${number}`, `Relay ${number}`];
        const log = path.join(folder, `${id}.log`);
        const relay = new Relay({ program: relayProgram, config, name, log, settings });
        started.push(relay);
        await relay.start();
        relays.push({ id, name, relay, port: await recorder.listen(() => relay.port, name) });
      }
      const cluster = new Cluster(nats, relays, personAt);
      recorder.onRow((row) => cluster.#observe(row));
      await cluster.#whenReady();
      cluster.port = await cluster.#balancer.listen();
      return cluster;
    } catch (error) {
      await Promise.all(started.map((relay) => relay.kill()));
      await nats.stop();
      throw error;
    }
  }

  /** @returns {Promise<ClusterState>} */
  async state() {
    const [relays, servers] = await Promise.all([
      Promise.all(this.#relays.map(async ({ id, name, relay }) => relayState(id, name, relay))),
      this.#nats.states(),
    ]);
    return {
      processes: [
        ...relays,
        ...servers.map(({ name, runs, ready, leads, streams }, index) => ({
          id: name,
          name: `NATS ${index + 1}`,
          kind: /** @type {const} */ ('nats'),
          state: /** @type {ProcessState['state']} */ (!runs ? 'killed' : ready ? 'ready' : 'waiting'),
          streams: { led: leads, of: streams },
        })),
      ],
      people: MEMBERS.map(({ id, accountId }) => ({
        id,
        relays: this.#balancer.targetsOf(id),
        ...(this.#resumptions.get(accountId) ?? { resumed: 0, notRecovered: 0 }),
      })),
    };
  }

  /**
   * Kills a process with SIGKILL, or starts it again. Does nothing if that is its state already.
   * @param {string} id
   * @param {'kill' | 'start'} action
   * @returns {Promise<boolean>} false if there is no such process
   */
  async change(id, action) {
    const relay = this.#relays.find((one) => one.id === id)?.relay;
    if (relay) {
      if (action === 'kill') await relay.kill();
      else if (!relay.runs) await relay.start();
      return true;
    }
    return this.#nats.change(id, action);
  }

  async stop() {
    await this.#balancer.close();
    await Promise.all(this.#relays.map(({ relay }) => relay.kill()));
    await this.#nats.stop();
  }

  async #whenReady() {
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (const { name, relay } of this.#relays) {
      while (!(await isReady(relay))) {
        if (!relay.runs || Date.now() > deadline)
          throw new Error(`${name} does not get ready:\n${await relay.logTail()}`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
  }

  /**
   * Counts what the relays answered to clients that resumed.
   * @param {import('../relay/recorder.mjs').Row} row
   */
  #observe({ accountId, recovered }) {
    if (accountId === undefined || recovered === undefined) return;
    const counts = this.#resumptions.get(accountId) ?? { resumed: 0, notRecovered: 0 };
    if (recovered) counts.resumed += 1;
    else counts.notRecovered += 1;
    this.#resumptions.set(accountId, counts);
  }
}

/**
 * Neighbours prefer different relays.
 * @param {string} person
 */
const preferredOf = (person) => MEMBERS.findIndex(({ id }) => id === person) % RELAYS;

/**
 * @param {string} id
 * @param {string} name
 * @param {Relay} relay
 * @returns {Promise<ProcessState>}
 */
async function relayState(id, name, relay) {
  const state = !relay.runs ? 'killed' : (await isReady(relay)) ? 'ready' : 'waiting';
  return { id, name, kind: 'relay', state };
}

/**
 * Asks a relay whether it takes new clients.
 * @param {Relay} relay
 */
async function isReady({ runs, port }) {
  if (!runs || port === 0) return false;
  try {
    const signal = AbortSignal.timeout(READY_TIMEOUT_MS);
    const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
