// Reads the app's manifest.yml, validates it as the platform does, and replaces the relay's address with the local one.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { validate } from '@forge/manifest';
import { parse } from 'yaml';

/** @typedef {import('@forge/manifest').ManifestSchema} Manifest */

/**
 * @param {string} appFolder the app's folder, with a built Custom UI
 * @returns {Promise<Manifest>}
 */
export async function readManifest(appFolder) {
  const problems = (await problemsOf(appFolder)).filter(({ level }) => level === 'error');
  if (problems.length > 0) {
    const lines = problems.map(({ line, message }) => `  line ${line}: ${message}`);
    throw new Error(`Forge would not accept ${path.join(appFolder, 'manifest.yml')}:\n${lines.join('\n')}`);
  }
  return parse(await readFile(path.join(appFolder, 'manifest.yml'), 'utf8'));
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

/**
 * Returns the dashboard gadget that the host shows, with the file and the exported name of its resolver function.
 * @param {Manifest} manifest
 */
export function gadgetOf(manifest) {
  const modules = /** @type {Record<string, any[]>} */ (/** @type {unknown} */ (manifest.modules));
  const gadget = modules['jira:dashboardGadget']?.[0];
  const resource = manifest.resources?.find(({ key }) => key === gadget?.resource);
  const resolver = modules.function?.find(({ key }) => key === gadget?.resolver?.function);
  if (!gadget || !resource || !resolver) {
    throw new Error('The manifest has no jira:dashboardGadget with a resource and a resolver function.');
  }
  const [file, exported] = resolver.handler.split('.');
  return { key: gadget.key, title: gadget.title, folder: resource.path, file, handler: exported };
}
