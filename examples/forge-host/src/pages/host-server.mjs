// Serves the host page, which stands for Jira: it shows the iframes, answers their bridges and shows what the relay saw.
import { fileURLToPath } from 'node:url';
import { contextOf, memberNamed, MEMBERS } from '../platform/members.mjs';
import { HttpError, listen, readBody, sendFile, sendJson } from './http.mjs';

const PAGES = fileURLToPath(new URL('../../pages', import.meta.url));

/**
 * @typedef {object} Demo
 * @property {ReturnType<typeof import('../app/manifest.mjs').gadgetOf>} gadget
 * @property {import('../platform/functions.mjs').Functions} functions
 * @property {import('../relay/recorder.mjs').Recorder} recorder
 * @property {Map<string, string>} frames address of the iframe by member id
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
        const { gadget, frames } = demo();
        const members = MEMBERS.map((member) => ({ ...member, frame: frames.get(member.id) }));
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
      default:
        return sendFile(response, PAGES, pathname);
    }
  });
}

/**
 * An error of the app's function is an answer, as on the platform, not a failure of the host.
 * @param {Demo} demo
 * @param {{ member: string, functionKey: string, payload: unknown, context?: object }} call `context` stands for the
 * context that a user writes into a replayed call
 */
async function invoke({ gadget, functions }, { member: id, functionKey, payload, context: brought }) {
  const member = requireMember(id);
  const { key: moduleKey, handler } = gadget;
  const context = { ...contextOf(member, moduleKey), ...brought };
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

/**
 * The page says who its user is, so no other page may ask in its name.
 * @param {import('node:http').IncomingMessage} request
 */
function requireOwnPage({ headers }) {
  if (headers.origin !== `http://${headers.host}`)
    throw new HttpError(403, 'Only the host page may ask this.');
}

/**
 * Server-sent events: what was seen so far, then every further row.
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
