// Checks whether a kind of user may have a session at all. Other users are refused without a call of authorize().

import { invalid } from '../arguments/invalid.js';
import { ILL_FORMED, isWellFormed } from '../arguments/well-formed.js';
import { byteLength } from '../arguments/names.js';
import type { ForgeContext } from '../context/properties.js';
import { SealwireError } from '../errors/sealwire-error.js';

/** A kind of user without a licence, as in a module's `unlicensedAccess` in manifest.yml. */
export type UnlicensedUser = 'unlicensed' | 'customer' | 'anonymous';

const KINDS: readonly string[] = ['unlicensed', 'customer', 'anonymous'];
/** The accountId that Forge assigns to every user who is not logged in. */
const UNIDENTIFIED = 'unidentified';
const MAX_ACCOUNT_BYTES = 256;

export function checkUnlicensedAccess(given: unknown): ReadonlySet<string> {
  if (given === undefined) return new Set();
  if (Array.isArray(given) && given.every((kind) => KINDS.includes(kind as string))) return new Set(given);
  throw invalid("The option unlicensedAccess must be an array of 'unlicensed', 'customer' and 'anonymous'.");
}

export function checkAccountId(accountId: string): string {
  if (!isWellFormed(accountId)) throw invalid(`The accountId ${ILL_FORMED}`);
  if (accountId !== '' && byteLength(accountId) <= MAX_ACCOUNT_BYTES) return accountId;
  throw invalid(`An accountId is a text of 1 to ${MAX_ACCOUNT_BYTES} bytes.`);
}

/** Returns the account of the user, or undefined if the user is not logged in. */
export function identifiedAccount({ accountId, accountType }: ForgeContext): string | undefined {
  if (typeof accountId !== 'string' || accountId === '' || accountId === UNIDENTIFIED) return undefined;
  return accountType === 'anonymous' ? undefined : checkAccountId(accountId);
}

/** Throws for an account of a kind that is not permitted or not known. */
export function checkAccount(context: ForgeContext, permitted: ReadonlySet<string>): void {
  const { accountType } = context;
  const kind = identifiedAccount(context) === undefined ? 'anonymous' : (accountType ?? 'licensed');
  if (kind === 'licensed' || permitted.has(kind)) return;
  const known = KINDS.includes(kind);
  throw new SealwireError(
    'PERMISSION_MISSING',
    known
      ? `The app has no realtime for users of the kind '${kind}'. To permit them, name the kind in createRealtime({ unlicensedAccess }).`
      : 'The app has no realtime for accounts of this type.',
  );
}
