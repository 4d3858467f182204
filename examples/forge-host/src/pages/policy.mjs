// Computes the Content-Security-Policy of a Custom UI from the app's manifest with the platform's own code.
import { createRequire } from 'node:module';
import { CSPInjectionService, CSPProcessingService } from '@forge/csp';

// `@forge/csp` needs the CommonJS build of cheerio.
/** @type {typeof import('cheerio', { with: { 'resolution-mode': 'require' } })} */
const { load } = createRequire(import.meta.url)('cheerio');

const REPORTS = '/csp-report';

/**
 * @param {string} html the entry page of the Custom UI
 * @param {import('../app/manifest.mjs').Manifest} manifest
 * @param {string} hostOrigin the origin of the page with the iframe, which replaces the customer's site
 * @returns {string}
 */
export function contentSecurityPolicy(html, manifest, hostOrigin) {
  const processing = new CSPProcessingService({ info() {} }, load);
  const existingCSPDetails = processing.getCspDetails(html, withPlainAddresses(manifest.permissions ?? {}));
  return new CSPInjectionService()
    .getInjectableCSP({ existingCSPDetails, microsEnv: 'prod', hostname: hostOrigin })
    .filter((directive) => !directive.startsWith('report-uri '))
    .concat(`report-uri ${REPORTS}`)
    .join('; ');
}

/**
 * Replaces address objects by strings, because `@forge/csp` accepts only strings.
 * @param {import('@forge/manifest').Permissions} permissions
 */
function withPlainAddresses(permissions) {
  const client = permissions.external?.fetch?.client?.map((entry) =>
    typeof entry === 'object' && 'address' in entry ? entry.address : entry,
  );
  return {
    ...permissions,
    external: { ...permissions.external, fetch: { ...permissions.external?.fetch, client } },
  };
}
