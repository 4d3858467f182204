// Serves the host page, which stands for Jira: it shows the iframes, answers their bridges, and shows what the relay saw.
import { fileURLToPath } from 'node:url';
import { contextOf, memberNamed, MEMBERS } from '../platform/members.mjs';
import { COUNTER } from './app-server.mjs';
import { changeCluster, streamCluster } from './cluster-api.mjs';
import { HttpError, listen, readBody, sendFile, sendJson } from './http.mjs';

const PAGES = fileURLToPath(new URL('../../pages', import.meta.url));

/**
 * @typedef {object} Demo
 * @property {ReturnType<typeof import('../app/manifest.mjs').gadgetOf>} gadget
 * @property {import('../platform/functions.mjs').Functions} functions
 * @property {import('../relay/recorder.mjs').Recorder} recorder
 * @property {Map<string, string>} frames the address of each member's iframe
 * @property {import('../cluster/cluster.mjs').Cluster} [cluster]
 */

/**
 * @param {number} port 0 picks a free one
 * @param {() => Demo} demo
 */
export function serveHost(port, demo) {
  return listen(port, async (request, response, { pathname, searchParams }) => {
    switch (`${request.method} ${pathname}`) {
      case 'GET /':
        return sendFile(response, PAGES, 'index.html');
      case 'GET /api/demo': {
        const { gadget, frames, cluster } = demo();
        const members = MEMBERS.map((member) => {
          const frame = frames.get(member.id);
          return { ...member, frame, counter: cluster && new URL(COUNTER, frame).href };
        });
        return sendJson(response, { title: gadget.title, members });
      }
      case 'GET /api/context':
        return sendJson(response, contextOf(requireMember(searchParams.get('member')), demo().gadget.key));
      case 'POST /api/invoke': {
        requireOwnPage(request);
        return sendJson(response, await invoke(demo(), JSON.parse(await readBody(request))));
      }
      case 'GET /api/search': {
        const { recording } = demo().recorder;
        return sendJson(response, {
          count: recording.count(searchParams.get('q') ?? ''),
          bytes: recording.bytes,
        });
      }
      case 'GET /api/relay':
        return streamRows(request, response, demo().recorder);
      case 'GET /api/cluster':
        return streamCluster(response, requireCluster(demo()));
      case 'POST /api/cluster': {
        requireOwnPage(request);
        return changeCluster(response, requireCluster(demo()), JSON.parse(await readBody(request)));
      }
      default:
        return sendFile(response, PAGES, pathname);
    }
  });
}

/**
 * Invokes a function of the app. As on the platform, an error of the function is a result and not a failure of the host.
 * @param {Demo} demo
 * @param {{ member: string, functionKey: string, payload: unknown, context?: object }} call `context` is the context that a
 * user writes into a replayed call
 */
async function invoke({ gadget, functions }, { member: id, functionKey, payload, context: forged }) {
  const member = requireMember(id);
  const { key: moduleKey, handler } = gadget;
  const context = { ...contextOf(member, moduleKey), ...forged };
  try {
    return { result: await functions.invoke(member, { moduleKey, handler, context, functionKey, payload }) };
  } catch (error) {
    console.error(`'${functionKey}' failed:`, error);
    return {
      error: `There was an error invoking the function - ${error instanceof Error ? error.message : error}`,
    };
  }
}

/** @param {string | null} id */
function requireMember(id) {
  const member = memberNamed(id ?? '');
  if (!member) throw new HttpError(404, 'No such member.');
  return member;
}

/** @param {Demo} demo */
function requireCluster({ cluster }) {
  if (!cluster) throw new HttpError(404, 'This demo has no cluster.');
  return cluster;
}

/**
 * Refuses requests of other pages, because the host page names the user.
 * @param {import('node:http').IncomingMessage} request
 */
function requireOwnPage({ headers }) {
  if (headers.origin !== `http://${headers.host}`)
    throw new HttpError(403, 'Only the host page may send this request.');
}

/**
 * Sends all rows so far and every further row as server-sent events.
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {import('../relay/recorder.mjs').Recorder} recorder
 */
async function streamRows(request, response, recorder) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = (/** @type {import('../relay/recorder.mjs').Row} */ row) =>
    response.write(`data: ${JSON.stringify(row)}\n\n`);
  recorder.rows.forEach(send);
  request.on('close', recorder.onRow(send));
}
