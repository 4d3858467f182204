// Migrates imports and exports: `import … from`, `export … from` and TypeScript's `import … = require()`.

import type {
  ExportAllDeclaration,
  ExportNamedDeclaration,
  ImportDeclaration,
  ImportDefaultSpecifier,
  ImportNamespaceSpecifier,
  TSImportEqualsDeclaration,
} from '@babel/types';

import { braces, removeFrom } from './braces.js';
import { isWhole, moveMembers, type Whole } from './members.js';
import { BRIDGE, MOVED } from './rules.js';
import type { Script } from './script.js';
import { nameOf, textOf, visits, type Node } from './syntax.js';

/** Migrates an import, as `import { realtime } from '@forge/bridge'`. */
export function importDeclaration(script: Script, node: ImportDeclaration): void {
  const wholes = node.specifiers.filter((specifier) => specifier.type !== 'ImportSpecifier');
  const named = node.specifiers.filter((specifier) => specifier.type === 'ImportSpecifier');
  if (textOf(node.source) !== BRIDGE) return importForFunctions(script, node, wholes);
  const early = named.find(({ imported }) => nameOf(imported) === '__realtime');
  if (early)
    script.unchanged(
      early,
      '`__realtime` is the name of an early version. Import `realtime` from `sealwire`.',
    );
  if (named.some(({ imported }) => nameOf(imported) === 'default')) {
    return script.unchanged(node, 'Import the names instead of `default`, then run the command again.');
  }
  const moved = named.filter(({ imported }) => MOVED.has(nameOf(imported) ?? ''));
  const added: string[] = [];
  const gone: Node[] = [...moved];
  for (const specifier of wholes) {
    const whole = moveMembers(script, specifier.local.name, specifier.local);
    if (whole.moved === 0) continue;
    added.push(`* as ${whole.replacement}`);
    if (whole.left === 0) gone.push(specifier);
  }
  if (moved.length > 0) added.push(braces(script.document, moved));
  if (added.length > 0) divideImport(script, node, added, gone);
}

/** Replaces an import, or the moved part of it. `added` are the imports from `sealwire`, without `import` and `from`. */
function divideImport(script: Script, node: ImportDeclaration, added: string[], gone: Node[]): void {
  const { document } = script;
  const isComplete = node.specifiers.every((specifier) => gone.includes(specifier));
  const isNamed = node.specifiers.every(({ type }) => type === 'ImportSpecifier');
  // The braces stay as they are, with their comments and line breaks.
  if (isComplete && isNamed) return document.replace(node.source, document.quoted('sealwire', node.source));
  const kind = node.importKind === 'type' || node.importKind === 'typeof' ? `${node.importKind} ` : '';
  const from = `from ${document.quoted('sealwire', node.source)}${document.semicolon(node)}`;
  const statements = added.map((names) => `import ${kind}${names} ${from}`);
  const text = statements.join(document.newline + document.indentation(node));
  if (isComplete) return document.replace(node, text);
  const kept = node.specifiers.filter((specifier) => !gone.includes(specifier));
  const named = node.specifiers.filter(({ type }) => type === 'ImportSpecifier');
  if (kept.some(({ type }) => type === 'ImportSpecifier') && kept.length + gone.length === named.length) {
    removeFrom(document, named, gone);
  } else {
    const open = document.textOf(node).indexOf('import') + 'import'.length;
    const range = { start: (node.start ?? 0) + open, end: node.source.start ?? 0 };
    document.replace(range, ` ${kind}${importClause(script, kept)} from `);
  }
  document.insertAfter(node, document.newline + document.indentation(node) + text);
}

/** The names of an import, as `bridge, { invoke }`. */
function importClause(script: Script, specifiers: ImportDeclaration['specifiers']): string {
  const named = specifiers.filter(({ type }) => type === 'ImportSpecifier');
  const others = specifiers.filter(({ type }) => type !== 'ImportSpecifier');
  const clauses = others.map((specifier) => script.document.textOf(specifier));
  if (named.length > 0) clauses.push(braces(script.document, named));
  return clauses.join(', ');
}

