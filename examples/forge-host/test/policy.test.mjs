import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { parse } from 'yaml';
import { forLocalRelay } from '../src/app/manifest.mjs';
import { contentSecurityPolicy } from '../src/pages/policy.mjs';

const HOST = 'http://127.0.0.1:4000';
const HTML = '<html><head><script src="/bridge.js"></script></head></html>';
const RELAY = { client: 'ws://127.0.0.1:5000', backend: 'http://127.0.0.1:5000' };
const manifest = parse(await readFile(new URL('../../team-dashboard/manifest.yml', import.meta.url), 'utf8'));

/**
 * @param {string} policy
 * @param {string} directive
 */
const sources = (policy, directive) =>
  policy
    .split('; ')
    .find((part) => part.startsWith(`${directive} `))
    ?.split(' ')
    .slice(1) ?? [];

test("Forge's policy for the example has no unsafe-eval and no unsafe-inline script", () => {
  const policy = contentSecurityPolicy(HTML, forLocalRelay(manifest, { ...RELAY, unsafeEval: false }), HOST);
  const scripts = sources(policy, 'script-src');
  assert.ok(scripts.includes("'self'"));
  assert.deepEqual(
    scripts.filter((source) => source.includes('unsafe')),
    [],
  );
});

test('the policy has unsafe-eval only with the permission', () => {
  const policy = contentSecurityPolicy(HTML, forLocalRelay(manifest, { ...RELAY, unsafeEval: true }), HOST);
  assert.ok(sources(policy, 'script-src').includes("'unsafe-eval'"));
});

test('the gadget may connect to the relay of the manifest, by WebSocket and by HTTP', () => {
  const local = contentSecurityPolicy(HTML, forLocalRelay(manifest, { ...RELAY, unsafeEval: false }), HOST);
  const deployed = contentSecurityPolicy(HTML, manifest, HOST);
  for (const { policy, wanted } of [
    { policy: local, wanted: ['ws://127.0.0.1:5000', 'http://127.0.0.1:5000'] },
    { policy: deployed, wanted: ['wss://relay.example.com', 'https://relay.example.com'] },
  ]) {
    for (const source of wanted) assert.ok(sources(policy, 'connect-src').includes(source), source);
  }
});

test('the host page may show the gadget, and violations are reported to this machine only', () => {
  const policy = contentSecurityPolicy(HTML, manifest, HOST);
  assert.ok(sources(policy, 'frame-ancestors').includes(HOST));
  assert.deepEqual(sources(policy, 'report-uri'), ['/csp-report']);
});
