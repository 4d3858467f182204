// Three NATS servers with JetStream on the loopback interface, which can be killed and started again.
import path from 'node:path';
import { ServerProcess } from '../relay/server-process.mjs';
import { writeNatsConfig } from './nats-config.mjs';
import { isHealthy, streamsOf } from './nats-monitor.mjs';
import { statesOf } from './nats-states.mjs';
import { freePorts } from './ports.mjs';

const SERVERS = 3;
const PORTS_PER_SERVER = 3;
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

export class NatsServers {
  /** @type {{ process: ServerProcess, name: string, ports: import('./nats-config.mjs').Ports }[]} */
  #servers;
  /** The file with the password of the user `relay`. */
  passwordFile;

  /**
   * @param {{ process: ServerProcess, name: string, ports: import('./nats-config.mjs').Ports }[]} servers
   * @param {string} passwordFile
   */
  constructor(servers, passwordFile) {
    this.#servers = servers;
    this.passwordFile = passwordFile;
  }

  /**
   * Starts the servers. They serve once they have elected a leader, which `whenReady` waits for.
   * @param {string} program
   * @param {string} folder an empty folder
   */
  static async start(program, folder) {
    const numbers = await freePorts(SERVERS * PORTS_PER_SERVER);
    const free = Array.from({ length: SERVERS }, (_, index) => {
      const [client, monitor, route] = numbers.slice(index * PORTS_PER_SERVER);
      return { client, monitor, route };
    });
    const { configs, passwordFile } = await writeNatsConfig(folder, free);
    const servers = configs.map(({ config, ports }, index) => {
      const process = new ServerProcess({
        name: `NATS ${index + 1}`,
        file: program,
        args: ['--config', config],
        log: path.join(folder, `nats-${index + 1}.log`),
      });
      return { process, name: `nats-${index + 1}`, ports };
    });
    for (const { process } of servers) process.start();
    return new NatsServers(servers, passwordFile);
  }

  /** The addresses as the relay's setting `broker` takes them. */
  get urls() {
    return this.#servers.map(({ ports }) => `nats://127.0.0.1:${ports.client}`).join(',');
  }

  /** Waits until every server is healthy. */
  async whenReady() {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(await this.states()).every(({ ready }) => ready)) {
      const ended = this.#servers.find(({ process }) => !process.runs);
      if (ended || Date.now() > deadline) {
        const { process } = ended ?? this.#servers[0];
        throw new Error(`${process.name} does not start:\n${await process.logTail()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /**
   * Kills a server with SIGKILL, or starts it again. Does nothing if that is its state already.
   * @param {string} name
   * @param {'kill' | 'start'} action
   * @returns {Promise<boolean>} false if there is no such server
   */
  async change(name, action) {
    const process = this.#servers.find((server) => server.name === name)?.process;
    if (!process) return false;
    if (action === 'kill') await process.end('SIGKILL');
    else if (!process.runs) process.start();
    return true;
  }

  async stop() {
    // An ordinary end hands the streams over to the other servers, which takes seconds.
    await Promise.all(this.#servers.map(({ process }) => process.end('SIGKILL')));
  }

  /** Returns the state of each server. */
  async states() {
    const views = await Promise.all(
      this.#servers.map(async ({ process: { runs }, name, ports: { monitor } }) => {
        const [healthy, streams] = runs
          ? await Promise.all([isHealthy(monitor), streamsOf(monitor)])
          : [false, []];
        return { name, runs, healthy, streams };
      }),
    );
    return statesOf(views);
  }
}
