// The requests of the console that are not a stream.

/**
 * Sends a request that only this page can send: the header makes a browser ask first on behalf of any other page.
 * @param {string} path
 * @param {import('./snapshot.d.ts').Party} party
 * @param {Record<string, string>} [headers]
 */
export const post = (path, party, headers = {}) =>
  fetch(`/console/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Sealwire-Console': '1', ...headers },
    body: JSON.stringify(party),
  });
