// The test relay's `POST /v1/disconnect`, as a fetch function for the resolver's API.

import type { Revocation } from '../backend/relay-request.js';
import { errorFromCore } from '../errors/from-core.js';
import { answer, bearerOf } from './answers.js';
import { refused } from './refused.js';
import { readToken, type BackendClaims } from './tokens.js';
import type { World } from './world.js';

export function disconnectEndpoint(world: World): typeof globalThis.fetch {
  return async (_url, init) => {
    const revocation = JSON.parse(String(init?.body)) as Revocation;
    try {
      const backend = readToken<BackendClaims>(bearerOf(init), 'sealwire:backend');
      if (world.isExpired(backend)) throw refused('TOKEN_EXPIRED', 'the backend token has expired');
      const selector: { account?: string; context?: Record<string, string> } =
        'installation' in revocation ? {} : revocation;
      world.revoke(
        ({ ins, sub, ctx }) =>
          ins === backend.ins &&
          (selector.account === undefined || selector.account === sub) &&
          Object.entries(selector.context ?? {}).every(
            ([property, value]) => Object.hasOwn(ctx, property) && ctx[property] === value,
          ),
      );
      return answer({ before: revocation.before });
    } catch (thrown) {
      const { code, message } = errorFromCore(thrown);
      return answer({ error: { code, message } }, 401);
    }
  };
}
