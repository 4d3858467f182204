// Serves the host page, which stands for Jira: it shows the iframes, answers their bridges, and shows what the relay saw.
import { fileURLToPath } from 'node:url';
import { contextOf, memberNamed, MEMBERS } from '../platform/members.mjs';
import { COUNTER } from './app-server.mjs';
import { changeCluster, streamCluster } from './cluster-api.mjs';
import { HttpError, listen, readBody, sendFile, sendJson } from './http.mjs';

const PAGES = fileURLToPath(new URL('../../pages', import.meta.url));

/**
 * @typedef {object} Demo
 * @property {import('../app/manifest.mjs').Gadget[]} gadgets
 * @property {string} handler the exported name of the resolver function
 * @property {import('../platform/functions.mjs').Functions} functions
 * @property {import('../relay/recorder.mjs').Recorder} recorder
 * @property {Map<string, string>} frames the address of each member's iframes, without the name of the gadget
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
        const { gadgets, frames, cluster } = demo();
        const members = MEMBERS.map((member) => {
          const at = (/** @type {string} */ name) => new URL(`${name}/`, frames.get(member.id)).href;
          const shown = gadgets.map(({ key, title }) => ({ key, title, src: at(key) }));
          return { ...member, gadgets: shown, counter: cluster && at(COUNTER) };
        });
        return sendJson(response, { members });
      }
      case 'GET /api/context': {
        const gadget = requireGadget(demo(), searchParams.get('gadget'));
        return sendJson(response, contextOf(requireMember(searchParams.get('member')), gadget));
      }
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
 * @param {{ member: string, gadget: string, functionKey: string, payload: unknown, context?: object }} call `context` is the
 * context that a user writes into a replayed call
 */
async function invoke(demo, { member: id, gadget: key, functionKey, payload, context: forged }) {
  const member = requireMember(id);
  const gadget = requireGadget(demo, key);
  const { functions, handler } = demo;
  const context = { ...contextOf(member, gadget), ...forged };
  const call = { moduleKey: gadget.key, handler, context, functionKey, payload };
  try {
    return { result: await functions.invoke(member, call) };
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

/**
 * @param {Demo} demo
 * @param {string | null} key
 */
function requireGadget({ gadgets }, key) {
  const gadget = gadgets.find((one) => one.key === key);
  if (!gadget) throw new HttpError(404, 'No such gadget.');
  return gadget;
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
