// Migrates the imports of one file.

import { exportAll, exportNames, importDeclaration, importEquals } from './declarations.js';
import { importType, loadedModule } from './expressions.js';
import { BRIDGE, REALTIME } from './rules.js';
import type { Script } from './script.js';
import { textOf, visits, type Node, type Visit } from './syntax.js';

/** Plans the changes of a file's imports, and reports the places that stay. */
export function rewriteImports(script: Script): void {
  const handled = new Set<Node>();
  for (const visit of visits(script.program)) {
    const source = sourceOf(visit.node);
    if (source) {
      handled.add(source);
      if (isMigrated(textOf(source))) rewrite(script, visit, source);
      else reportPath(script, source);
    } else if (!handled.has(visit.node)) {
      reportMention(script, visit);
    }
  }
}

/** Returns the string with the name of the module that a node imports. */
export function sourceOf(node: Node): Node | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
      return node.source;
    case 'ExportNamedDeclaration':
      return node.source ?? undefined;
    case 'CallExpression': {
      const isRequire = node.callee.type === 'Identifier' && node.callee.name === 'require';
      return isRequire ? node.arguments.at(0) : undefined;
    }
    case 'TSExternalModuleReference':
      return node.expression;
    case 'TSImportType':
      return node.argument;
    default:
      return undefined;
  }
}

function rewrite(script: Script, visit: Visit, source: Node): void {
  const { node, parent } = visit;
  switch (node.type) {
    case 'ImportDeclaration':
      return importDeclaration(script, node);
    case 'ExportNamedDeclaration':
      return exportNames(script, node);
    case 'ExportAllDeclaration':
      return exportAll(script, node);
    case 'CallExpression':
    case 'ImportExpression':
      return loadedModule(script, visit, source);
    case 'TSExternalModuleReference':
      if (parent?.node.type === 'TSImportEqualsDeclaration') importEquals(script, parent.node, source);
      return;
    case 'TSImportType':
      return importType(script, node, source);
    default:
  }
}

function isMigrated(module: string | undefined): boolean {
  return module === BRIDGE || module === REALTIME;
}

/** Reports an import of a file within one of the modules that concerns Forge Realtime. */
function reportPath(script: Script, source: Node): void {
  const module = textOf(source) ?? '';
  const isInside = module.startsWith(`${REALTIME}/`) || /^@forge\/bridge\/.*realtime/i.test(module);
  if (isInside)
    script.unchanged(source, `\`${module}\` is an internal file of Forge. Import from \`sealwire\`.`);
}

/** Reports other strings with the name of a module, as in `jest.mock('@forge/realtime', …)`. */
function reportMention(script: Script, { node, parent }: Visit): void {
  const module = textOf(node);
  if (!isMigrated(module) || parent === undefined) return;
  const outer = parent.node;
  const concernsRealtime =
    module === REALTIME || /\brealtime\b/.test(script.document.textOf(outer).replaceAll(BRIDGE, ''));
  if (!concernsRealtime) return;
  const replacement = module === REALTIME ? 'sealwire/realtime' : 'sealwire';
  script.unchanged(
    node,
    `This names \`${module}\` and is no import. If it is about Forge Realtime, as a mock in a test, ` +
      `name \`${replacement}\` or use \`sealwire/testing\`.`,
  );
}
