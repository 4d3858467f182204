// Reports what depends on several files of an app: the session function, wrap() and authorize().

import type { Facts } from './decisions.js';
import type { Finding } from './document.js';
import type { Source } from './migration.js';

/** A source file with its facts. */
interface Known {
  file: string;
  facts: Facts;
}

const SESSION =
  "Pages need a session: createRealtime({ authorize }) from 'sealwire/resolver', and " +
  "resolver.define('sealwire:session', realtime.session). You decide in `authorize` who may have one.";
const WRAP =
  'Wrap the definitions, realtime.wrap(resolver.getDefinitions()): publish() and signRealtimeToken() then ' +
  'know the invocation in which they are called.';
const VERIFY =
  'A session has a property only if Atlassian signed it or `authorize` verified it. Return it from `authorize`, ' +
  'for example with verifyIssue, verifyProject or verifyContent. A function publishes with the realtime that has ' +
  'this `authorize`.';

/** Returns the findings about an app. `folder` is that of its manifest. */
export function appFindings(folder: string, sources: readonly Source[]): Finding[] {
  const all = sources.flatMap(({ file, facts }) => (facts ? [{ file, facts }] : []));
  const hasAuthorize = all.some(({ facts }) => facts.hasAuthorize);
  return [
    ...sessionFindings(folder, all),
    ...all.flatMap(({ file, facts }) => facts.unwrapped.map((node) => at(file, node, 'session', WRAP))),
    ...(hasAuthorize ? [] : all).flatMap(({ file, facts }) =>
      facts.overrides.map((node) => at(file, node, 'overrides', VERIFY)),
    ),
  ];
}

function sessionFindings(folder: string, all: readonly Known[]): Finding[] {
  if (all.some(({ facts }) => facts.hasSession)) return [];
  const found = all.flatMap(({ file, facts }) =>
    facts.resolvers.map((node) => at(file, node, 'session', SESSION)),
  );
  if (found.length > 0) return found;
  return [{ file: folder, rule: 'session', message: `The app has no resolver yet. ${SESSION}` }];
}

function at(file: string, node: Facts['overrides'][number], rule: Finding['rule'], message: string): Finding {
  return { file, ...(node.loc && { line: node.loc.start.line }), rule, message };
}
