// Loads a bundled function, calls it once, and prints the milliseconds of the phases as JSON.
// Usage: node probe.cjs <bundle> [--http] [--storage-ms=<milliseconds>]
// `--http` loads node:http first, as the runtime of AWS Lambda does. `--storage-ms` delays the storage, and is left out of the
// time of the session.
const [file, ...options] = process.argv.slice(2);
const storageMs = Number(/--storage-ms=(\d+)/.exec(options.join(' '))?.[1] ?? 0);
if (options.includes('--http')) require('node:http');

async function main() {
  const cpuBefore = process.cpuUsage();
  const before = performance.now();
  const { handler } = require(file);
  const imported = performance.now();
  const answered = await handler(storageMs);
  const ended = performance.now();
  const { user, system } = process.cpuUsage(cpuBefore);
  const session = ended - imported - answered;
  const total = ended - before - answered;
  console.log(JSON.stringify({ imported: imported - before, session, total, cpu: (user + system) / 1000 }));
}

main();
