// The host page's interface to the cluster: a stream of its state, and the change of a process.
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpError, sendJson } from './http.mjs';

const INTERVAL_MS = 300;

/**
 * Sends the state of the cluster as server-sent events, whenever it has changed.
 * @param {import('node:http').ServerResponse} response
 * @param {import('../cluster/cluster.mjs').Cluster} cluster
 */
export async function streamCluster(response, cluster) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  let sent = '';
  while (!response.destroyed) {
    const state = JSON.stringify(await cluster.state());
    if (state !== sent) response.write(`data: ${state}\n\n`);
    sent = state;
    await sleep(INTERVAL_MS);
  }
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {import('../cluster/cluster.mjs').Cluster} cluster
 * @param {{ id: string, action: string }} change
 */
export async function changeCluster(response, cluster, { id, action }) {
  if (action !== 'kill' && action !== 'start')
    throw new HttpError(400, "The action must be 'kill' or 'start'.");
  if (!(await cluster.change(id, action))) throw new HttpError(404, 'No such process.');
  sendJson(response, await cluster.state());
}
