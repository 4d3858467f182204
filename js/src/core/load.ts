// Chooses the build of the core and loads it. Each build is a separate chunk, so a page downloads only one.

import { messageOf } from '../errors/failure-of.js';
import { SealwireError } from '../errors/sealwire-error.js';
import type { CoreKind, CoreModule } from './browser-core.js';
import { canDecompress, isForgePage, wasmAllowed } from './probe.js';

export interface LoadedCore {
  kind: CoreKind;
  module: CoreModule;
}

/** The functions that load the builds. Tests replace them. */
export interface CoreSources {
  wasm(): Promise<CoreModule>;
  js(): Promise<CoreModule>;
}

const sources: CoreSources = {
  wasm: async () => (await import('../generated/core-wasm.js')).load(),
  js: async () => (await import('../generated/core-js.js')).load(),
};

/** Says why a build could not be loaded. The browser's own error names the address of a missing chunk. */
function failureReason(kind: CoreKind, cause: unknown): string {
  const reason = `: ${messageOf(cause).replace(/[.\s]+$/, '')}.`;
  if (kind !== 'wasm') return reason;
  if (isForgePage()) {
    return `${reason} Forge's policy forbids WebAssembly unless manifest.yml has unsafe-eval under permissions.content.scripts; omit the option core.`;
  }
  if (!canDecompress()) return `${reason} The browser has no DecompressionStream; omit the option core.`;
  return wasmAllowed() ? reason : `${reason} The page forbids WebAssembly.`;
}

async function loadKind(kind: CoreKind, from: CoreSources): Promise<LoadedCore> {
  try {
    return { kind, module: await from[kind]() };
  } catch (cause) {
    const message = `The ${kind} build of the realtime core could not be loaded${failureReason(kind, cause)}`;
    throw new SealwireError('UNREACHABLE', message, { cause });
  }
}

/** Loads the build `forced`, or else WebAssembly if the page allows it and plain JavaScript if not. */
export async function loadCore(forced?: CoreKind, from: CoreSources = sources): Promise<LoadedCore> {
  if (forced) return loadKind(forced, from);
  if (!wasmAllowed()) return loadKind('js', from);
  // A page that allows the empty module may still refuse a real one, for example for lack of memory.
  return loadKind('wasm', from).catch(() => loadKind('js', from));
}
