// Reads and checks the relay's address, the app's id and its signing key: options, or the app's Forge variables.

import { invalid } from '../arguments/invalid.js';
import { byteLength } from '../arguments/names.js';
import { ILL_FORMED, isWellFormed } from '../arguments/well-formed.js';

const SOCKET_PATH = '/v1/realtime';
const PUBLISH_PATH = '/v1/publish';
const DISCONNECT_PATH = '/v1/disconnect';
const MAX_APP_BYTES = 128;

export interface RelayAddress {
  /** The address that pages connect to. */
  socketUrl: string;
  /** The addresses that resolvers post to. */
  publishUrl: string;
  disconnectUrl: string;
}

/** The name of an option. */
export type SettingName = 'url' | 'app' | 'signingKey';

/** Returns the relay's addresses. `text` is its origin or whole WebSocket address, with a ws or http scheme. */
export function relayAddress(text: string, named = 'SEALWIRE_URL (the option url)'): RelayAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid(`${named} is not a URL. It looks like wss://relay.example.`);
  }
  const schemes = new Map([
    ['wss:', 's'],
    ['https:', 's'],
    ['ws:', ''],
    ['http:', ''],
  ]);
  const secure = schemes.get(url.protocol);
  if (secure === undefined) {
    throw invalid(`${named} has the scheme ${url.protocol} It must be wss, or ws for a local relay.`);
  }
  if (url.username || url.password || url.search || url.hash) {
    throw invalid(`${named} must consist of scheme, host and path only.`);
  }
  let prefix = url.pathname.replace(/\/+$/, '');
  if (prefix.endsWith(SOCKET_PATH)) prefix = prefix.slice(0, -SOCKET_PATH.length);
  return {
    socketUrl: `ws${secure}://${url.host}${prefix}${SOCKET_PATH}`,
    publishUrl: `http${secure}://${url.host}${prefix}${PUBLISH_PATH}`,
    disconnectUrl: `http${secure}://${url.host}${prefix}${DISCONNECT_PATH}`,
  };
}

function required(option: string, variable: string, given: string | undefined): string {
  const value = given ?? process.env[variable];
  if (typeof value === 'string' && value !== '') return value;
  const set = `forge variables set${variable === 'SEALWIRE_SIGNING_KEY' ? ' --encrypt' : ''} ${variable} <value>`;
  throw invalid(
    `${variable} is not set. Run \`${set}\` and deploy again; under \`forge tunnel\`, set FORGE_USER_VAR_${variable} in ` +
      `the shell that runs it. Elsewhere, pass createRealtime({ ${option} }).`,
  );
}

/** Returns the value of the variable SEALWIRE_BLIND_NAMES; false without it. A browser, in which tests run, has no variables. */
export function blindNamesByVariable(): boolean {
  const { process } = globalThis as { process?: { env: Record<string, string | undefined> } };
  const value = process?.env['SEALWIRE_BLIND_NAMES'] ?? 'false';
  if (value === 'true' || value === 'false') return value === 'true';
  throw invalid('SEALWIRE_BLIND_NAMES (the option blindNames) must be true or false.');
}

export interface Settings extends RelayAddress {
  app: string;
  signingKey: string;
}

export interface SettingsSource {
  url?: string | undefined;
  app?: string | undefined;
  signingKey?: string | undefined;
}

/** Reads the settings. `computed` names those that a function of the app returned, for errors. */
export function readSettings(
  source: SettingsSource,
  computed: ReadonlySet<SettingName> = new Set(),
): Settings {
  const named = (option: SettingName, variable: string): string =>
    computed.has(option) ? `The result of the option ${option}` : `${variable} (the option ${option})`;
  const app = required('app', 'SEALWIRE_APP', source.app);
  if (!isWellFormed(app)) throw invalid(`${named('app', 'SEALWIRE_APP')} ${ILL_FORMED}`);
  if (byteLength(app) > MAX_APP_BYTES) {
    throw invalid(`${named('app', 'SEALWIRE_APP')} is longer than ${MAX_APP_BYTES} bytes.`);
  }
  const signingKey = required('signingKey', 'SEALWIRE_SIGNING_KEY', source.signingKey);
  if (!/^[^.\s]{1,64}\.[A-Za-z0-9_-]+$/.test(signingKey)) {
    const what = named('signingKey', 'SEALWIRE_SIGNING_KEY');
    throw invalid(`${what} is not of the form <key id>.<secret>.`);
  }
  const url = required('url', 'SEALWIRE_URL', source.url);
  return { ...relayAddress(url, named('url', 'SEALWIRE_URL')), app, signingKey };
}
