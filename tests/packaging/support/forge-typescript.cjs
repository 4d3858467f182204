// Resolves TypeScript as the Forge CLI does, where every package finds the bundler's version. Here, some would find the
// repository's.
const { Module } = require('node:module');

const typescript = require.resolve('typescript', { paths: [require.resolve('@forge/bundler')] });
const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  return request === 'typescript' ? typescript : resolve.call(this, request, ...rest);
};
