// Derives the states of NATS servers from what each of them says.

/** @typedef {{ name: string, runs: boolean, healthy: boolean, streams: import('./nats-monitor.mjs').Stream[] }} View */
/**
 * `leads` is the number of streams that the server leads, of `streams` in all.
 * @typedef {{ name: string, runs: boolean, ready: boolean, leads: number, streams: number }} ServerState
 */

/**
 * Returns the state of each server. A server is ready if it is healthy, and if the leader of every stream counts it among the
 * replicas that have all messages: only then the next server may fail.
 * @param {View[]} views
 * @returns {ServerState[]}
 */
export function statesOf(views) {
  const names = new Set(views.flatMap(({ streams }) => streams.map(({ name }) => name)));
  // Only the leader of a stream knows its replicas.
  const led = views.flatMap(({ name, streams }) => streams.filter(({ leader }) => leader === name));
  const allLed = new Set(led.map(({ name }) => name)).size === names.size;
  return views.map(({ name, runs, healthy }) => ({
    name,
    runs,
    ready: healthy && allLed && led.every(({ behind }) => !behind.includes(name)),
    leads: led.filter(({ leader }) => leader === name).length,
    streams: names.size,
  }));
}
