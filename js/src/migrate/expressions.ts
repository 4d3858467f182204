// Migrates modules that an expression loads: `require('@forge/bridge')`, `await import('@forge/bridge')`, and the types
// `import('@forge/bridge').Jira`.

import type { ObjectPattern, TSImportType, VariableDeclarator } from '@babel/types';

import { isDeclaration, uses } from './names.js';
import { addVariable, divide, isWhole, kindOfPattern, kindOfUse, moveMembers } from './members.js';
import { BRIDGE, MOVED } from './rules.js';
import type { Script } from './script.js';
import { memberOf, nameOf, textOf, type Node, type Visit } from './syntax.js';

/** An expression that loads a module, and its parts. */
interface Loaded {
  /** The string with the module's name. */
  source: Node;
  /** The visit of the expression whose value is the module: `require(…)` or `await import(…)`. */
  module: Visit;
}

const UNCLEAR =
  'It is not clear whether this takes `realtime` from the bridge. If it does, take it from `sealwire` instead.';

/** Migrates `require(source)`, or `import(source)` with and without `await`. */
export function loadedModule(script: Script, visit: Visit, source: Node): void {
  const { document } = script;
  if (textOf(source) !== BRIDGE) return loadedForFunctions(script, visit, source);
  const isImport = visit.node.type === 'ImportExpression';
  const awaited = visit.parent?.node.type === 'AwaitExpression' ? visit.parent : undefined;
  if (isImport && !awaited) return promisedModule(script, visit, source);
  const loaded = { source, module: awaited ?? visit };
  switch (kindOfUse(loaded.module)) {
    case 'moved':
      return document.replace(source, document.quoted('sealwire', source));
    case 'divided':
      divide(script, loaded.module.parent?.node as VariableDeclarator, sealwire(script, loaded));
      return;
    case 'unclear':
      return variable(script, loaded);
    case 'other':
  }
}

/** Migrates `const bridge = require('@forge/bridge')`, and reports every other use of the module. */
function variable(script: Script, loaded: Loaded): void {
  const { document } = script;
  const { node: module, parent } = loaded.module;
  const declarator = parent?.node;
  if (declarator?.type !== 'VariableDeclarator' || declarator.init !== module) {
    return script.unchanged(module, UNCLEAR);
  }
  if (declarator.id.type !== 'Identifier') return script.unchanged(module, UNCLEAR);
  const declaration = parent?.parent?.node;
  const isConstant = declaration?.type === 'VariableDeclaration' && declaration.kind === 'const';
  const whole = moveMembers(script, declarator.id.name, declarator.id, isConstant);
  if (!isWhole(whole)) return;
  if (whole.left === 0 && !declarator.id.typeAnnotation) {
    document.replace(declarator.id, whole.replacement);
    document.replace(loaded.source, document.quoted('sealwire', loaded.source));
  } else {
    addVariable(script, declarator, `${whole.replacement} = ${sealwire(script, loaded)}`);
  }
}

/** The expression that loads `sealwire` in the same way. */
function sealwire(script: Script, { source, module }: Loaded): string {
  const { document } = script;
  const text = document.textOf(module.node);
  const at = (source.start ?? 0) - (module.node.start ?? 0);
  const length = (source.end ?? 0) - (source.start ?? 0);
  return text.slice(0, at) + document.quoted('sealwire', source) + text.slice(at + length);
}

/** Migrates `import('@forge/bridge').then(({ realtime }) => …)`. */
function promisedModule(script: Script, visit: Visit, source: Node): void {
  const kind = kindOfPromise(script, visit);
  if (kind === 'moved') {
    script.document.replace(source, script.document.quoted('sealwire', source));
  } else if (kind !== 'other') {
    script.unchanged(visit.node, UNCLEAR);
  }
}

function kindOfPromise(script: Script, { node, parent }: Visit): 'moved' | 'divided' | 'other' | 'unclear' {
  const member = parent?.node;
  const call = parent?.parent?.node;
  if (member === undefined || memberOf(member) !== 'then') return 'unclear';
  if ('object' in member && member.object !== node) return 'unclear';
  if (call?.type !== 'CallExpression' || call.callee !== member || call.arguments.length !== 1)
    return 'unclear';
  const callback = call.arguments.at(0);
  if (callback?.type !== 'ArrowFunctionExpression' && callback?.type !== 'FunctionExpression')
    return 'unclear';
  const parameter = callback.params.at(0);
  if (parameter === undefined) return 'other';
  if (parameter.type === 'ObjectPattern') return kindOfPattern(parameter as ObjectPattern);
  if (parameter.type !== 'Identifier') return 'unclear';
  const found = uses(callback, parameter.name, script.visit(call)).filter((use) => use.node !== parameter);
  const kinds = new Set(found.map((use) => (isDeclaration(use) ? 'unclear' : kindOfUse(use))));
  const [kind] = kinds;
  return kinds.size === 1 && kind !== undefined ? kind : kinds.size === 0 ? 'other' : 'unclear';
}

/** Migrates a load of `@forge/realtime`. `sealwire/realtime` has the same names, but no default export. */
function loadedForFunctions(script: Script, visit: Visit, source: Node): void {
  const { document } = script;
  const module = visit.parent?.node.type === 'AwaitExpression' ? visit.parent : visit;
  const outer = module.parent?.node;
  const pattern = outer?.type === 'VariableDeclarator' ? outer.id : undefined;
  const takesDefault =
    (outer !== undefined && memberOf(outer) === 'default') ||
    (pattern?.type === 'ObjectPattern' &&
      pattern.properties.some(
        (property) => property.type === 'ObjectProperty' && nameOf(property.key) === 'default',
      ));
  if (takesDefault) {
    script.unchanged(visit.node, '`sealwire/realtime` has no default export. Take the names that you need.');
  } else {
    document.replace(source, document.quoted('sealwire/realtime', source));
  }
}

/** Migrates the type `import('@forge/bridge').Jira`. */
export function importType(script: Script, node: TSImportType, source: Node): void {
  const { document } = script;
  if (textOf(source) !== BRIDGE) {
    return document.replace(source, document.quoted('sealwire/realtime', source));
  }
  let first = node.qualifier as Node | null | undefined;
  while (first?.type === 'TSQualifiedName') first = first.left;
  if (!first) return script.unchanged(node, UNCLEAR);
  if (MOVED.has(nameOf(first) ?? '')) document.replace(source, document.quoted('sealwire', source));
}
