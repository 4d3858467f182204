// Bundles the pages of the React tests once for each version of React that the hooks support.
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(import.meta.url);
/** The other packages of this repository have the oldest version, and these tests the newest. */
const SOURCES = { 18: new URL('../../../package.json', import.meta.url), 19: import.meta.url };

export const REACTS = Object.keys(SOURCES);

const PAGES = ['react', 'react-scripted'];

/** `/react-18.js`, `/react-scripted-18.js` and their like, to text. */
export async function reactPages() {
  const pages = new Map();
  for (const [version, from] of Object.entries(SOURCES)) {
    const require = createRequire(from);
    const folder = (name) => path.dirname(require.resolve(`${name}/package.json`));
    const found = require('react/package.json').version;
    if (!found.startsWith(`${version}.`))
      throw new Error(`React ${found} is where React ${version} should be`);
    const { outputFiles } = await build({
      entryPoints: Object.fromEntries(
        PAGES.map((page) => [`${page}-${version}`, path.resolve(path.dirname(here), `../page/${page}.jsx`)]),
      ),
      bundle: true,
      format: 'esm',
      splitting: true,
      outdir: '/',
      write: false,
      jsx: 'automatic',
      alias: { react: folder('react'), 'react-dom': folder('react-dom') },
      // React checks its StrictMode in development only.
      define: { 'process.env.NODE_ENV': '"development"' },
      external: ['@forge/bridge'],
    });
    for (const file of outputFiles) pages.set(file.path, file.text);
  }
  return pages;
}
