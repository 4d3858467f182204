// The modules and names that the migration replaces, and the kinds of its findings.

/** The module of Forge's pages. Only the names in MOVED have a counterpart in `sealwire`. */
export const BRIDGE = '@forge/bridge';
/** The module of Forge's functions. `sealwire/realtime` has all of its names. */
export const REALTIME = '@forge/realtime';

/** The names that `@forge/bridge` 7.2.0 exports for Forge Realtime, and that `sealwire` exports too. */
export const MOVED: ReadonlySet<string> = new Set([
  'realtime',
  'Jira',
  'Confluence',
  'Bitbucket',
  'SubscriptionOptions',
  'PublishOptions',
  'PublishResult',
]);

/** The kinds of findings, in the order of the report, with their headings. */
export const RULES = [
  ['place', 'Places that were not changed'],
  ['session', 'Sessions'],
  ['overrides', 'Scopes to verify'],
  ['token', 'Channel tokens'],
  ['payload', 'Payloads'],
  ['error', 'Error texts'],
  ['manifest', 'Manifest'],
  ['package', 'Packages'],
] as const;

export type Rule = (typeof RULES)[number][0];
