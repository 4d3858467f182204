// Prints the imports and functions of TypeScript and JavaScript files as JSON. `cargo xtask check` passes the files,
// one path a line, on standard input.
import { readFileSync } from 'node:fs';
import ts from 'typescript';

const files = readFileSync(0, 'utf8').split('\n').filter(Boolean);
console.log(JSON.stringify(Object.fromEntries(files.map((file) => [file, structure(file)]))));

/** The imports (type-only and dynamic ones included) and the functions with their length in lines. */
function structure(file) {
  const text = readFileSync(file, 'utf8');
  const { importedFiles } = ts.preProcessFile(text, true, true);
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const functions = [];
  visit(source);
  return { imports: importedFiles.map(({ fileName }) => fileName), functions };

  function visit(node) {
    if (ts.isFunctionLike(node) && node.body && !isGroupOfTests(node)) {
      const line = lineOf(node.getStart(source));
      functions.push({ name: nameOf(node), line, lines: lineOf(node.end) + 1 - line });
    }
    ts.forEachChild(node, visit);
  }

  function lineOf(position) {
    return source.getLineAndCharacterOfPosition(position).line + 1;
  }
}

/** A function is named after itself, or after the variable, property or call that it is given to. */
function nameOf({ name, parent }) {
  if (name) return name.getText();
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)) return parent.name.getText();
  if (ts.isCallExpression(parent)) return `${parent.expression.getText().slice(0, 40)}(…)`;
  return 'a function';
}

/** The callback of `describe` holds tests, which are functions themselves. */
function isGroupOfTests({ parent }) {
  return ts.isCallExpression(parent) && /^(describe|suite)\b/.test(parent.expression.getText());
}
