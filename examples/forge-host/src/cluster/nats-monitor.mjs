// Questions to the monitoring port of a NATS server.

const TIMEOUT_MS = 1_000;

/**
 * Returns whether the server says that it and its JetStream are healthy.
 * @param {number} port
 */
export async function isHealthy(port) {
  return (await get(port, '/healthz'))?.status === 'ok';
}

/**
 * A stream, as one of its servers sees it. `behind` names the replicas that lack messages or are away; only the leader knows
 * them.
 * @typedef {{ name: string, leader: string, behind: string[] }} Stream
 */

/**
 * Returns the streams that a server holds; none if it does not answer.
 * @param {number} port
 * @returns {Promise<Stream[]>}
 */
export async function streamsOf(port) {
  const answer = await get(port, '/jsz?accounts=true&streams=true');
  const details = (answer?.account_details ?? []).flatMap(
    (/** @type {any} */ account) => account.stream_detail ?? [],
  );
  return details.map((/** @type {any} */ { name, cluster = {} }) => ({
    name,
    leader: cluster.leader ?? '',
    behind: (cluster.replicas ?? [])
      .filter((/** @type {any} */ { current, offline, lag }) => !current || offline || lag)
      .map((/** @type {any} */ replica) => replica.name),
  }));
}

/**
 * @param {number} port
 * @param {string} path
 * @returns {Promise<any>}
 */
async function get(port, path) {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return await response.json();
  } catch {
    return undefined;
  }
}
