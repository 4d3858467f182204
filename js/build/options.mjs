// The options of esbuild that all builds of the package share.

import { readFileSync } from 'node:fs';

const manifest = new URL('../../pkg/package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(manifest, 'utf8'));

export const shared = {
  bundle: true,
  // js/src/process-wide.ts uses the version: only loads of the same version share objects.
  define: { SEALWIRE_VERSION: JSON.stringify(version) },
  platform: 'neutral',
  target: 'es2022',
  legalComments: 'none',
  external: ['@forge/*', 'node:*', 'react'],
  logLevel: 'warning',
};
