// Starts the server with two users, whose passwords it prints.
import { randomBytes } from 'node:crypto';
import { Accounts } from './accounts.mjs';
import { appServer } from './app.mjs';
import { realtimeOf } from './realtime.mjs';
import { FileSecrets } from './secrets.mjs';

const { SEALWIRE_URL: url, SEALWIRE_APP: app, SEALWIRE_SIGNING_KEY: signingKey, PORT = '3000' } = process.env;
if (!url || !app || !signingKey) {
  console.error(
    'Set SEALWIRE_URL, SEALWIRE_APP and SEALWIRE_SIGNING_KEY, as `sealwire-relay init` prints them.',
  );
  process.exit(2);
}

const accounts = new Accounts();
for (const account of ['anna', 'ben']) {
  const password = randomBytes(6).toString('hex');
  accounts.add(account, password);
  console.log(`${account}: ${password}`);
}
const realtime = realtimeOf({ url, app, signingKey, secrets: new FileSecrets('data/secrets.json') });
const server = appServer(accounts, realtime);
server.listen(Number(PORT), '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log(`http://127.0.0.1:${port}`);
});
