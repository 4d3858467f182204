// Bundles an app with Forge's own bundler, as `forge deploy` does.
// Usage: a child process that receives { what: 'functions' or 'page', folder, entry, env } as a message, and answers with the
// folder of the bundle as `out`, if there is one, and the text of the bundler's warnings and errors as `complaints`.
const os = require('node:os');
const path = require('node:path');
require('./forge-typescript.cjs');

// With more processors, webpack minifies in a new thread for each bundle, in which V8 has compiled none of the minifier's code.
os.availableParallelism = () => 1;

const { getEntryPoints, getNodeBundler, NativeUIBundler } = require('@forge/bundler');

const quiet = { debug() {}, trace() {}, info() {}, warn: console.error, error: console.error };

async function functions({ folder, entry }) {
  // Atlassian's servers provide the wrapper round the bundle, so it is empty here.
  const script = { script: '', version: 'test' };
  const wrapper = { getNodeRuntimeWrapper: async () => script, getNodeRuntimeLoader: async () => script };
  const bundler = getNodeBundler(quiet, wrapper, { readConfig: async () => ({ app: {} }) });
  const entryPoints = getEntryPoints([{ module: entry }]);
  const { outputDir } = await bundler.bundle({ appDirectory: folder, entryPoints });
  return outputDir;
}

async function page({ entry }) {
  const resources = [{ key: 'main', path: path.resolve(entry) }];
  const { nativeUiBundlesDetails } = await new NativeUIBundler(quiet).bundleResources(resources);
  return nativeUiBundlesDetails[0].path;
}

let complaints = '';
process.stderr.write = (text) => {
  complaints += text;
  return true;
};

process.on('message', async (question) => {
  complaints = '';
  Object.assign(process.env, question.env);
  process.chdir(question.folder);
  let out;
  try {
    out = await (question.what === 'page' ? page : functions)(question);
  } catch (error) {
    console.error(error.message);
  }
  // The test removes its folder, and a process in a folder that is gone cannot tell where it is.
  process.chdir('/');
  process.send({ out, complaints });
});
