// Reads the app's manifest.yml, validates it as the platform does, and replaces the relay's address with the local one.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { validate } from '@forge/manifest';
import { parse } from 'yaml';

/** @typedef {import('@forge/manifest').ManifestSchema} Manifest */

/**
 * @param {string} appFolder
 * @returns {Promise<Manifest>}
 */
export const parseManifest = async (appFolder) =>
  parse(await readFile(path.join(appFolder, 'manifest.yml'), 'utf8'));

/**
 * Throws if Forge would not accept the app.
 * @param {string} appFolder the app's folder, with a built Custom UI
 */
export async function validateManifest(appFolder) {
  const problems = (await problemsOf(appFolder)).filter(({ level }) => level === 'error');
  if (problems.length > 0) {
    const lines = problems.map(({ line, message }) => `  line ${line}: ${message}`);
    throw new Error(`Forge would not accept ${path.join(appFolder, 'manifest.yml')}:\n${lines.join('\n')}`);
  }
}

/**
 * Returns the errors and warnings of `@forge/manifest`, which resolves files against the working directory.
 * @param {string} appFolder
 */
export async function problemsOf(appFolder) {
  const before = process.cwd();
  process.chdir(appFolder);
  try {
    return (await validate(false, 'manifest.yml')).errors ?? [];
  } finally {
    process.chdir(before);
  }
}

/**
 * Returns a manifest whose only egress is the local relay. It is derived after the validation, which refuses addresses
 * without TLS.
 * @param {Manifest} manifest
 * @param {{ client: string, backend: string, unsafeEval: boolean }} options origins of the relay, for browsers and for
 * functions; `unsafeEval` lets scripts evaluate code, and WebAssembly compile
 * @returns {Manifest}
 */
export function forLocalRelay(manifest, { client, backend, unsafeEval }) {
  const local = structuredClone(manifest);
  const permissions = (local.permissions ??= {});
  permissions.external = {
    ...permissions.external,
    fetch: { client: [client, client.replace(/^ws/, 'http')], backend: [backend] },
  };
  if (unsafeEval) permissions.content = { ...permissions.content, scripts: ['unsafe-eval'] };
  return local;
}

/** @typedef {{ key: string, title: string, folder: string, place: number }} Gadget */

/**
 * Returns the dashboard gadgets, and the file and the exported name of the resolver function that they share.
 * @param {Manifest} manifest
 * @returns {{ gadgets: Gadget[], resolver: { file: string, handler: string } }} a gadget's `folder` is that of its built page,
 * and `place` its place on a dashboard
 */
export function gadgetsOf(manifest) {
  const modules = /** @type {Record<string, any[]>} */ (/** @type {unknown} */ (manifest.modules));
  const found = modules['jira:dashboardGadget'] ?? [];
  const gadgets = found.flatMap(({ key, title, resource }, place) => {
    const folder = manifest.resources?.find((one) => one.key === resource)?.path;
    return folder ? [{ key, title, folder, place }] : [];
  });
  const [key, ...others] = new Set(found.map(({ resolver }) => resolver?.function));
  const resolver = modules.function?.find((one) => one.key === key);
  if (gadgets.length === 0 || gadgets.length < found.length || others.length > 0 || !resolver) {
    throw new Error(
      'The manifest needs at least one jira:dashboardGadget. Each needs a resource, and all the same resolver function.',
    );
  }
  const [file, handler] = resolver.handler.split('.');
  return { gadgets, resolver: { file, handler } };
}
