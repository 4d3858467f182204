// The contexts of the pages in the contract.

export const SITE = 'ari:cloud:jira::site/contract';

/** Returns the context of a page that shows an issue. */
export const issue = (id, module = 'panel') => ({
  installContext: SITE,
  accountId: 'ada',
  moduleKey: module,
  extension: { type: 'jira:issuePanel', issue: { id }, project: { id: '3' } },
});
