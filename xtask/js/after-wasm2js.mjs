// Rewrites the output of wasm2js for the package. `cargo xtask core` calls it with the file to rewrite.
//
// 1. Growth replaces the memory: a new buffer with new HEAP views. `HEAP32[f() >> 2]` looks HEAP32 up before it calls
//    f, so it reads the old memory if f makes the memory grow. Such a load becomes `loadHEAP32(f() >> 2)`: JavaScript
//    evaluates the arguments of a function before its body looks the view up. wasm2js itself handles stores; a check
//    here proves it.
// 2. The file exports `instantiate()` instead of the names of the instance. The module is a function that is called where it is
//    written, since V8 compiles such a function while it parses the file. It parses any other function twice.
// 3. wasm-opt has shortened the name of the imported module, which is the glue beside this file.
// 4. The data of the module is text whose characters are the bytes. wasm2js writes base64, in which gzip finds no words.
// 5. A rotation is two shifts, of which JavaScript takes the distance modulo 32. wasm2js masks the distance and the value first,
//    and AES rotates so often that a message took a fifth longer.
// 6. An access to more bytes than wasm2js can address at once, and a comparison of 64 bits, become calls (wide-accesses.mjs,
//    wide-comparisons.mjs), which makes the script a sixth smaller.
import { readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'acorn';
import { wideAccesses } from './wide-accesses.mjs';
import { wideComparisons } from './wide-comparisons.mjs';

const [, , file] = process.argv;
const source = readFileSync(file, 'utf8');
const tree = parse(source, { ecmaVersion: 2022, sourceType: 'module' });

const edits = []; // [start, end, text], none inside another
const loaders = new Set();
const wide = [wideAccesses(tree), wideComparisons(tree, source)];
edits.push(...wide.flatMap((found) => found.edits));

walk(tree, undefined);
exportInstance();
importGlue();
dataAsText();
rotateByShifts();
writeFileSync(file, apply(source, edits));

/** Visits every node. The parent distinguishes a load from the target of a store. */
function walk(node, parent) {
  if (isHeapAccess(node) && mayGrow(node.property)) {
    if (parent.type === 'AssignmentExpression' && parent.left === node) {
      throw new Error(`a store whose address may grow the memory: ${source.slice(parent.start, parent.end)}`);
    }
    const view = node.object.name;
    loaders.add(view);
    edits.push([node.object.start, node.property.start, `load${view}(`], [node.property.end, node.end, ')']);
  }
  if (node.type === 'AssignmentExpression' && isHeapAccess(node.left) && mayGrow(node.right)) {
    throw new Error(`a store whose value may grow the memory: ${source.slice(node.start, node.end)}`);
  }
  for (const child of children(node)) walk(child, node);
}

function isHeapAccess(node) {
  return node.type === 'MemberExpression' && node.computed && /^HEAPU?F?\d+$/.test(node.object.name ?? '');
}

/** Returns true if the expression contains a call that may grow the memory: any call except those of Math. */
function mayGrow(node) {
  if (node.type === 'CallExpression' && !/^Math_/.test(node.callee.name ?? '')) return true;
  return children(node).some(mayGrow);
}

function children(node) {
  return Object.values(node)
    .flat()
    .filter((value) => typeof value?.type === 'string');
}

/** Calls the module where it is written, and replaces the exports at the end of the file with a function. */
function exportInstance() {
  const start = tree.body.findIndex(
    (statement) =>
      statement.type === 'VariableDeclaration' && statement.declarations[0].id.name === 'retasmFunc',
  );
  if (start < 0) throw new Error('wasm2js no longer ends with `var retasmFunc = …`');
  const { arguments: imports } = tree.body[start].declarations[0].init;
  const given = source.slice(imports[0].start, imports[0].end);
  const module = moduleFunction();
  edits.push([module.start, module.start, 'const instance = (']);
  edits.push([module.end, module.end, `)(${given});\n`]);
  const instantiate = 'export function instantiate() {\n return instance;\n}\n';
  edits.push([tree.body[start].start, tree.body.at(-1).end, instantiate]);

  const { body } = module;
  const functions = [...loaders].map(
    (view) => ` function load${view}(index) {\n  return ${view}[index];\n }\n`,
  );
  edits.push([body.end - 1, body.end - 1, [...functions, ...wide.map((found) => found.functions)].join('')]);
}

/** Imports the glue, the only module that the code may import, from its file. */
function importGlue() {
  const imports = tree.body.filter(({ type }) => type === 'ImportDeclaration');
  if (imports.length > 1) throw new Error('wasm2js imports another module than the glue');
  for (const { source: glue } of imports) edits.push([glue.start, glue.end, "'./core_bg.js'"]);
}

/** Replaces the decoder of base64, and each call of it, whose arguments are the memory, an address and a text in base64. */
function dataAsText() {
  const write = 'base64DecodeToExistingUint8Array';
  const isDecoder = ({ type, id }) => type === 'FunctionDeclaration' && id.name === write;
  const decoder = tree.body.findIndex(isDecoder);
  if (decoder < 0) return;
  // The table of the decoder precedes it: a declaration, a loop and two assignments.
  const table = tree.body.slice(decoder - 4, decoder);
  if (table[0].declarations?.[0].id.name !== 'base64ReverseLookup') {
    throw new Error('wasm2js no longer writes the table of its decoder before it');
  }
  const writer = `function ${write}(memory, address, text) {
  for (let at = 0; at < text.length; at++) memory[address + at] = text.charCodeAt(at);
}`;
  edits.push([table[0].start, tree.body[decoder].end, writer]);
  const { body } = tree.body.find(({ id }) => id?.name === 'initActiveSegments').body;
  for (const { expression } of body) {
    const { callee, arguments: given } = expression;
    if (callee.name !== write || given.length !== 3) throw new Error('wasm2js writes data in another way');
    const text = Buffer.from(given[2].value, 'base64').toString('latin1');
    edits.push([given[2].start, given[2].end, JSON.stringify(text)]);
  }
}

/** Replaces the bodies of the two functions that rotate their first argument by the second one. */
function rotateByShifts() {
  for (const [name, towards, back] of [
    ['__wasm_rotl_i32', '<<', '>>>'],
    ['__wasm_rotr_i32', '>>>', '<<'],
  ]) {
    const rotation = moduleFunction().body.body.find(({ id }) => id?.name === name);
    // A module without rotations, such as one of the tests, lacks the function.
    if (!rotation) continue;
    const [value, distance] = rotation.params.map((parameter) => parameter.name);
    const rotated = `${value} ${towards} ${distance} | ${value} ${back} -${distance}`;
    edits.push([rotation.body.start, rotation.body.end, `{\n  return ${rotated};\n }`]);
  }
}

function moduleFunction() {
  return tree.body.find(({ id }) => id?.name === 'asmFunc');
}

function apply(text, changes) {
  let result = '';
  let position = 0;
  for (const [start, end, replacement] of changes.sort((a, b) => a[0] - b[0])) {
    result += text.slice(position, start) + replacement;
    position = end;
  }
  return result + text.slice(position);
}
