// Arranges the functions of a core so that it compresses better. `cargo xtask core` calls it with the file to rewrite: the script of
// a core in plain JavaScript, or a module of WebAssembly.
//
// JavaScript hoists the declarations of functions, so a script is rewritten here. The functions of a module have numbers, which
// binaryen changes: here they get names, and its pass `reorder-functions-by-name` arranges them.
import { readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'acorn';
import { similarOrder } from './similar-order.mjs';

const [, , file] = process.argv;
const content = readFileSync(file);
writeFileSync(file, file.endsWith('.wasm') ? withNames(content) : arranged(content.toString()));

/** Returns the script with the functions of the translated module in the new order. */
function arranged(source) {
  const tree = parse(source, { ecmaVersion: 2022, sourceType: 'module' });
  const functions = mostFunctions(tree, []);
  const texts = functions.map(({ start, end }) => source.slice(start, end));
  let [result, position] = ['', 0];
  similarOrder(texts).forEach((index, place) => {
    const { start, end } = functions[place];
    result += source.slice(position, start) + texts[index];
    position = end;
  });
  return result + source.slice(position);
}

/** Returns the declarations of functions in the list of statements that has most of them. */
function mostFunctions(node, most) {
  const statements = node.type === 'BlockStatement' || node.type === 'Program' ? node.body : [];
  const functions = statements.filter(({ type }) => type === 'FunctionDeclaration');
  const children = Object.values(node).flat();
  return children.reduce(
    (found, child) => (typeof child?.type === 'string' ? mostFunctions(child, found) : found),
    functions.length > most.length ? functions : most,
  );
}

/** Returns the module with a name for each function, whose alphabetical order is the new order. */
function withNames(module) {
  const { imported, bodies } = functionsOf(module);
  const names = similarOrder(bodies).map((index, place) => [
    imported + index,
    String(place).padStart(6, '0'),
  ]);
  names.sort(([one], [other]) => one - other);
  const entries = names.map(([index, name]) => [...leb(index), ...text(name)]);
  const functions = [...leb(entries.length), ...entries.flat()];
  const section = [...text('name'), 1, ...leb(functions.length), ...functions];
  return Buffer.concat([module, Buffer.from([0, ...leb(section.length), ...section])]);
}

/** Returns the number of imported functions, and the bodies of the module's own as texts whose characters are the bytes. */
function functionsOf(module) {
  const { length } = WebAssembly.Module.imports(new WebAssembly.Module(module)).filter(
    ({ kind }) => kind === 'function',
  );
  const bodies = [];
  for (let [at, end] = [8, 0]; at < module.length; at = end) {
    const size = unsigned(module, at + 1);
    end = size.next + size.value;
    if (module[at] !== 10) continue;
    const count = unsigned(module, size.next);
    for (let next = count.next; bodies.length < count.value;) {
      const body = unsigned(module, next);
      next = body.next + body.value;
      bodies.push(module.toString('latin1', body.next, next));
    }
  }
  return { imported: length, bodies };
}

/** Reads a number in LEB128. */
function unsigned(bytes, at) {
  let value = 0;
  for (let [next, shift] = [at, 0]; ; next += 1, shift += 7) {
    value += (bytes[next] & 0x7f) * 2 ** shift;
    if (bytes[next] < 0x80) return { value, next: next + 1 };
  }
}

function leb(number) {
  return number < 0x80 ? [number] : [(number & 0x7f) | 0x80, ...leb(number >>> 7)];
}

function text(name) {
  return [...leb(name.length), ...Buffer.from(name)];
}
