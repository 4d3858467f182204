// Finds the comparisons of numbers of 64 bits without a sign, and replaces each with a call. after-wasm2js.mjs uses it.
//
// JavaScript has such a number as two halves, and wasm2js writes a comparison as
// `(upper | 0) == (other | 0) & lower >>> 0 < otherLower >>> 0 | upper >>> 0 < other >>> 0`.

/** The functions that are called, for the end of the module. They return 1 or 0. */
const FUNCTIONS = {
  isLess: isLess('isLess', '<'),
  isLessOrEqual: isLess('isLessOrEqual', '<='),
};

function isLess(name, operator) {
  return ` function ${name}(lower, upper, otherLower, otherUpper) {
  return (upper | 0) == (otherUpper | 0) & lower >>> 0 ${operator} otherLower >>> 0 | upper >>> 0 < otherUpper >>> 0;
 }
`;
}

/** Returns the edits of the source, and the text of the functions that they call. */
export function wideComparisons(tree, source) {
  const edits = [];
  const called = new Set();
  visit(tree);
  return { edits, functions: [...called].map((name) => FUNCTIONS[name]).join('') };

  function visit(node) {
    const found = comparison(node);
    if (found) {
      called.add(found.name);
      edits.push([node.start, node.end, `${found.name}(${found.operands.join(', ')})`]);
      return;
    }
    for (const child of Object.values(node).flat()) if (typeof child?.type === 'string') visit(child);
  }

  /** Returns the function for a comparison, and its operands, if the expression is one. */
  function comparison(node) {
    if (!isBinary(node, '|') || !isBinary(node.left, '&')) return undefined;
    const [equal, lower, upper] = [node.left.left, lesser(node.left.right), lesser(node.right)];
    if (!isBinary(equal, '==') || !lower || !upper || upper.includesEqual) return undefined;
    const halves = [equal.left, equal.right].map(operand).sort();
    const isOfHalves = halves.join() === [upper.less, upper.more].sort().join();
    // A call in an operand could be evaluated in another order, or once instead of twice.
    const operands = [lower.less, upper.less, lower.more, upper.more];
    if (!isOfHalves || operands.some((text) => text.includes('('))) return undefined;
    return { name: lower.includesEqual ? 'isLessOrEqual' : 'isLess', operands };
  }

  /** Returns the operands of a relation, the lesser one first. */
  function lesser(node) {
    const { type, operator } = node;
    if (type !== 'BinaryExpression' || !/^[<>]=?$/.test(operator)) return undefined;
    const operands = [node.left, node.right];
    if (!operands.every(isUnsigned)) return undefined;
    const [less, more] = (operator.startsWith('<') ? operands : operands.reverse()).map(operand);
    return { less, more, includesEqual: operator.endsWith('=') };
  }

  /** Returns an operand without its coercion. */
  function operand(node) {
    const isCoerced = (isBinary(node, '>>>') || isBinary(node, '|')) && node.right.value === 0;
    const { start, end } = isCoerced ? node.left : node;
    return source.slice(start, end);
  }
}

/** Returns whether a relation takes the operand as a number without a sign. */
function isUnsigned(node) {
  if (node.type === 'Literal') return node.value >= 0;
  const isLoad = node.type === 'MemberExpression' && node.object.name === 'HEAPU32';
  return isLoad || (isBinary(node, '>>>') && node.right.value === 0);
}

function isBinary(node, operator) {
  return node.type === 'BinaryExpression' && node.operator === operator;
}
