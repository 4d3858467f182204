// The properties that identify the content of a module's page, by the type of the module. A default scope requires all of
// them. The types follow @forge/manifest, and their properties follow Atlassian's reference of modules. The types without a
// default scope are in types-without-scope.ts. docs/scopes.md repeats both lists, and tests compare them.

/**
 * The properties that a default scope needs besides `module`: one list; one list per value of a field of the context's
 * extension; or several lists, of which one must be present.
 */
export type Needs =
  | { all: readonly string[] }
  | { field: string; cases: ReadonlyMap<string, readonly string[]> }
  | { either: readonly (readonly string[])[] };

const all = (...properties: string[]): Needs => ({ all: properties });

/** A module with one page for the whole site. */
const SITE = all();

const ISSUE = all('issue');
const PROJECT = all('project');
const CONTENT = all('content');
const SPACE = all('space');
const REPOSITORY = all('repository');
const PULL_REQUEST = all('pullRequest');
const REQUEST = all('portal', 'request');
/** A page that shows the user's own data. */
const ACCOUNT = all('account');

/** A panel that appears on several pages of the customer portal. */
const PORTAL_PAGES: Needs = {
  field: 'page',
  cases: new Map([
    ['help_center', ['page']],
    ['portal', ['page', 'portal']],
    ['create_request', ['page', 'requestType']],
    ['view_request', ['page', 'portal', 'request']],
    ['approvals', ['page', 'account']],
    ['profile', ['page', 'account']],
    ['my_requests', ['page', 'account']],
  ]),
};

export const MODULE_TYPES: ReadonlyMap<string, Needs> = new Map([
  ['macro', { either: [['content'], ['template']] }],
  ['global:fullPage', SITE],

  ['jira:adminPage', SITE],
  ['jira:globalPage', SITE],
  ['jira:fullPage', SITE],
  ['jira:globalBackgroundScript', SITE],
  ['jira:dashboardBackgroundScript', SITE],
  ['jira:personalSettingsPage', ACCOUNT],
  ['jira:projectPage', PROJECT],
  ['jira:projectSettingsPage', PROJECT],
  ['jira:issuePanel', ISSUE],
  ['jira:issueContext', ISSUE],
  ['jira:issueGlance', ISSUE],
  ['jira:issueActivity', ISSUE],
  ['jira:issueAction', ISSUE],
  ['jira:issueViewBackgroundScript', ISSUE],
  ['jira:customField', all('issue', 'field')],
  ['jira:customFieldType', all('issue', 'field')],
  [
    'jira:uiModifications',
    {
      field: 'viewType',
      cases: new Map([
        ['IssueView', ['issue']],
        ['IssueTransition', ['issue']],
      ]),
    },
  ],
  ['jira:dashboardGadget', all('dashboard', 'gadget')],
  ['jira:boardAction', all('board')],
  ['jira:backlogAction', all('board')],
  ['jira:sprintAction', all('sprint')],

  ['jiraServiceManagement:queuePage', PROJECT],
  ['jiraServiceManagement:organizationPanel', all('organization')],
  ['jiraServiceManagement:portalRequestDetail', REQUEST],
  ['jiraServiceManagement:portalRequestDetailPanel', REQUEST],
  ['jiraServiceManagement:portalRequestViewAction', REQUEST],
  ['jiraServiceManagement:portalRequestCreatePropertyPanel', all('requestType')],
  ['jiraServiceManagement:portalHeader', PORTAL_PAGES],
  ['jiraServiceManagement:portalSubheader', PORTAL_PAGES],
  ['jiraServiceManagement:portalFooter', PORTAL_PAGES],
  ['jiraServiceManagement:portalProfilePanel', ACCOUNT],
  ['jiraServiceManagement:portalUserMenuAction', ACCOUNT],
  ['jiraServiceManagement:assetsImportType', all('assetsImport')],
  ['customerServiceManagement:requestDetail', all('helpCenter', 'request')],
  ['customerServiceManagement:crmImport', PROJECT],

  ['confluence:contextMenu', CONTENT],
  ['confluence:contentAction', CONTENT],
  ['confluence:contentBylineItem', CONTENT],
  ['confluence:pageBanner', CONTENT],
  ['confluence:spacePage', SPACE],
  ['confluence:spaceSettings', SPACE],
  ['confluence:homepageFeed', SITE],
  ['confluence:globalPage', SITE],
  ['confluence:globalSettings', SITE],
  ['confluence:fullPage', SITE],
  ['confluence:backgroundScript', SITE],

  ['compass:adminPage', SITE],
  ['compass:globalPage', SITE],
  ['compass:componentPage', all('component')],
  ['compass:teamPage', all('team')],

  ['bitbucket:repoPullRequestCard', PULL_REQUEST],
  ['bitbucket:repoPullRequestAction', PULL_REQUEST],
  ['bitbucket:repoPullRequestOverviewPanel', PULL_REQUEST],
  ['bitbucket:repoCodeFileViewer', all('file')],
  ['bitbucket:repoCodeOverviewCard', REPOSITORY],
  ['bitbucket:repoCodeOverviewAction', REPOSITORY],
  ['bitbucket:repoCodeOverviewPanel', REPOSITORY],
  ['bitbucket:repoMainMenuPage', REPOSITORY],
  ['bitbucket:repoSettingsMenuPage', REPOSITORY],
  ['bitbucket:workspaceSettingsMenuPage', all('workspace')],
  ['bitbucket:workspaceGlobalPage', all('workspace')],
  ['bitbucket:workspacePersonalSettingsPage', all('workspace', 'account')],
  ['bitbucket:projectSettingsMenuPage', PROJECT],
]);
