// Finds the places of a file at which a person has to decide, because Sealwire differs from Forge Realtime there.

import type { CallExpression, ObjectProperty } from '@babel/types';

import { codesFor } from './error-texts.js';
import { BRIDGE, REALTIME } from './rules.js';
import type { Script } from './script.js';
import { uses } from './names.js';
import { sourceOf } from './rewrite.js';
import { memberOf, nameOf, textOf, visits, type Node, type Visit } from './syntax.js';

/** The facts about one file that decide about the findings of the whole app. */
export interface Facts {
  /** True if the file imports Forge Realtime or Sealwire, before or after the migration. */
  isConcerned: boolean;
  /** True if the file imports the bridge. Most users of the bridge do not use its realtime; the name tells those that do. */
  isOfBridge: boolean;
  /** True if createRealtime() gets an authorize(). */
  hasAuthorize: boolean;
  /** True if the resolver function `sealwire:session` is defined. */
  hasSession: boolean;
  /** The places that create a resolver. */
  resolvers: Node[];
  /** The calls of getDefinitions() outside of wrap(). */
  unwrapped: Node[];
  /** The places with contextOverrides that keep a property. */
  overrides: Node[];
}

const PUBLISHES = new Set(['publish', 'publishGlobal', 'usePublish']);
const SUBSCRIBES = new Set(['subscribe', 'subscribeGlobal', 'useChannel']);
/** Classes whose instances JSON does not keep. */
const LOST = new Set([
  'Map',
  'Set',
  'Error',
  'Promise',
  'RegExp',
  'Blob',
  'FormData',
  'ArrayBuffer',
  'Uint8Array',
]);
const CALLS = new Set([...PUBLISHES, ...SUBSCRIBES]);

/** Reads the facts of a file, and reports the places that depend on no other file. */
export function decisions(script: Script): Facts {
  const facts: Facts = {
    ...{ isOfBridge: false, isConcerned: false, hasAuthorize: false, hasSession: false },
    ...{ resolvers: [], unwrapped: [], overrides: [] },
  };
  const all = [...visits(script.program)];
  for (const { node } of all) readModule(facts, textOf(sourceOf(node)));
  for (const visit of all) readFact(facts, visit);
  if (facts.isConcerned) for (const visit of all) reportDifference(script, facts, visit);
  return facts;
}

function readModule(facts: Facts, module: string | undefined): void {
  if (module === undefined) return;
  if (module === BRIDGE) facts.isOfBridge = true;
  if (module === REALTIME || module.startsWith('sealwire')) facts.isConcerned = true;
}

function readFact(facts: Facts, { node, parent }: Visit): void {
  if (node.type === 'StringLiteral' && node.value === 'sealwire:session') facts.hasSession = true;
  if (node.type === 'Identifier' && node.name === 'realtime' && facts.isOfBridge) facts.isConcerned = true;
  if (node.type === 'NewExpression' && isNamed(node.callee, 'Resolver')) facts.resolvers.push(node);
  if (node.type !== 'CallExpression') return;
  if (isNamed(node.callee, 'makeResolver')) facts.resolvers.push(node);
  if (calledName(node) === 'createRealtime' && node.arguments.some(hasAuthorize)) facts.hasAuthorize = true;
  if (calledName(node) === 'getDefinitions' && !isWrapped(parent)) facts.unwrapped.push(node);
}

function isWrapped(parent: Visit | undefined): boolean {
  const outer = parent?.node;
  return outer?.type === 'CallExpression' && calledName(outer) === 'wrap';
}

function hasAuthorize(argument: Node): boolean {
  return (
    argument.type === 'ObjectExpression' &&
    argument.properties.some(
      (property) => property.type !== 'SpreadElement' && nameOf(property.key) === 'authorize',
    )
  );
}

function reportDifference(script: Script, facts: Facts, visit: Visit): void {
  const { node } = visit;
  if (node.type === 'ObjectProperty') property(script, facts, node, visit);
  else if (node.type === 'CallExpression') call(script, node);
  else if (node.type === 'StringLiteral' || node.type === 'TemplateElement') errorText(script, visit);
}

