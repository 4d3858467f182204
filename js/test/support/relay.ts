// Stands in for the relay's HTTP interface and for Forge's secret storage in the tests of the resolver.

import type { Kvs } from '../../src/backend/forge-secrets.js';

export const SIGNING_KEY = `k1.${Buffer.alloc(64, 7).toString('base64url')}`;

export const context = {
  installContext: 'ari:cloud:jira::site/1',
  accountId: 'account-1',
  moduleKey: 'absences',
  extension: { type: 'jira:dashboardGadget', dashboard: { id: '10001' }, gadget: { id: '10204' } },
};

/** The installation of `context`, as in tokens, channels and keys. */
export const INSTALLED = `${context.installContext}#test`;

/** The options for tests that make the context in place of the platform. */
export const settings = {
  url: 'wss://relay.example',
  app: 'app-1',
  signingKey: SIGNING_KEY,
  environment: 'test',
  trustUnsignedContext: true,
};

/** Returns the claims of a JWT, or of the JWT in a channel token. */
export function claimsOf(token: string): Record<string, any> {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
}

export interface Posted {
  url: string;
  headers: Record<string, string>;
  messages: Record<string, any>[];
}

type Answer = () => Response | Promise<Response>;

export const accepted: Answer = () =>
  Response.json({ results: [{ eventId: '00000000000000aa-7', eventTimestamp: 1_700_000_000_456 }] });

/** Returns a relay that answers the requests in order. The last answer serves all further requests. */
export function fakeRelay(...answers: Answer[]): { fetch: typeof fetch; posted: Posted[] } {
  const posted: Posted[] = [];
  const waiting = answers.length > 0 ? answers : [accepted];
  const fetch = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const { messages } = JSON.parse(String(init?.body));
    posted.push({ url: String(url), headers: init?.headers as Record<string, string>, messages });
    return (waiting.length > 1 ? waiting.shift()! : waiting[0]!)();
  };
  return { fetch: fetch as typeof globalThis.fetch, posted };
}

/** Returns Forge's secret storage of one installation, with its key policies and asynchronous functions. */
export function fakeKvs(initial?: unknown): Kvs & { value: unknown; reads: number; writes: unknown[] } {
  const pause = () => new Promise((resolve) => setImmediate(resolve));
  return {
    value: initial,
    reads: 0,
    writes: [],
    async getSecret() {
      this.reads += 1;
      await pause();
      return structuredClone(this.value);
    },
    async setSecret(_key, value, options) {
      await pause();
      if (options?.keyPolicy === 'FAIL_IF_EXISTS' && this.value !== undefined) {
        throw Object.assign(new Error('The key exists.'), { code: 'KEY_EXISTS' });
      }
      this.value = structuredClone(value);
      this.writes.push(options?.keyPolicy);
    },
  };
}
