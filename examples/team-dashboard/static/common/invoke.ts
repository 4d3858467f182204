import { invoke as forgeInvoke } from '@forge/bridge';

/** Calls a function of the app's resolver, and returns its result. */
export async function invoke<Result>(
  functionKey: string,
  payload?: Record<string, unknown>,
): Promise<Result> {
  return (await forgeInvoke<Result>(functionKey, payload)) as Result;
}