function property(script: Script, facts: Facts, node: ObjectProperty, visit: Visit): void {
  const name = nameOf(node.key, node.computed);
  const isEmpty = node.value.type === 'ArrayExpression' && node.value.elements.length === 0;
  const called = callOf(visit);
  if (name === 'contextOverrides' && !isEmpty) {
    facts.overrides.push(node);
    if (called?.endsWith('Global')) {
      script.document.report(
        node,
        'overrides',
        `A global channel refuses contextOverrides; Forge ignores them. Remove them, or use ${called.replace('Global', '')}().`,
      );
    }
  }
  if (name === 'token' && called !== undefined && SUBSCRIBES.has(called) && !isFunction(script, node.value)) {
    script.document.report(
      node,
      'token',
      'A subscription with a fixed token ends when the token expires. Pass a function that fetches a token, ' +
        "such as { token: () => invoke('…') }; it is called again in time.",
    );
  }
}

/** Returns whether a value is a function: written here, or declared in the same file. */
function isFunction(script: Script, value: Node): boolean {
  if (isExpressionOfFunction(value)) return true;
  if (value.type !== 'Identifier') return false;
  return uses(script.program, value.name).some(({ node, parent }) => {
    const outer = parent?.node;
    if (outer?.type === 'FunctionDeclaration') return outer.id === node;
    return outer?.type === 'VariableDeclarator' && outer.id === node && isExpressionOfFunction(outer.init);
  });
}

function isExpressionOfFunction(value: Node | null | undefined): boolean {
  return value?.type === 'ArrowFunctionExpression' || value?.type === 'FunctionExpression';
}

/** The name of the function in whose options a property stands. */
function callOf({ parent }: Visit): string | undefined {
  const call = parent?.parent?.node;
  const name = call?.type === 'CallExpression' ? calledName(call) : undefined;
  return name !== undefined && CALLS.has(name) ? name : undefined;
}

function call(script: Script, node: CallExpression): void {
  const name = calledName(node) ?? '';
  const payload = node.arguments.at(1);
  if ((name === 'publish' || name === 'publishGlobal') && payload && isRefused(payload)) {
    script.document.report(
      node,
      'payload',
      `A payload is a string or a plain object. Send ${script.document.textOf(payload).slice(0, 40)} inside one, ` +
        'such as { items }.',
    );
  }
  if (name === 'signRealtimeToken' && node.arguments.length < 4) {
    script.document.report(
      node,
      'token',
      'A token is valid for 15 minutes. Pass { lifetimeSeconds } as the fourth argument for another time, ' +
        'at most 24 hours; {} keeps it. Tokens of Forge Realtime are refused: no page may keep one over the change.',
    );
  }
}

/** Returns whether a value is one that no call accepts as a payload. */
function isRefused(payload: Node): boolean {
  if (payload.type === 'NewExpression')
    return payload.callee.type === 'Identifier' && LOST.has(payload.callee.name);
  return ['ArrayExpression', 'NumericLiteral', 'BooleanLiteral', 'NullLiteral'].includes(payload.type);
}

function errorText(script: Script, { node, parent }: Visit): void {
  const text = node.type === 'TemplateElement' ? (node.value.cooked ?? '') : (textOf(node) ?? '');
  const codes = codesFor(text);
  if (!codes || parent?.node.type === 'ImportDeclaration') return;
  script.document.report(
    node,
    'error',
    `Forge Realtime has the error text ${JSON.stringify(text.slice(0, 60))}. Compare the code instead: ` +
      `${codes.join(' or ')}. docs/forge.md has the table.`,
  );
}

function calledName(node: CallExpression): string | undefined {
  return node.callee.type === 'Identifier' ? node.callee.name : memberOf(node.callee);
}

function isNamed(node: Node, name: string): boolean {
  return (node.type === 'Identifier' && node.name === name) || memberOf(node) === name;
}
