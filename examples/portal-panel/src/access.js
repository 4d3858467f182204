// The request of a page, and the user's access to it. The portal's context names the request. The issue panel's context names
// the issue, which has the same key.
import { SealwireError, verifyRequest } from 'sealwire/resolver';

/** @typedef {import('sealwire/resolver').ForgeContext} ForgeContext */

/**
 * Returns the key of the page's request, after Jira confirmed the user's access. A caller can send any context.
 * @param {ForgeContext} context
 * @returns {Promise<string>}
 */
export async function verifiedRequest(context) {
  const { request, issue } = context.extension ?? {};
  const atRequest = { ...context, extension: request ? context.extension : { request: { key: issue?.key } } };
  if (await verifyRequest(atRequest)) return atRequest.extension?.request.key;
  throw new SealwireError('PERMISSION_MISSING', 'This is no request, or you have no access to it.');
}
