// The entry: runs a Forge app on this machine against a Sealwire relay, for a user or, with --check, for a test.
import { readArguments, USAGE } from './arguments.mjs';
import { check } from './check/check.mjs';
import { startDemo } from './demo.mjs';

try {
  const options = readArguments(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else await run(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** @param {import('./arguments.mjs').Arguments} options */
async function run(options) {
  const demo = await startDemo(options);
  if (options.check) {
    try {
      const failed = await check(demo, options);
      process.exitCode = failed === 0 ? 0 : 1;
    } finally {
      await demo.stop();
    }
    return;
  }
  console.log(demo.url);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void demo.stop());
}
