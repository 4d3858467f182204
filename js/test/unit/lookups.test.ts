// A lookup by a name from outside finds inherited properties: `context['constructor']` is a function. Therefore the sources
// look up computed names in Maps, or check Object.hasOwn first. Every remaining computed access is listed here with the reason
// for which its name does not come from outside.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { parse } from 'acorn';
import { transformSync } from 'esbuild';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
/** The package, the code that users copy, and the stand-ins for the platform. */
const FOLDERS = ['js/src', 'examples', 'tests/e2e/support'];
const SKIPPED = new Set(['node_modules', 'generated', 'dist', 'pages', 'bridge']);

/** The known accesses as `file: access`, and the reason for which each name is safe. */
const KNOWN = new Map<string, string>([
  ['js/src/arguments/losses.ts: holder[name]', 'after Object.hasOwn, or a member that JSON visits'],
  ['js/src/arguments/properties.ts: name in Object.prototype', 'asks what objects inherit'],
  ['js/src/backend/authorization.ts: permissions[permission]', 'a constant list'],
  ['js/src/backend/settings.ts: process.env[variable]', 'called with constants'],
  ['js/src/backend/publish-text-stream.ts: Symbol.asyncIterator in source', 'a constant'],
  ['js/src/backend/publish-text-stream.ts: Symbol.iterator in source', 'a constant'],
  ['js/src/browser/open-text-stream.ts: options[name]', 'a constant list'],
  ['js/src/browser/realtime.ts: checked[name]', 'a constant list'],
  ['js/src/context/properties.ts: found[name]', 'after Object.hasOwn'],
  ['js/src/core/load.ts: from[kind]', 'checked before: wasm or js'],
  ['js/src/page/aes-gcm.ts: THRESHOLDS[kind]', 'wasm or js, from load.ts'],
  ['js/src/process-wide.ts: holder[KEY]', 'a constant'],
  ['js/src/session/grant.ts: grant[field]', 'a constant list'],
  ['js/src/sharing/page.ts: own[NAME]', 'a constant'],
  ['js/src/sharing/page.ts: window[index]', 'an index'],
  ['js/src/testing/disconnect-endpoint.ts: ctx[property]', 'after Object.hasOwn'],
  ['js/src/text-stream/format.ts: payload[MARK]', 'a constant'],
  ['js/src/transport/frame-names.ts: names[((frame[0]??0)>>3)-1]', 'an index'],
  ['examples/forge-host/src/relay/observer.mjs: this.#http[direction]', 'one of two constants'],
  ['examples/forge-host/src/relay/observer.mjs: this.#frames?.[direction]', 'one of two constants'],
  ['examples/forge-host/src/relay/websocket-frames.mjs: payload[i]', 'an index'],
  ['examples/forge-host/src/relay/websocket-frames.mjs: rest[at+i%4]', 'an index'],
  ['examples/forge-host/src/relay/wire.mjs: types[direction]', 'one of two constants'],
  ['examples/forge-host/src/relay/wire.mjs: message[field]', 'a field of the decoder’s own'],
  ['examples/team-dashboard/static/common/Footer.tsx: STATES[state]', 'a state of the page’s own connection'],
  ['tests/e2e/support/forger.mjs: k1[i]', 'an index of a buffer'],
  ['tests/e2e/support/forger.mjs: l[i]', 'an index of a buffer'],
  ['tests/e2e/support/forger.mjs: l[i+1]', 'an index of a buffer'],
  ['tests/e2e/support/system.mjs: globalThis[wanted]', 'called with constants'],
]);

/** Accesses to elements of arrays and byte arrays by a computed index. */
const INDEXED = /^(bytes|frame|keys|channel\.entries|this\.#queue|this\.#text|MEMBERS)\[/;

interface Node {
  type: string;
  start: number;
  end: number;
  computed?: boolean;
  operator?: string;
  property?: Node & { value?: unknown };
  [key: string]: unknown;
}

function sources(folder: string): string[] {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : sources(name);
    return /\.(ts|tsx|js|mjs|cjs)$/.test(name) && !/\.d\.ts$|\.config\.mjs$|\.test\./.test(name)
      ? [name]
      : [];
  });
}

function nodes(value: unknown, visit: (node: Node) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (typeof (value as Node).type === 'string') visit(value as Node);
  for (const child of Object.values(value)) nodes(child, visit);
}

/** Returns the computed accesses and `in` operators of a file, as they are written. */
function accesses(file: string): string[] {
  const loader = /\.tsx?$/.test(file) ? (file.endsWith('x') ? 'tsx' : 'ts') : 'jsx';
  const { code } = transformSync(readFileSync(path.join(ROOT, file), 'utf8'), {
    loader,
    target: 'es2022',
    jsx: 'automatic',
  });
  const found: string[] = [];
  nodes(
    parse(code, { ecmaVersion: 'latest', sourceType: 'module', allowReturnOutsideFunction: true }),
    (node) => {
      const { computed, property, operator } = node;
      const literal = property?.type === 'Literal';
      const wellKnown = property && /^Symbol\./.test(code.slice(property.start, property.end));
      if (node.type === 'MemberExpression' && computed && !literal && !wellKnown) {
        found.push(code.slice(node.start, node.end).replaceAll(/\s+/g, ''));
      }
      const named = (node['left'] as Node | undefined)?.type === 'Literal';
      if (node.type === 'BinaryExpression' && operator === 'in' && !named) {
        found.push(code.slice(node.start, node.end));
      }
    },
  );
  return found.filter((access) => !INDEXED.test(access));
}

test('no name from outside is looked up among inherited properties', () => {
  const files = FOLDERS.flatMap(sources);
  assert.ok(files.length > 100, `${files.length} files`);
  const found = files.flatMap((file) => accesses(file).map((access) => `${file}: ${access}`));
  assert.deepEqual(
    [...new Set(found)].filter((access) => !KNOWN.has(access)),
    [],
    'neither listed nor an index',
  );
  assert.deepEqual(
    [...KNOWN.keys()].filter((access) => !found.includes(access)),
    [],
    'listed and not there',
  );
});
