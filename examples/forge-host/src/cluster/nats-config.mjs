// Writes the configuration of a NATS cluster on this machine, with the users and permissions of deploy/nats/accounts.conf.
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ACCOUNTS = fileURLToPath(new URL('../../../../deploy/nats/accounts.conf', import.meta.url));

/** @typedef {{ client: number, monitor: number, route: number }} Ports */

/**
 * @param {string} folder
 * @param {Ports[]} servers the ports of each server
 * @returns {Promise<{ configs: { config: string, ports: Ports }[], passwordFile: string }>} the file of each server, and the
 * file with the password of the user `relay`
 */
export async function writeNatsConfig(folder, servers) {
  const [relay, operator, route] = [0, 1, 2].map(() => randomBytes(32).toString('hex'));
  const routes = servers.map(({ route: port }) => `"nats://route:${route}@127.0.0.1:${port}"`);
  await mkdir(path.join(folder, 'secrets'), { recursive: true });
  await copyFile(ACCOUNTS, path.join(folder, 'accounts.conf'));
  await writeFile(
    path.join(folder, 'secrets', 'nats.conf'),
    `relay_password: "${relay}"\noperator_password: "${operator}"\nroute_password: "${route}"\nroutes: [${routes}]\n`,
    { mode: 0o600 },
  );
  const passwordFile = path.join(folder, 'nats_password');
  await writeFile(passwordFile, `${relay}\n`, { mode: 0o600 });
  const configs = servers.map(async (ports, index) => {
    const config = path.join(folder, `nats-${index + 1}.conf`);
    await writeFile(config, serverText(folder, index, ports));
    return { config, ports };
  });
  return { configs: await Promise.all(configs), passwordFile };
}

/**
 * Returns the configuration of one server. It differs from deploy/nats/nats.conf in its addresses and its folder only.
 * @param {string} folder
 * @param {number} index
 * @param {Ports} ports
 */
function serverText(folder, index, { client, monitor, route }) {
  return `include ./accounts.conf
server_name: nats-${index + 1}
listen: "127.0.0.1:${client}"
http: "127.0.0.1:${monitor}"
jetstream {
  store_dir: ${JSON.stringify(path.join(folder, `nats-${index + 1}`))}
  max_memory_store: 512M
  max_file_store: 0
}
cluster {
  name: sealwire
  listen: "127.0.0.1:${route}"
  authorization { user: route, password: $route_password }
  routes: $routes
}
`;
}
