// Names the installation of an invocation: one environment of the app on one site. Tokens, channels and keys contain the name,
// so the development and production environments of an app are as separate as two apps.

import { invalid } from '../arguments/invalid.js';
import { byteLength } from '../arguments/names.js';
import { ILL_FORMED, isWellFormed } from '../arguments/well-formed.js';
import { fieldOf, type ForgeContext } from '../context/properties.js';
import { forgePlatform } from './platform.js';

const MAX_BYTES = 256;
const ARI = 'ari:cloud:ecosystem::installation/';

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function checked(installation: string): string {
  if (!isWellFormed(installation)) throw invalid(`The context's installContext ${ILL_FORMED}`);
  const bytes = byteLength(installation);
  if (bytes <= MAX_BYTES) return installation;
  throw invalid(
    `The context's installContext is too long: with the environment it has ${bytes} bytes of ${MAX_BYTES}.`,
  );
}

function siteOf(site: unknown): string {
  const found = text(site);
  if (found !== undefined) return found;
  throw invalid(
    'The context has no installContext, so the installation is unknown. Pass the context that Forge gave.',
  );
}

/**
 * Returns the name of the installation. In Forge, it depends on the runtime alone, so that all functions of the installation
 * use the same name. Elsewhere, it depends on the context and the option `environment`. A server of the app's own needs no
 * environment: its `app` and its store of secrets belong to one environment.
 */
export function installationOf(
  context: ForgeContext,
  environment?: string,
  isOwnServer: () => boolean = () => false,
): string {
  const platform = forgePlatform();
  if (platform) {
    const { installationId, environmentId } = platform;
    if (installationId === undefined && environmentId === undefined) {
      throw invalid(
        'The Forge runtime does not say which environment this is: its appContext has neither environmentId nor ' +
          'installationId. Redeploy the app on the current Node runtime of Forge.',
      );
    }
    const installation =
      installationId === undefined
        ? siteOf(context.installContext ?? platform.contextAri)
        : ARI + installationId;
    return checked(environmentId === undefined ? installation : `${installation}#${environmentId}`);
  }
  const named = text(context.environmentId) ?? environment;
  if (named !== undefined) return checked(`${siteOf(context.installContext)}#${named}`);
  const installationId = text(fieldOf(context, 'installation', 'ari', 'installationId'));
  if (installationId !== undefined) return checked(ARI + installationId);
  const site = siteOf(context.installContext);
  if (isOwnServer()) return checked(site);
  throw invalid(
    'The environment of the app is unknown: there is no Forge runtime, and the context has no environmentId. Outside ' +
      "of Forge, pass createRealtime({ environment: 'development' }), or all of app, signingKey and secrets.",
  );
}
