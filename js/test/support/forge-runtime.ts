// Stands in for the Forge runtime: the global object that the platform sets for each invocation.

export const ENVIRONMENT = '0c3d8e0e-6b1f-4a5c-9d67-1f1d2b3c4d5e';
export const INSTALLATION = 'b0a7a9f4-4e0e-4c56-8d6e-96f9c9f1d0a3';
/** The name of the installation in tokens, channels and keys. */
export const INSTALLED = `ari:cloud:ecosystem::installation/${INSTALLATION}#${ENVIRONMENT}`;

export interface Signed {
  moduleKey?: string;
  extension?: object;
  accountId?: string;
  installationId?: string;
  /** In Unix seconds. */
  exp?: number;
}

export interface Runtime {
  appContext?: Record<string, unknown>;
  aaid?: string;
  /** The content of the context token; undefined for an invocation without a token. */
  signed?: Signed;
  /** Replaces the context token. */
  contextToken?: string;
}

/** Returns a context token like Atlassian's, without a valid signature. */
export function contextToken({
  moduleKey,
  extension,
  accountId,
  installationId = INSTALLATION,
  exp = Math.floor(Date.now() / 1000) + 900,
}: Signed): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    iss: 'forge/context-token',
    aud: 'forge',
    installationId,
    accountId,
    exp,
    context: { moduleKey, extension },
  };
  return `${part({ alg: 'RS256', kid: 'forge/context-token/1' })}.${part(claims)}.signature`;
}

/** Runs `work` in an invocation with this runtime. */
export async function inForge<T>(runtime: Runtime, work: () => T | Promise<T>): Promise<T> {
  const { appContext, aaid, signed } = runtime;
  const global = globalThis as { __forge_runtime__?: unknown };
  const before = global.__forge_runtime__;
  global.__forge_runtime__ = {
    appContext: { environmentId: ENVIRONMENT, installationId: INSTALLATION, ...appContext },
    contextAri: 'ari:cloud:jira::site/1',
    ...(aaid !== undefined && { aaid }),
    realtime: { contextToken: runtime.contextToken ?? (signed && contextToken(signed)) },
    metrics: {
      counter: () => ({ incr: () => {} }),
      timing: () => ({ measure: () => ({ stop: () => {} }) }),
    },
  };
  try {
    return await work();
  } finally {
    if (before === undefined) delete global.__forge_runtime__;
    else global.__forge_runtime__ = before;
  }
}
