// Small helpers around Node's HTTP server.

const MAX_BODY = 4 * 1024;

/** An answer other than success. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * Returns the JSON object of a request.
 * @param {import('node:http').IncomingMessage} request
 * @returns {Promise<Record<string, unknown>>}
 */
export async function bodyOf(request) {
  // A form of another site cannot have this type.
  if (!/^application\/json *(;|$)/.test(request.headers['content-type'] ?? '')) {
    throw new Refusal(415, 'The content-type must be application/json.');
  }
  let text = '';
  for await (const part of request.setEncoding('utf8')) {
    text += part;
    if (text.length > MAX_BODY) throw new Refusal(413, `The body has more than ${MAX_BODY} characters.`);
  }
  try {
    const body = JSON.parse(text);
    if (typeof body === 'object' && body !== null) return body;
  } catch {
    // The refusal below says it.
  }
  throw new Refusal(400, 'The body must be a JSON object.');
}

/**
 * Returns the session's id: the cookie of a page, or the bearer token of a program.
 * @param {import('node:http').IncomingMessage} request
 */
export function credentialOf({ headers: { authorization, cookie } }) {
  return (
    /^Bearer ([\w-]+)$/.exec(authorization ?? '')?.[1] ?? /(?:^|; )session=([\w-]+)/.exec(cookie ?? '')?.[1]
  );
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {unknown} body
 */
export function send(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
