// Bundles the page of `cargo xtask client-speed --start` as an app does: Vite makes one script of the page and the package, and
// one of each part that the package loads when it is needed.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const folder = fileURLToPath(new URL('.', import.meta.url));
const own = fileURLToPath(new URL('../../../pkg/dist', import.meta.url));

/** Returns the scripts by their paths; the page's own is `/app.js`. `dist` is the folder of a build of the package. */
export async function bundleApp(dist = own) {
  const { output } = await build({
    configFile: false,
    root: folder,
    publicDir: false,
    logLevel: 'warn',
    resolve: { alias: { sealwire: path.join(dist, 'index.js') } },
    build: {
      write: false,
      rolldownOptions: {
        input: path.join(folder, 'app.js'),
        external: ['@forge/bridge'],
        output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
      },
    },
  });
  return new Map(output.map(({ fileName, code }) => [`/${fileName}`, code]));
}
