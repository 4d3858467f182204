import { invoke as forgeInvoke } from '@forge/bridge';

/** Calls a function of the app's resolver; without metadata the answer is what the function returned. */
export async function invoke<Result>(
  functionKey: string,
  payload?: Record<string, unknown>,
): Promise<Result> {
  return (await forgeInvoke<Result>(functionKey, payload)) as Result;
}
