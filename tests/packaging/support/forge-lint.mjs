// Forge's linters and its validation of manifests, in a process of their own. They need seconds for the first app and milliseconds
// for each further one, so the tests of a file share the process.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('forge-lint.cjs', import.meta.url));

/** Starts the process. It checks one app at a time. */
export function startForgeLint() {
  const child = fork(script);
  const ended = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`forge-lint.cjs ended: ${code}`)),
  );
  ended.catch(() => {});
  let last = Promise.resolve();

  async function ask(folder) {
    child.send(folder);
    const [{ failure, ...found }] = await Promise.race([once(child, 'message'), ended]);
    if (failure) throw new Error(failure);
    return found;
  }

  return {
    /** Returns the findings of the linters as `lint`, and the errors and warnings of the validation as `manifest`. */
    check(folder) {
      const answer = last.then(() => ask(folder));
      last = answer.catch(() => {});
      return answer;
    },
    stop: () => child.kill(),
  };
}
