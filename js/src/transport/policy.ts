// Detects whether the page's Content-Security-Policy blocks the relay, as Forge's does until the app's manifest lists it.

import type { Failure } from './socket.js';

export interface PolicyWatch {
  /** Resolves with whether the policy has blocked a connection to this address since the watch began. */
  blocks(address: string): Promise<boolean>;
  /** Stops watching. */
  end(): void;
}

/** Returns an address without its path, as a manifest lists it and an error may show it. */
export function originOf(address: string): string {
  try {
    const { protocol, host } = new URL(address);
    return `${protocol}//${host}`;
  } catch {
    return 'an address that is no URL';
  }
}

/** Watches for violations of the policy. Returns undefined in an environment without policies, such as Node. */
export function watchPolicy(): PolicyWatch | undefined {
  if (typeof SecurityPolicyViolationEvent === 'undefined') return undefined;
  const blocked: string[] = [];
  const listener = (event: Event) => {
    const { blockedURI, disposition, effectiveDirective } = event as SecurityPolicyViolationEvent;
    if (disposition === 'enforce' && effectiveDirective === 'connect-src') blocked.push(blockedURI);
  };
  globalThis.addEventListener('securitypolicyviolation', listener);
  return {
    async blocks(address) {
      // The browser dispatches the violation in a separate task, which may follow the failure.
      await new Promise((resolve) => setTimeout(resolve, 0));
      const origin = originOf(address);
      const scheme = origin.slice(0, origin.indexOf(':'));
      // Some browsers report only the scheme of an address that is not HTTP.
      return blocked.some((uri) => uri === scheme || originOf(uri) === origin);
    },
    end: () => globalThis.removeEventListener('securitypolicyviolation', listener),
  };
}

const lines = (addresses: string[]) =>
  addresses.map((address) => `        - address: ${address}\n          inScopeEUD: true`).join('\n');

/** Returns the failure if the deployed manifest lists neither address of the relay. */
export function blockedBoth(websocket: string, http: string): Failure {
  const message =
    `The page's policy blocks the relay ${websocket}. List it in manifest.yml:\n` +
    `permissions:\n  external:\n    fetch:\n      client:\n${lines([websocket, http])}\n` +
    'Then deploy the app. That is a new major version, and an admin has to approve the new version of the app on the ' +
    'site before its pages can connect.';
  return { code: 'EGRESS_BLOCKED', message };
}

/** Returns the reason, as a clause, if the deployed manifest lacks one of the two addresses. */
export function blockedOne(address: string): string {
  return (
    `the page's policy blocks ${address}: list it under permissions.external.fetch.client in manifest.yml, deploy the ` +
    'app, and have an admin approve the new version'
  );
}
