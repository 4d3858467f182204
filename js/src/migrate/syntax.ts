// Parses a source file of an app, and visits the nodes of its syntax tree. The file's name decides about the language.

import { parse } from '@babel/parser';
import type { File, Node } from '@babel/types';

export type { Node } from '@babel/types';

/** The extensions of the files that the command can change. */
const SCRIPT = /\.(?:[cm]?[jt]s|[jt]sx)$/;

/** A node, and the visit of the node that contains it. */
export interface Visit {
  node: Node;
  parent: Visit | undefined;
}

/** Returns whether the command can change a file of this name. */
export function isScript(name: string): boolean {
  return SCRIPT.test(name);
}

/**
 * Parses a file: TypeScript for .ts, .mts, .cts and .tsx, otherwise JavaScript with Flow's types. JSX is read everywhere
 * but in .ts, .mts and .cts, where `<T>value` is a type assertion.
 *
 * @throws SyntaxError, with the line in its message, for a file that is neither a module nor a script of its language.
 */
export function parseScript(name: string, text: string): File {
  const typescript = /\.(?:[cm]?ts|tsx)$/.test(name);
  const jsx = !/\.[cm]?ts$/.test(name);
  return parse(text, {
    sourceType: 'unambiguous',
    allowAwaitOutsideFunction: true,
    allowReturnOutsideFunction: true,
    allowUndeclaredExports: true,
    createImportExpressions: true,
    plugins: [
      typescript ? 'typescript' : 'flow',
      ...(jsx ? (['jsx'] as const) : []),
      'decorators',
      'decoratorAutoAccessors',
      'explicitResourceManagement',
    ],
  });
}

/** Visits every node below `root`, in the order of the text. The depth of the tree does not limit it. */
export function* visits(root: Node, above?: Visit): Generator<Visit> {
  const pending: Visit[] = [{ node: root, parent: above }];
  for (let visit = pending.pop(); visit; visit = pending.pop()) {
    yield visit;
    for (const child of children(visit.node).reverse()) pending.push({ node: child, parent: visit });
  }
}

function children(node: Node): Node[] {
  return Object.entries(node)
    .filter(([field]) => !field.endsWith('Comments') && field !== 'errors' && field !== 'tokens')
    .flatMap(([, value]) => (Array.isArray(value) ? value : [value]))
    .filter(isNode);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

/** Returns the text of a string literal, or of a template without expressions. */
export function textOf(node: Node | null | undefined): string | undefined {
  if (node?.type === 'StringLiteral') return node.value;
  if (node?.type === 'TemplateLiteral' && node.expressions.length === 0) {
    return node.quasis[0]?.value.cooked ?? undefined;
  }
  return undefined;
}

/** Returns the name of a property or of an imported name, if the source states it. */
export function nameOf(node: Node, computed = false): string | undefined {
  if (node.type === 'Identifier' && !computed) return node.name;
  return textOf(node);
}

/** Returns the property that a member access reads, if the source states it. */
export function memberOf(node: Node): string | undefined {
  if (node.type !== 'MemberExpression' && node.type !== 'OptionalMemberExpression') return undefined;
  return nameOf(node.property, node.computed);
}
