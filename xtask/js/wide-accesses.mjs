// Finds the accesses to memory that wasm2js writes as several narrower ones, and replaces each with a call. after-wasm2js.mjs uses it.
//
// - A word at an address that may not be a multiple of four is read and written as four bytes.
// - A copy of eight bytes, which are one number of 64 bits in WebAssembly, is two reads and two writes of 32 bits, between which the
//   upper half is in a variable. Copies of a structure are runs of them.
//
// The calls read and write the same addresses in the same order.

/** The functions that are called, for the end of the module. */
const FUNCTIONS = {
  loadBytes: ` function loadBytes(at) {
  return HEAPU8[at] | HEAPU8[at + 1 | 0] << 8 | HEAPU8[at + 2 | 0] << 16 | HEAPU8[at + 3 | 0] << 24;
 }
`,
  storeBytes: ` function storeBytes(at, value) {
  HEAP8[at] = value;
  HEAP8[at + 1 | 0] = value >>> 8;
  HEAP8[at + 2 | 0] = value >>> 16;
  HEAP8[at + 3 | 0] = value >>> 24;
 }
`,
  // Copies upwards, or downwards if the number of pairs is negative. Returns the upper half of the last pair.
  copyPairs: ` function copyPairs(to, from, pairs) {
  var sign = pairs < 0 ? -1 : 1, upper = 0;
  for (; pairs; pairs = pairs - sign | 0, to = to + 8 * sign | 0, from = from + 8 * sign | 0) {
   upper = HEAP32[from + 4 >> 2];
   HEAP32[to >> 2] = HEAP32[from >> 2];
   HEAP32[to + 4 >> 2] = upper;
  }
  return upper;
 }
`,
};

/** Returns the edits of the source, and the text of the functions that they call. */
export function wideAccesses(tree) {
  const edits = [];
  const called = new Set();
  visit(tree, (node) => {
    const found = node.type === 'BlockStatement' ? [...stores(node.body), ...copies(node.body)] : [];
    const word = loadedWord(node);
    if (word) found.push([node.start, node.end, 'loadBytes', `loadBytes(${address(word)})`]);
    for (const [start, end, name, text] of found) {
      called.add(name);
      edits.push([start, end, text]);
    }
    return word === undefined;
  });
  return { edits, functions: [...called].map((name) => FUNCTIONS[name]).join('') };
}

/** Finds words that are written as four bytes: the start, the end, the function and the call. */
function* stores(statements) {
  for (let at = 0; at + 3 < statements.length; at += 1) {
    const bytes = statements.slice(at, at + 4).map(storedByte);
    const [first] = bytes;
    const isWord = bytes.every(
      (byte, index) => byte?.shift === 8 * index && byte.value === first.value && follows(byte, first, index),
    );
    if (!isWord) continue;
    const text = `storeBytes(${address(first)}, ${first.value});`;
    yield [statements[at].start, statements[at + 3].end, 'storeBytes', text];
    at += 3;
  }
}

/** Finds copies of eight bytes, in the same form. */
function* copies(statements) {
  for (let at = 0; at + 2 < statements.length; at += 1) {
    const first = copiedPair(statements, at);
    if (!first) continue;
    const [upwards, downwards] = [8, -8].map((step) => run(statements, at, first, step));
    const pairs = Math.max(upwards, downwards);
    const signed = upwards < downwards ? -downwards : upwards;
    const text = `${first.upper} = copyPairs(${address(first.to)}, ${address(first.from)}, ${signed});`;
    const last = at + 3 * pairs - 1;
    yield [statements[at].start, statements[last].end, 'copyPairs', text];
    at = last;
  }
}

/** Returns the number of copies that begin at a statement, each `step` bytes after the one before. */
function run(statements, at, first, step) {
  let pairs = 1;
  for (let next; (next = copiedPair(statements, at + 3 * pairs)); pairs += 1) {
    const isNext =
      next.upper === first.upper &&
      follows(next.to, first.to, step * pairs) &&
      follows(next.from, first.from, step * pairs);
    if (!isNext) break;
  }
  return pairs;
}

