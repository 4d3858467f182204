// Builds the app of docs/getting-started.md by its written steps: its files, its manifest, and the packages of its npm commands.
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';

import { transformSync } from 'esbuild';
import { parse, stringify } from 'yaml';

import { project, root } from './project.mjs';
import { blocks, installs, readme } from './readme.mjs';

const text = readme('docs/getting-started.md');

/** Returns the part of the page below a heading. */
function section(heading) {
  const [, part] = text.split(`\n## ${heading}\n`);
  assert.ok(part, `docs/getting-started.md has no section "${heading}"`);
  return part.split('\n## ')[0];
}

/** Returns the code of a file: the first block after its name. */
function fileIn(part, name) {
  const [, after] = part.split(`\`${name}\``);
  const [, code] = /^```\w+\n([\s\S]*?)^```$/m.exec(after ?? '') ?? [];
  assert.ok(code, `docs/getting-started.md has no code of ${name}`);
  return code;
}

const only = (found) => {
  assert.equal(found.length, 1);
  return found[0];
};

/** Returns the packages of the npm commands of a section, without options and versions. */
const packagesOf = (part) =>
  installs(part).map((words) =>
    words.filter((word) => !word.startsWith('-')).map((word) => word.replace(/(.)@.*$/, '$1')),
  );

/** Removes the types, as the page says for JavaScript. */
const withoutTypes = (code, loader) => transformSync(code, { loader, jsx: 'preserve' }).code;

/** The manifest of step 3, with the id that `forge register` writes, the lines of step 7, and those of another step 3. */
function manifest(changes = {}) {
  const [step3] = blocks(section('3. Manifest'), 'yaml');
  const app = parse(step3.replace('app/…', 'app/5e1c9d0a-3f57-4a1b-8a44-6f0f5f8f7b22'));
  const { permissions } = parse(only(blocks(section('7. Deploy'), 'yaml')));
  return { ...app, ...changes, permissions: { ...app.permissions, ...permissions } };
}

const functions = (extension) => ({
  [`src/index.${extension}`]: fileIn(section('4. Resolver'), 'src/index.js'),
});

function customUi(typed) {
  const part = section('5. Page');
  const html = fileIn(part, 'static/notes/index.html');
  const script = fileIn(part, 'static/notes/main.ts');
  const page = typed
    ? { 'static/notes/main.ts': script, 'static/notes/index.html': html }
    : {
        'static/notes/main.js': withoutTypes(script, 'ts'),
        'static/notes/index.html': html.replace('main.ts', 'main.js'),
      };
  const config = fileIn(part, 'static/notes/vite.config.mjs');
  return { files: { ...page, 'static/notes/vite.config.mjs': config }, changes: {} };
}

function uiKit(typed) {
  const part = section('With UI Kit');
  const code = fileIn(part, 'src/frontend/index.tsx');
  const { resources, ...changes } = parse(only(blocks(part, 'yaml')));
  const files = typed
    ? { 'src/frontend/index.tsx': code, 'tsconfig.json': only(blocks(part, 'json')) }
    : { 'src/frontend/index.jsx': withoutTypes(code, 'tsx') };
  const [resource] = resources;
  const named = typed ? resource : { ...resource, path: resource.path.replace(/tsx$/, 'jsx') };
  return { files, changes: { ...changes, resources: [named] } };
}

/** The command that builds the page of Custom UI, as step 6 has it. */
export const viteCommand = /^ {4}(\(cd static\/notes && npx vite build\))$/m.exec(
  section('6. Two gadgets that update each other'),
)?.[1];

/** Creates the app in a temporary folder, and returns the folder. */
export function writtenApp(t, { kit, typed }) {
  const { files, changes } = kit ? uiKit(typed) : customUi(typed);
  const [ofFunctions, ofPage = [], forPage = []] = packagesOf(
    section(kit ? 'With UI Kit' : '1. Install the package'),
  );
  const packages = kit ? [...ofFunctions, ...(typed ? ofPage : [])] : ofFunctions;
  const folder = project(t, {
    files: { ...files, ...functions(typed ? 'ts' : 'js'), 'manifest.yml': stringify(manifest(changes)) },
    packages: packages.filter((name) => name !== 'sealwire'),
  });
  assert.ok(packages.includes('sealwire'));
  if (!kit) {
    assert.ok(ofPage.includes('sealwire'));
    for (const name of [...ofPage.filter((name) => name !== 'sealwire'), ...forPage])
      linkInPage(folder, name);
  }
  return folder;
}

/** Links a package, and its command, into the folder of the page. */
function linkInPage(folder, name) {
  const modules = path.join(folder, 'static/notes/node_modules');
  const link = (from) => {
    const target = path.join(modules, from);
    mkdirSync(path.dirname(target), { recursive: true });
    symlinkSync(path.join(root, 'node_modules', from), target);
  };
  link(name);
  if (name === 'vite') link('.bin/vite');
}
