// A process that runs Forge's own tools. They need seconds for the first app and much less for each further one, so the tests of
// a file share the process.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** With V8's default, a bundle takes a fifth of its time to collect garbage. */
const YOUNG_GENERATION = '--max-semi-space-size=64';

/** Returns a function that asks the script, which starts with the first question and answers one question after the other. */
export function forgeProcess(name) {
  const script = fileURLToPath(new URL(name, import.meta.url));
  let child;
  let last = Promise.resolve();

  async function ask(question) {
    child ??= fork(script, { execArgv: [YOUNG_GENERATION] });
    // The process ends with this one, which waits for it only while it has a question.
    child.channel.ref();
    child.ref();
    child.send(question);
    const answered = new AbortController();
    const answer = await Promise.race([
      once(child, 'message', answered).then(([message]) => message),
      once(child, 'exit', answered).then(ended),
    ]).finally(() => answered.abort());
    child.unref();
    child.channel.unref();
    if (answer.failure) throw new Error(answer.failure);
    return answer;
  }

  function ended([code, signal]) {
    child = undefined;
    throw new Error(`${name} ended: ${code ?? signal}`);
  }

  return (question) => {
    const answer = last.then(() => ask(question));
    last = answer.catch(() => {});
    return answer;
  };
}
