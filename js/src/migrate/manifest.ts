// Reads an app's manifest.yml as text, and names the lines that it lacks. The command does not write them: each new
// permission asks the admins of every site for their consent, so a person decides when.

import type { Finding } from './document.js';

const SCOPE = `permissions:
  scopes:
    - storage:app`;

/** The lines for a relay. */
export function egressLines(host: string): string {
  return `permissions:
  external:
    fetch:
      client:
        - address: 'wss://${host}'
          inScopeEUD: true
        - address: 'https://${host}'
          inScopeEUD: true
      backend:
        - address: 'https://${host}'
          inScopeEUD: true`;
}

export function manifestFindings(file: string, text: string): Finding[] {
  const lines = text.split(/\r?\n/).map((line) => line.replace(/(^|\s)#.*$/, ''));
  const stated = lines.join('\n');
  const findings: Finding[] = [];
  const finding = (message: string): void => void findings.push({ file, rule: 'manifest', message });
  if (!/\bstorage:app\b/.test(stated)) {
    finding(`Add the scope that keeps the encryption key of an installation:\n${SCOPE}`);
  }
  const host = /\bwss:\/\/([\w.*:-]+)/.exec(stated)?.[1];
  const secure = host === undefined ? 0 : stated.split(`https://${host}`).length - 1;
  if (host === undefined || secure < 2) {
    finding(
      'Declare the relay. A new address is a new major version, which the admins of each site approve. ' +
        `forge tunnel with a relay on your machine needs none of these lines:\n${egressLines(host ?? 'relay.example.com')}`,
    );
  }
  return findings;
}
