// The accounts that work on an issue, in the installation's Forge storage. Each account has its own key, so concurrent writes
// never overwrite each other.
import { kvs, WhereConditions } from '@forge/kvs';

const PAGE = 100;

/** Returns the accounts that work on the issue. */
export async function list(issue: string): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const query = kvs
      .query()
      .where('key', WhereConditions.beginsWith(prefix(issue)))
      .limit(PAGE);
    const page = await (cursor ? query.cursor(cursor) : query).getMany<{ accountId: string }>();
    found.push(...page.results.map(({ value }) => value.accountId));
    cursor = page.nextCursor;
  } while (cursor);
  return found;
}

/** Stores whether an account works on the issue. */
export async function set(issue: string, accountId: string, isWorking: boolean): Promise<void> {
  const key = prefix(issue) + accountId;
  if (isWorking) await kvs.set(key, { accountId });
  else await kvs.delete(key);
}

const prefix = (issue: string) => `working:${issue}:`;
