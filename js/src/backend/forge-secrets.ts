// Stores an installation's secret in Forge's secret storage, which Forge separates by installation.

import { SealwireError } from '../errors/sealwire-error.js';
import type { InstallationSecret } from '../core/resolver-core.js';
import type { SecretStore } from './options.js';

export const SECRET_KEY = 'sealwire:keys';

/** The part of @forge/kvs that this package uses. */
export interface Kvs {
  getSecret(key: string): Promise<unknown>;
  setSecret(
    key: string,
    value: unknown,
    options?: { keyPolicy: 'OVERRIDE' | 'FAIL_IF_EXISTS' },
  ): Promise<unknown>;
}

async function forgeKvs(): Promise<Kvs> {
  try {
    // Forge deploys one file per function, so webpack must not create a separate chunk.
    const module = (await import(/* webpackMode: "eager" */ '@forge/kvs')) as {
      kvs?: Kvs;
      default?: { kvs?: Kvs };
    };
    const kvs = module.kvs ?? module.default?.kvs;
    if (kvs) return kvs;
  } catch (cause) {
    const message =
      '@forge/kvs is not installed. Run `npm install @forge/kvs`, or pass createRealtime({ secrets }).';
    throw new SealwireError('INVALID_ARGUMENT', message, { cause });
  }
  throw new SealwireError(
    'INVALID_ARGUMENT',
    'This version of @forge/kvs has no kvs. Sealwire needs 1.6 or later.',
  );
}

function checkSecret(value: unknown): InstallationSecret | undefined {
  if (value === undefined || value === null) return undefined;
  const { version, routing, keys } = value as Record<string, unknown>;
  const known = version === 1 && typeof routing === 'string' && Array.isArray(keys) && keys.length > 0;
  if (known) return value as InstallationSecret;
  const message = `The secret '${SECRET_KEY}' of this installation is not one that this version of sealwire can read.`;
  throw new SealwireError('SESSION_UNAVAILABLE', message);
}

/** Returns the default store. `load`, for tests, replaces @forge/kvs. */
export function forgeSecrets(load: () => Promise<Kvs> = forgeKvs): SecretStore {
  const read = async () => checkSecret(await (await load()).getSecret(SECRET_KEY));
  return {
    read,
    async create(_installation, secret) {
      const kvs = await load();
      let refusal: unknown;
      try {
        await kvs.setSecret(SECRET_KEY, secret, { keyPolicy: 'FAIL_IF_EXISTS' });
      } catch (error) {
        // Another invocation was probably first. The read below tells, independent of the platform's error.
        refusal = error;
      }
      const stored = await read();
      if (stored) return stored;
      if (refusal !== undefined) throw refusal;
      return secret;
    },
    async replace(_installation, secret) {
      await (await load()).setSecret(SECRET_KEY, secret, { keyPolicy: 'OVERRIDE' });
    },
  };
}
