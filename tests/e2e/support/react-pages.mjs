// Bundles the page of the React tests once for each version of React that the hooks support.
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(import.meta.url);
/** The other packages of this repository have the oldest version, and these tests the newest. */
const SOURCES = { 18: new URL('../../../package.json', import.meta.url), 19: import.meta.url };

export const REACTS = Object.keys(SOURCES);

/** `/react-18.js` and its like, to text. */
export async function reactPages() {
  const pages = new Map();
  for (const [version, from] of Object.entries(SOURCES)) {
    const require = createRequire(from);
    const folder = (name) => path.dirname(require.resolve(`${name}/package.json`));
    const found = require('react/package.json').version;
    if (!found.startsWith(`${version}.`))
      throw new Error(`React ${found} is where React ${version} should be`);
    const { outputFiles } = await build({
      entryPoints: { [`react-${version}`]: path.resolve(path.dirname(here), '../page/react.jsx') },
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
