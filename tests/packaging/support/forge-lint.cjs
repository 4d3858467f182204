// Checks apps with the linters that the Forge CLI runs on the developer's machine, and with its validation of the manifest.
// Left out are the linters on Atlassian's servers, and the one that downloads the descriptions of the products' REST APIs, to
// compare an app's requests with its scopes: the tests run without the internet.
// Usage: a child process that receives the folder of an app as a message, and answers with its findings.
const { createRequire } = require('node:module');
require('./forge-typescript.cjs');

const bundler = createRequire(require.resolve('@forge/bundler'));
const { getClientSideLintersOnly, lint } = bundler('@forge/lint');
const { ConfigFile, FileSystemReader, FileSystemWriter } = bundler('@forge/cli-shared');

const DOWNLOADING = 'PermissionLinter';
const quiet = { debug() {}, trace() {}, info() {}, warn: console.error, error: console.error };
/** The feature flags of the Forge CLI, which Atlassian's servers provide. */
const flags = new Proxy({}, { get: () => async () => false });

/** Returns the findings of the linters for the app in the working directory. */
async function findings() {
  const reader = new FileSystemReader();
  const manifest = await new ConfigFile(reader, new FileSystemWriter()).readConfig();
  const files = await reader.recursiveReadDir('./src', ['node_modules']);
  const all = await getClientSideLintersOnly(manifest, 'development', quiet, flags);
  const linters = all.filter(({ constructor }) => constructor.name !== DOWNLOADING);
  if (linters.length !== all.length - 1) throw new Error(`@forge/lint has no ${DOWNLOADING} any more.`);
  const results = await lint(files, manifest, 'development', quiet, flags, { linters });
  return results.flatMap(({ file, errors, warnings }) =>
    [...errors, ...warnings].map(({ line, message }) => `${file}:${line}: ${message}`),
  );
}

process.on('message', async (folder) => {
  try {
    process.chdir(folder);
    const { problemsOf } = await import('../../../examples/forge-host/src/app/manifest.mjs');
    process.send({ lint: await findings(), manifest: await problemsOf(folder) });
  } catch (error) {
    process.send({ failure: error.stack });
  }
});
