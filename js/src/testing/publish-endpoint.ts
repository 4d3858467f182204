// The test relay's `POST /v1/publish`, as a fetch function for the resolver's API.

import type { SealedMessage } from '../backend/relay-request.js';
import type { CoreError } from '../errors/core-error.js';
import { errorFromCore } from '../errors/from-core.js';
import { answer, bearerOf } from './answers.js';
import { eventId } from './hub.js';
import { refused } from './refused.js';
import { open } from './resolver-core.js';
import { checkChannelToken } from './rules.js';
import { readChannelToken, readToken, type BackendClaims } from './tokens.js';
import type { World } from './world.js';

function publish(world: World, bearer: string, message: SealedMessage): object {
  const { isExpired } = world;
  const backend = readToken<BackendClaims>(bearer, 'sealwire:backend');
  if (isExpired(backend)) throw refused('TOKEN_EXPIRED', 'the backend token has expired');
  const { channel: name, scope, event, id: idempotencyId } = message;
  const installation = backend.ins;
  // A resolver keeps the keys of a channel token. The reader below expects some.
  const token = message.token === undefined ? undefined : readChannelToken(`${message.token}~test`);
  if (token) checkChannelToken(token, { installation, name }, 'publish', isExpired);
  const { payload, publishedAt } = open(message.sealed);
  const address = { installation, scope, claims: token?.tag, name };
  const draft = { address, event, payload, publishedAt, idempotencyId, from: 'resolver' } as const;
  const publication = world.publish(draft);
  return { eventId: eventId(publication), eventTimestamp: publication.timestamp };
}

export function publishEndpoint(world: World): typeof globalThis.fetch {
  return async (_url, init) => {
    const { messages } = JSON.parse(String(init?.body)) as { messages: SealedMessage[] };
    const results = messages.map((message) => {
      try {
        return publish(world, bearerOf(init), message);
      } catch (thrown) {
        const { code, message }: CoreError = errorFromCore(thrown);
        return { error: { code, message } };
      }
    });
    return answer({ results });
  };
}