/** Returns the copy of eight bytes that begins at a statement. */
function copiedPair(statements, at) {
  const [load, lower, upper] = statements.slice(at, at + 3).map((statement) => assignment(statement));
  if (load?.left.type !== 'Identifier' || !lower || !upper) return undefined;
  const [from, lowerFrom] = [load.right, lower.right].map(wordAt);
  const [to, upperTo] = [lower.left, upper.left].map(wordAt);
  const { name } = load.left;
  const isPair =
    [from, lowerFrom, to, upperTo].every(Boolean) &&
    upper.right.name === name &&
    follows(from, lowerFrom, 4) &&
    follows(upperTo, to, 4) &&
    to.base !== name &&
    lowerFrom.base !== name;
  return isPair ? { upper: name, to, from: lowerFrom } : undefined;
}

/** Visits a node and, if the function returns true, the nodes in it. */
function visit(node, enter) {
  if (!enter(node)) return;
  for (const child of Object.values(node).flat()) if (typeof child?.type === 'string') visit(child, enter);
}

/** Returns the place of the word that an expression reads as four bytes. */
function loadedWord(node) {
  const bytes = terms(node)?.map(loadedByte);
  if (bytes?.length !== 4) return undefined;
  const [first] = bytes;
  return bytes.every((byte, index) => byte?.shift === 8 * index && follows(byte, first, index))
    ? first
    : undefined;
}

/** Returns the terms of a bitwise OR, at most two levels deep. */
function terms(node, depth = 0) {
  if (node.type !== 'BinaryExpression' || node.operator !== '|' || depth > 2) return [node];
  return [...terms(node.left, depth + 1), ...terms(node.right, depth + 1)];
}

function loadedByte(node) {
  const isShifted = node.type === 'BinaryExpression' && node.operator === '<<';
  const place = placeIn(isShifted ? node.left : node, 'HEAPU8');
  return place && { ...place, shift: isShifted ? node.right.value : 0 };
}

function storedByte(statement) {
  const { left, right } = assignment(statement) ?? {};
  const place = left && placeIn(left, 'HEAP8');
  if (!place) return undefined;
  if (right.type === 'Identifier') return { ...place, value: right.name, shift: 0 };
  if (right.operator !== '>>>' || right.left.type !== 'Identifier') return undefined;
  return { ...place, value: right.left.name, shift: right.right.value };
}

function assignment({ type, expression } = {}) {
  const isAssignment = type === 'ExpressionStatement' && expression.type === 'AssignmentExpression';
  return isAssignment && expression.operator === '=' ? expression : undefined;
}

function wordAt(node) {
  return placeIn(node, 'HEAP32');
}

/** Returns the place of an access as the name of a variable and an offset, if it is one to this view. */
function placeIn(node, view) {
  if (node.type !== 'MemberExpression' || node.object.name !== view) return undefined;
  const { type, operator, left, right } = node.property;
  const isAddress = type === 'BinaryExpression' && operator === (view === 'HEAP32' ? '>>' : '|');
  if (!isAddress || right.value !== (view === 'HEAP32' ? 2 : 0)) return undefined;
  if (left.type === 'Identifier') return { base: left.name, offset: 0 };
  const isSum = left.type === 'BinaryExpression' && left.operator === '+' && left.left.type === 'Identifier';
  if (!isSum || left.right.type !== 'Literal') return undefined;
  return { base: left.left.name, offset: left.right.value };
}

/** Returns whether a place is this number of bytes after another. */
function follows(place, first, bytes) {
  return place.base === first.base && place.offset === first.offset + bytes;
}

function address({ base, offset }) {
  return offset === 0 ? base : `${base} + ${offset} | 0`;
}
