// Bundles the pages of the React tests once for each version of React that the hooks support.
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(import.meta.url);
/** The packages from which each version is resolved: the workspace has the oldest version, and these tests the newest. */
const SOURCES = { 18: new URL('../../../package.json', import.meta.url), 19: import.meta.url };

export const REACTS = Object.keys(SOURCES);

const PAGES = ['react', 'react-scripted'];

/** Bundles the pages. Returns a map from paths such as `/react-18.js` and `/react-scripted-18.js` to their text. */
export async function reactPages() {
  const pages = new Map();
  for (const [version, from] of Object.entries(SOURCES)) {
    const require = createRequire(from);
    const folder = (name) => path.dirname(require.resolve(`${name}/package.json`));
    const found = require('react/package.json').version;
    if (!found.startsWith(`${version}.`))
      throw new Error(`found React ${found} instead of React ${version}; run npm ci`);
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
      // StrictMode checks components in development builds only.
      define: { 'process.env.NODE_ENV': '"development"' },
      external: ['@forge/bridge'],
    });
    for (const file of outputFiles) pages.set(file.path, file.text);
  }
  return pages;
}
