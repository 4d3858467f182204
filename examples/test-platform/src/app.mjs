// Builds an app as its developer and the Forge CLI do, and validates its manifest.
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { validate } from '@forge/manifest';

/** An app, and a temporary folder for what is built of it. */
export class App {
  #folder;
  #built;

  /**
   * @param {string} folder the app's folder
   * @param {string} built
   */
  constructor(folder, built) {
    this.#folder = folder;
    this.#built = built;
  }

  /**
   * @param {URL | string} url the app's folder
   * @returns {Promise<App>}
   */
  static async open(url) {
    return new App(fileURLToPath(url), await mkdtemp(path.join(tmpdir(), 'sealwire-example-')));
  }

  /** Removes what was built. */
  close() {
    return rm(this.#built, { recursive: true });
  }

  /** Returns the errors and warnings of Forge's own validation, which resolves files against the working directory. */
  async manifestProblems() {
    const before = process.cwd();
    process.chdir(this.#folder);
    try {
      return (await validate(false, 'manifest.yml')).errors ?? [];
    } finally {
      process.chdir(before);
    }
  }

  /**
   * Bundles the functions into one file, as Forge deploys them, and loads it.
   * @returns {Promise<any>} the exports of `src/index`
   */
  async functions() {
    const outfile = path.join(this.#built, 'index.cjs');
    await esbuild.build({
      entryPoints: [path.join(this.#folder, 'src/index')],
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile,
      logLevel: 'silent',
    });
    // The client of the language model reads the trace of the runtime when it is loaded.
    Object.assign(globalThis, { __forge_runtime__: { tracing: { traceId: '1', spanId: '1' } } });
    try {
      return createRequire(import.meta.url)(outfile);
    } finally {
      Reflect.deleteProperty(globalThis, '__forge_runtime__');
    }
  }

  /**
   * Bundles a page as the app's `build` script does. Returns its files.
   * @param {string} entry
   */
  async bundlePage(entry) {
    const { outputFiles } = await esbuild.build({
      entryPoints: [path.join(this.#folder, entry)],
      bundle: true,
      splitting: true,
      format: 'esm',
      outdir: path.join(this.#built, 'page'),
      write: false,
      logLevel: 'silent',
    });
    return outputFiles.map((file) => path.basename(file.path));
  }

  /** @param {string} file */
  path(file) {
    return path.join(this.#folder, file);
  }
}
