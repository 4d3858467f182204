// Builds an app as its developer and the Forge CLI do: the Custom UI by Vite, the functions by webpack. Builds the counter.
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import webpack from 'webpack';

/**
 * Builds the gadgets with the app's own Vite and configuration, as the app's build script does.
 * @param {string} appFolder
 * @param {import('./manifest.mjs').Gadget[]} gadgets
 * @param {{ unsafeEval: boolean }} options `unsafeEval`: the app uses WebAssembly, which its manifest permits
 */
export async function buildCustomUi(appFolder, gadgets, { unsafeEval }) {
  process.env.VITE_SEALWIRE_CORE = unsafeEval ? 'wasm' : '';
  process.env.VITE_SEALWIRE_DEVTOOLS = '1';
  const vite = await viteOf(appFolder);
  const configFile = path.join(appFolder, 'vite.config.mjs');
  for (const { folder } of gadgets) {
    await vite.build({ configFile, root: path.join(appFolder, path.dirname(folder)), logLevel: 'warn' });
  }
}

/**
 * Builds the page that counts messages, with the app's Vite.
 * @param {string} appFolder
 * @param {string} outputFolder
 */
export async function buildCounter(appFolder, outputFolder) {
  const vite = await viteOf(appFolder);
  await vite.build({
    configFile: false,
    root: fileURLToPath(new URL('../../counter', import.meta.url)),
    base: './',
    logLevel: 'warn',
    build: {
      outDir: outputFolder,
      emptyOutDir: true,
      modulePreload: { polyfill: false },
      // Each build of Sealwire's core is one large file, of which a page loads one.
      chunkSizeWarningLimit: 600,
    },
  });
}

/** @param {string} appFolder */
async function viteOf(appFolder) {
  const fromApp = createRequire(path.join(appFolder, 'package.json'));
  return import(pathToFileURL(fromApp.resolve('vite')).href);
}

/**
 * Bundles the functions with the settings of `@forge/bundler` for the Node runtime, except for babel.
 * @param {string} appFolder
 * @param {string} file a file in src/, without its extension
 * @param {string} outputFolder
 * @returns {Promise<string>} the bundle, a CommonJS module
 */
export async function bundleFunctions(appFolder, file, outputFolder) {
  await mkdir(outputFolder, { recursive: true });
  const compiler = webpack({
    context: appFolder,
    entry: { [file]: path.join(appFolder, 'src', file) },
    mode: 'production',
    target: 'node18',
    devtool: 'source-map',
    optimization: { minimize: false },
    output: {
      libraryTarget: 'commonjs',
      globalObject: 'this',
      filename: '[name].cjs',
      path: outputFolder,
    },
    node: { __dirname: true },
    performance: false,
    resolve: { extensions: ['.ts', '.tsx', '.js', '.jsx', '.json', '.cjs'] },
    module: { rules: [{ test: /\.m?js$/, resolve: { fullySpecified: false } }] },
  });
  if (!compiler) throw new Error('webpack did not accept its configuration.');

  const stats = await new Promise((resolve, reject) => {
    compiler.run((error, result) => (error ? reject(error) : resolve(result)));
  });
  await new Promise((resolve) => compiler.close(resolve));
  const { errors = [] } = stats.toJson({ all: false, errors: true });
  if (errors.length > 0) {
    const messages = errors.map((/** @type {{ message: string }} */ { message }) => message);
    throw new Error(`The app's functions could not be bundled:\n${messages.join('\n')}`);
  }
  return path.join(outputFolder, `${file}.cjs`);
}
