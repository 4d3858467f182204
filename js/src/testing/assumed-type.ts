// Chooses a module type for a test's context that names none: the simplest page with the properties of the context.

import { extensionProperties, type ForgeContext } from '../context/properties.js';

const SHOWN_BY: readonly (readonly [property: string, type: string])[] = [
  ['gadget', 'jira:dashboardGadget'],
  ['request', 'jiraServiceManagement:portalRequestDetail'],
  ['requestType', 'jiraServiceManagement:portalRequestCreatePropertyPanel'],
  ['organization', 'jiraServiceManagement:organizationPanel'],
  ['field', 'jira:customField'],
  ['issue', 'jira:issuePanel'],
  ['sprint', 'jira:sprintAction'],
  ['board', 'jira:boardAction'],
  ['project', 'jira:projectPage'],
  ['content', 'confluence:contentAction'],
  ['space', 'confluence:spacePage'],
  ['pullRequest', 'bitbucket:repoPullRequestCard'],
  ['file', 'bitbucket:repoCodeFileViewer'],
  ['repository', 'bitbucket:repoCodeOverviewCard'],
  ['workspace', 'bitbucket:workspaceGlobalPage'],
  ['component', 'compass:componentPage'],
  ['team', 'compass:teamPage'],
];

export function assumedType({ extension }: ForgeContext): string {
  const properties = extensionProperties(extension);
  const shown = SHOWN_BY.find(([property]) => properties.has(property));
  return shown?.[1] ?? 'jira:globalPage';
}
