// The uses of a name in a file. The migration has no scopes: a name that is declared twice is left to a person.

import type { Node, Visit } from './syntax.js';
import { visits } from './syntax.js';

/** Returns every identifier of this name that reads or declares a variable, and not the name of a property. */
export function uses(root: Node, name: string, above?: Visit): Visit[] {
  const isUse = ({ node, parent }: Visit): boolean =>
    (node.type === 'Identifier' || node.type === 'JSXIdentifier') &&
    node.name === name &&
    !isPropertyName(node, parent?.node);
  return [...visits(root, above)].filter(isUse);
}

/** Returns whether a name is free: nothing in the file is called so. */
export function isFree(root: Node, name: string): boolean {
  return ![...visits(root)].some(({ node }) => 'name' in node && node.name === name);
}

/** Returns whether an identifier declares a variable, a parameter, a function, a class or a type. */
export function isDeclaration({ node, parent }: Visit): boolean {
  let inner = node;
  for (let visit = parent; visit; inner = visit.node, visit = visit.parent) {
    const { node: outer } = visit;
    if (isPatternPart(inner, outer)) continue;
    if (outer.type === 'VariableDeclarator') return outer.id === inner;
    if (outer.type === 'CatchClause') return outer.param === inner;
    if (outer.type.startsWith('Import') || outer.type === 'TSImportEqualsDeclaration') {
      return 'local' in outer ? outer.local === inner : 'id' in outer && outer.id === inner;
    }
    if ('params' in outer && (outer.params as Node[]).includes(inner)) return true;
    return 'id' in outer && outer.id === inner && inner === node;
  }
  return false;
}

/** Returns whether `inner` is a part of a pattern that binds, such as `{ name }`, `[name]`, `name = 1` and `...name`. */
function isPatternPart(inner: Node, outer: Node): boolean {
  switch (outer.type) {
    case 'ObjectPattern':
    case 'ArrayPattern':
    case 'RestElement':
    case 'TSParameterProperty':
      return true;
    case 'AssignmentPattern':
      return outer.left === inner;
    case 'ObjectProperty':
      return outer.value === inner;
    default:
      return false;
  }
}

function isPropertyName(node: Node, parent: Node | undefined): boolean {
  switch (parent?.type) {
    case 'MemberExpression':
    case 'OptionalMemberExpression':
      return parent.property === node && !parent.computed;
    case 'JSXMemberExpression':
      return parent.property === node;
    case 'TSQualifiedName':
      return parent.right === node;
    case 'QualifiedTypeIdentifier':
      return parent.id === node;
    case 'ImportSpecifier':
      return parent.imported === node && parent.local !== node;
    case 'ExportSpecifier':
      return parent.exported === node && parent.local !== node;
    case 'ObjectProperty':
      // In a shorthand, key and value are two nodes: the value counts.
      return parent.key === node && parent.value !== node && !parent.computed;
    case 'ObjectMethod':
    case 'ClassMethod':
    case 'ClassProperty':
    case 'ClassAccessorProperty':
    case 'TSPropertySignature':
    case 'TSMethodSignature':
    case 'TSDeclareMethod':
      return 'key' in parent && parent.key === node && !('computed' in parent && parent.computed);
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
      return parent.label === node;
    case 'JSXAttribute':
    case 'MetaProperty':
    case 'ObjectTypeProperty':
    case 'TSEnumMember':
    case 'TSNamedTupleMember':
      return true;
    default:
      return false;
  }
}
