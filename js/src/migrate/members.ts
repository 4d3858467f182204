// Migrates the members of a whole module in a variable, as `bridge.realtime` after `import * as bridge from '@forge/bridge'`.

import type { ObjectPattern, VariableDeclarator } from '@babel/types';

import { braces, removeFrom } from './braces.js';
import { isDeclaration, uses } from './names.js';
import { MOVED } from './rules.js';
import type { Script } from './script.js';
import { memberOf, nameOf, type Node, type Visit } from './syntax.js';

/** The result for one variable. */
export interface Whole {
  /** The name of the variable for the module `sealwire`. */
  replacement: string;
  /** The number of uses that the replacement has now. */
  moved: number;
  /** The number of uses that the former variable still has. */
  left: number;
}

/** Returns whether the new variable is needed. */
export function isWhole(whole: Whole): boolean {
  return whole.moved > 0;
}

/** Plans to replace a variable with another one in each use that reads a moved name. */
export function moveMembers(script: Script, name: string, declared: Node, isConstant = true): Whole {
  const whole: Whole = { replacement: script.freeName(), moved: 0, left: 0 };
  const found = uses(script.program, name).filter(({ node }) => node !== declared);
  const others = found.filter(isDeclaration);
  const reads = found.filter((visit) => !isDeclaration(visit));
  const readsMoved = reads.filter((visit) => kindOfUse(visit) !== 'other');
  if (readsMoved.length === 0) return { ...whole, left: reads.length };
  const unclear = readsMoved.filter((visit) => kindOfUse(visit) === 'unclear');
  if (others.length > 0 || (!isConstant && unclear.length > 0)) {
    for (const { node } of readsMoved) {
      script.unchanged(
        node,
        `\`${name}\` has several meanings in this file. Import \`realtime\` from \`sealwire\` here.`,
      );
    }
    return { ...whole, left: reads.length };
  }
  whole.left = reads.length - readsMoved.length;
  for (const visit of readsMoved) {
    const isMoved = moveUse(script, visit, whole.replacement);
    if (isMoved) whole.moved += 1;
    if (!isMoved || kindOfUse(visit) === 'divided') whole.left += 1;
  }
  return whole;
}

/** Returns whether a use reads a moved name, reads another name, or does something that names nothing. */
export function kindOfUse({ node, parent }: Visit): 'moved' | 'divided' | 'other' | 'unclear' {
  const outer = parent?.node;
  switch (outer?.type) {
    case 'MemberExpression':
    case 'OptionalMemberExpression': {
      const member = outer.object === node ? memberOf(outer) : undefined;
      if (member === undefined || isWritten(parent)) return 'unclear';
      return MOVED.has(member) ? 'moved' : 'other';
    }
    case 'TSQualifiedName':
      return MOVED.has(nameOf(outer.right) ?? '') ? 'moved' : 'other';
    case 'JSXMemberExpression':
    case 'JSXClosingElement':
      return 'other';
    case 'VariableDeclarator':
      return outer.init === node && outer.id.type === 'ObjectPattern' ? kindOfPattern(outer.id) : 'unclear';
    case 'AssignmentExpression': {
      if (outer.right !== node || outer.left.type !== 'ObjectPattern') return 'unclear';
      const kind = kindOfPattern(outer.left);
      return kind === 'divided' ? 'unclear' : kind;
    }
    case 'ExpressionStatement':
      return 'other';
    default:
      return 'unclear';
  }
}

/** Returns whether a member is assigned or deleted, as tests do with a mock. */
function isWritten(member: Visit | undefined): boolean {
  const outer = member?.parent?.node;
  if (outer?.type === 'AssignmentExpression') return outer.left === member?.node;
  return (
    outer?.type === 'UpdateExpression' || (outer?.type === 'UnaryExpression' && outer.operator === 'delete')
  );
}

/** Returns whether a pattern takes only moved names, moved and other names, none, or names that it does not state. */
export function kindOfPattern(pattern: ObjectPattern): 'moved' | 'divided' | 'other' | 'unclear' {
  const names = pattern.properties.map((property) =>
    property.type === 'ObjectProperty' ? nameOf(property.key, property.computed) : undefined,
  );
  if (names.includes(undefined)) return 'unclear';
  const moved = names.filter((name) => MOVED.has(name ?? ''));
  if (moved.length === 0) return 'other';
  return moved.length === names.length ? 'moved' : 'divided';
}

function moveUse(script: Script, visit: Visit, replacement: string): boolean {
  const { node, parent } = visit;
  switch (kindOfUse(visit)) {
    case 'moved':
      script.document.replace(node, replacement);
      return true;
    case 'divided':
      return divide(script, parent?.node as VariableDeclarator, replacement);
    default:
      script.unchanged(
        node,
        'The whole bridge is used here. If this takes `realtime` from it, take it from `sealwire` instead.',
      );
      return false;
  }
}

/**
 * Divides `const { invoke, realtime } = bridge` into two: one with the other names, and one with the moved names, whose value
 * is `value`. Returns whether it is divided.
 */
export function divide(script: Script, declarator: VariableDeclarator, value: string): boolean {
  const { document } = script;
  const pattern = declarator.id as ObjectPattern;
  if (pattern.typeAnnotation) {
    script.unchanged(declarator, 'This variable has a type. Take `realtime` from `sealwire` here.');
    return false;
  }
  const moved = pattern.properties.filter(
    (property) =>
      property.type === 'ObjectProperty' && MOVED.has(nameOf(property.key, property.computed) ?? ''),
  );
  removeFrom(document, pattern.properties, moved);
  addVariable(script, declarator, `${braces(document, moved)} = ${value}`);
  return true;
}

/** Adds a variable behind another one: as a separate statement where there can be one. */
export function addVariable(script: Script, declarator: VariableDeclarator, text: string): void {
  const { document } = script;
  const { parent } = script.visit(declarator);
  const declaration = parent?.node;
  const place = parent?.parent?.node.type ?? '';
  const isStatement = ['Program', 'BlockStatement', 'StaticBlock', 'TSModuleBlock'].includes(place);
  if (declaration?.type === 'VariableDeclaration' && declaration.declarations.length === 1 && isStatement) {
    const statement = `${declaration.kind} ${text}${document.semicolon(declaration)}`;
    document.insertAfter(declaration, document.newline + document.indentation(declaration) + statement);
  } else {
    document.insertAfter(declarator, `, ${text}`);
  }
}
