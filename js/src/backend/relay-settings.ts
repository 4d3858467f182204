// The relay's address, the app's id and its signing key for the context of an invocation: values, variables, or functions of
// the app. A function that fails leaves the call without a relay.

import { invalid, kindOf } from '../arguments/invalid.js';
import type { ForgeContext } from '../context/properties.js';
import { messageOf } from '../errors/failure-of.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { UNASKED, type Deadline } from './deadline.js';
import type { RelaySetting } from './options.js';
import { readSettings, type Settings, type SettingName } from './settings.js';

export interface RelaySettings {
  url?: RelaySetting | undefined;
  app?: RelaySetting | undefined;
  signingKey?: RelaySetting | undefined;
}

/** The settings of one invocation, which the app's functions may not have returned yet. */
export interface PendingSettings {
  settings: Promise<Settings>;
  /** The options whose functions have not answered. */
  pending: ReadonlySet<SettingName>;
}

const EXPECTED: ReadonlyMap<SettingName, string> = new Map([
  ['url', 'an address such as wss://relay.example'],
  ['app', "the app's id at the relay"],
  ['signingKey', 'a text of the form <key id>.<secret>'],
]);

/** Returns the error of a function that threw. An error of `signingKey` may contain the key, so nothing of it is repeated. */
function failed(option: SettingName, thrown: unknown): SealwireError {
  const what = `The function of the option ${option} failed`;
  if (option === 'signingKey') {
    const hint = 'Its error is not repeated here, because it may contain the key; catch it in the function.';
    return new SealwireError('SESSION_UNAVAILABLE', `${what}. ${hint}`);
  }
  return new SealwireError('SESSION_UNAVAILABLE', `${what}: ${messageOf(thrown)}`, { cause: thrown });
}

async function valueOf(
  option: SettingName,
  setting: RelaySetting | undefined,
  context: ForgeContext,
  pending: Set<SettingName>,
): Promise<string | undefined> {
  if (typeof setting !== 'function') return setting;
  pending.add(option);
  let value: unknown;
  try {
    value = await setting(context);
  } catch (thrown) {
    throw failed(option, thrown);
  } finally {
    pending.delete(option);
  }
  if (typeof value === 'string' && value !== '') return value;
  const returned = value === '' ? 'an empty text' : kindOf(value);
  throw invalid(
    `The function of the option ${option} must return ${EXPECTED.get(option)} for every context, not ${returned}.`,
  );
}

/**
 * Returns a function that reads the settings for a context. Settings without functions are read once, at the first use, so
 * that importing the package needs none of them.
 */
export function relaySettings({
  url,
  app,
  signingKey,
}: RelaySettings): (context: ForgeContext) => PendingSettings {
  const given = [
    ['url', url],
    ['app', app],
    ['signingKey', signingKey],
  ] as const;
  const dynamic = new Set(given.flatMap(([name, setting]) => (typeof setting === 'function' ? [name] : [])));
  const read = async (context: ForgeContext, pending: Set<SettingName>): Promise<Settings> => {
    const [ofUrl, ofApp, ofKey] = await Promise.all([
      valueOf('url', url, context, pending),
      valueOf('app', app, context, pending),
      valueOf('signingKey', signingKey, context, pending),
    ]);
    return readSettings({ url: ofUrl, app: ofApp, signingKey: ofKey }, dynamic);
  };
  let fixed: Settings | undefined;
  return (context) => {
    const pending = new Set<SettingName>();
    if (fixed) return { settings: Promise.resolve(fixed), pending };
    const settings = read(context, pending);
    if (dynamic.size === 0) settings.then((value) => (fixed = value)).catch(() => {});
    return { settings, pending };
  };
}

/** Resolves with the settings, or rejects at the deadline with an error that names the slow functions. */
export function settingsWithin(
  deadline: Deadline,
  { settings, pending }: PendingSettings,
): Promise<Settings> {
  return deadline.within(settings, () => {
    const slow = [...pending].join(' and ');
    const s = pending.size > 1 ? 's' : '';
    const message = `The function${s} of the option${s} ${slow} returned nothing ${deadline.text}. ${UNASKED}`;
    return new SealwireError('SESSION_UNAVAILABLE', message);
  });
}