/** Migrates an import of `@forge/realtime`. `sealwire/realtime` has the same names, but no default export. */
function importForFunctions(
  script: Script,
  node: ImportDeclaration,
  wholes: readonly (ImportDefaultSpecifier | ImportNamespaceSpecifier)[],
): void {
  const { document } = script;
  const byDefault = wholes.find(({ type }) => type === 'ImportDefaultSpecifier');
  const from = document.quoted('sealwire/realtime', node.source);
  document.replace(node.source, from);
  if (!byDefault) return;
  const others = node.specifiers.filter((specifier) => specifier !== byDefault);
  document.replace(byDefault, `* as ${byDefault.local.name}`);
  if (others.length === 0) return;
  const rest = importClause(script, others);
  document.replace({ start: byDefault.end ?? 0, end: node.source.start ?? 0 }, ' from ');
  const statement = `import ${rest} from ${from}${document.semicolon(node)}`;
  document.insertAfter(node, document.newline + document.indentation(node) + statement);
}

/** Migrates `export { realtime } from '@forge/bridge'`. */
export function exportNames(script: Script, node: ExportNamedDeclaration): void {
  const { document } = script;
  const source = node.source as Node;
  if (textOf(source) !== BRIDGE)
    return document.replace(source, document.quoted('sealwire/realtime', source));
  if (node.specifiers.some(({ type }) => type !== 'ExportSpecifier')) {
    return script.unchanged(
      node,
      'This exports the whole bridge under a name. Export `realtime` from `sealwire` where it is used.',
    );
  }
  const moved = node.specifiers.filter(
    (specifier) => specifier.type === 'ExportSpecifier' && MOVED.has(specifier.local.name),
  );
  if (moved.length === 0) return;
  if (moved.length === node.specifiers.length) {
    return document.replace(source, document.quoted('sealwire', source));
  }
  removeFrom(document, node.specifiers, moved);
  const kind = node.exportKind === 'type' ? 'type ' : '';
  const from = `from ${document.quoted('sealwire', source)}${document.semicolon(node)}`;
  const statement = `export ${kind}${braces(document, moved)} ${from}`;
  document.insertAfter(node, document.newline + document.indentation(node) + statement);
}

/** Migrates `export * from '@forge/realtime'`, and reports the same of the bridge. */
export function exportAll(script: Script, node: ExportAllDeclaration): void {
  const { document, program } = script;
  if (textOf(node.source) !== BRIDGE) {
    return document.replace(node.source, document.quoted('sealwire/realtime', node.source));
  }
  const isShadowed = [...visits(program)].some(
    ({ node: other }) =>
      other.type === 'ExportNamedDeclaration' &&
      textOf(other.source) === 'sealwire' &&
      other.specifiers.some(({ exported }) => nameOf(exported) === 'realtime'),
  );
  if (isShadowed) return;
  script.unchanged(
    node,
    "This exports Forge's `realtime` too. If another file imports it from here, add " +
      "`export { realtime, Jira, Confluence, Bitbucket } from 'sealwire';`, which takes precedence.",
  );
}

/** Migrates `import bridge = require('@forge/bridge')`. */
export function importEquals(script: Script, node: TSImportEqualsDeclaration, source: Node): void {
  const { document } = script;
  if (textOf(source) !== BRIDGE) {
    return document.replace(source, document.quoted('sealwire/realtime', source));
  }
  const whole: Whole = moveMembers(script, node.id.name, node.id);
  if (!isWhole(whole)) return;
  const kind = node.importKind === 'type' ? 'type ' : '';
  const required = `require(${document.quoted('sealwire', source)})${document.semicolon(node)}`;
  const statement = `import ${kind}${whole.replacement} = ${required}`;
  if (whole.left === 0) return document.replace(node, statement);
  document.insertAfter(node, document.newline + document.indentation(node) + statement);
}
