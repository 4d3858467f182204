// Measures in Chromium the time from importing the package to the first delivered message, phase by phase, and the memory that
// this takes. The page loads the core, fetches a session, connects, subscribes and publishes, all on this machine. Its scripts are
// those of an app that Vite bundles, and it connects to the relay without the proxy of the tests.
// `cargo xtask client-speed --start` runs it. `SEALWIRE_BASELINE` is the dist folder of another build, which takes turns.
import { startSystem } from '../support/system.mjs';
import { bundleApp } from './app-bundle.mjs';
import { recordPhases, startTimed } from './phases.mjs';
import { median } from './median.mjs';

const RUNS = Number(process.env.SEALWIRE_RUNS ?? 15);
const baseline = process.env.SEALWIRE_BASELINE;

/** Returns a function that measures a page's heap in KB, including buffers and the memory of WebAssembly. */
async function heapOf(page) {
  const session = await page.context().newCDPSession(page);
  return async () => {
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize, backingStorageSize } = await session.send('Runtime.getHeapUsage');
    return (usedSize + backingStorageSize) / 1000;
  };
}

/** Starts the package in a new page. Returns the phases with their times, and the memory. */
async function startOnce(system) {
  const page = await system.openBlank('anna');
  const heap = await heapOf(page);
  const before = await heap();
  await page.evaluate(recordPhases);
  const { core, phases } = await page.evaluate(startTimed);
  const memory = (await heap()) - before;
  await page.context().close();
  return { core, phases: new Map(phases), memory };
}

const show = (values) =>
  `${median(values).toFixed(1)} (${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`;

/** Prints a row for each phase, in the order of their medians, with a column for each build. */
function print(builds) {
  const [own] = builds;
  const phases = [...own.starts[0].phases.keys()];
  const times = (build, phase) => build.starts.map((start) => start.phases.get(phase));
  phases.sort((one, other) => median(times(own, one)) - median(times(own, other)));
  console.log(`\n${own.starts[0].core.padEnd(20)}${builds.map(({ name }) => name.padEnd(24)).join('')}`);
  for (const phase of phases) {
    console.log(`${phase.padEnd(20)}${builds.map((build) => show(times(build, phase)).padEnd(24)).join('')}`);
  }
  const memory = builds.map(({ starts }) => show(starts.map((start) => start.memory)).padEnd(24));
  console.log(`${'memory, KB'.padEnd(20)}${memory.join('')}`);
}

console.log(`Milliseconds from import, median of ${RUNS} new pages (smallest to largest):`);
for (const webAssembly of [true, false]) {
  const builds = [{ name: 'this build', starts: [] }];
  if (baseline) builds.push({ name: 'baseline', dist: baseline, starts: [] });
  try {
    for (const build of builds) {
      const scripts = await bundleApp(build.dist);
      build.system = await startSystem({ webAssembly, scripts, isDirect: true });
    }
    for (let run = 0; run < RUNS; run += 1) {
      for (const build of builds) build.starts.push(await startOnce(build.system));
    }
    print(builds);
  } finally {
    for (const { system } of builds) await system?.stop();
  }
}
