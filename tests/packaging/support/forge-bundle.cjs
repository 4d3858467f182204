// Bundles an app with Forge's own bundler, as `forge deploy` does, and prints the bundle's folder.
// Usage: node forge-bundle.cjs functions <folder of the app> <module in src>
//        node forge-bundle.cjs page <folder of the app> <file>
const path = require('node:path');
require('./forge-typescript.cjs');

const { getEntryPoints, getNodeBundler, NativeUIBundler } = require('@forge/bundler');

const quiet = { debug() {}, trace() {}, info() {}, warn: console.error, error: console.error };

async function functions(appDirectory, module) {
  // Atlassian's servers provide the wrapper round the bundle, so it is empty here.
  const script = { script: '', version: 'test' };
  const wrapper = { getNodeRuntimeWrapper: async () => script, getNodeRuntimeLoader: async () => script };
  const bundler = getNodeBundler(quiet, wrapper, { readConfig: async () => ({ app: {} }) });
  const { outputDir } = await bundler.bundle({ appDirectory, entryPoints: getEntryPoints([{ module }]) });
  return outputDir;
}

async function page(_, file) {
  const resources = [{ key: 'main', path: path.resolve(file) }];
  const { nativeUiBundlesDetails } = await new NativeUIBundler(quiet).bundleResources(resources);
  return nativeUiBundlesDetails[0].path;
}

const [what, folder, entry] = process.argv.slice(2);
process.chdir(folder);
(what === 'page' ? page : functions)(folder, entry).then(
  (outputDir) => console.log(outputDir),
  (error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
