// The names of the context properties that a channel's scope can keep: the values of @forge/bridge's enums, and the properties
// of other modules.

/** The properties of a Jira context. */
export const Jira = {
  /** The id of the board. */
  Board: 'board',
  /** The id of the issue, or `key:` and its key. */
  Issue: 'issue',
  /** The id of the project, or `key:` and its key. */
  Project: 'project',
  /** The id of the dashboard. */
  Dashboard: 'dashboard',
  /** The id of the gadget on its dashboard. */
  Gadget: 'gadget',
  /** The id of the sprint. */
  Sprint: 'sprint',
  /** The id of the filter. */
  Filter: 'filter',
  /** The id of the custom field. */
  Field: 'field',
} as const;
/** A property of a Jira context. */
export type Jira = Value<typeof Jira>;

/** The properties of a Jira Service Management context. */
export const JiraServiceManagement = {
  /** The id of the customer portal. */
  Portal: 'portal',
  /** The key of the customer request. */
  Request: 'request',
  /** The ids of the portal and of the request type. */
  RequestType: 'requestType',
  /** The id of the organization. */
  Organization: 'organization',
  /** The ids of the project and of the queue. */
  Queue: 'queue',
  /** The id of the help center. */
  HelpCenter: 'helpCenter',
  /** The ids of the workspace, the schema and the import. */
  AssetsImport: 'assetsImport',
  /** The kind of portal page, such as `view_request`. */
  Page: 'page',
} as const;
/** A property of a Jira Service Management context. */
export type JiraServiceManagement = Value<typeof JiraServiceManagement>;

/** The properties of a Confluence context. */
export const Confluence = {
  /** The id of the page, blog post or other content. */
  Content: 'content',
  /** The id of the space, or `key:` and its key. */
  Space: 'space',
  /** The id of the template. */
  Template: 'template',
} as const;
/** A property of a Confluence context. */
export type Confluence = Value<typeof Confluence>;

/** The properties of a Compass context. */
export const Compass = {
  /** The id of the component. */
  Component: 'component',
  /** The id of the team. */
  Team: 'team',
} as const;
/** A property of a Compass context. */
export type Compass = Value<typeof Compass>;

/** The properties of a Bitbucket context. */
export const Bitbucket = {
  /** The UUID of the repository. */
  Repository: 'repository',
  /** The UUID of the repository and the id of the pull request. */
  PullRequest: 'pullRequest',
  /** The UUID of the workspace. */
  Workspace: 'workspace',
  /** The UUID of the repository and the hash of the commit. */
  Commit: 'commit',
  /** The UUID of the repository, the hash of the commit and the path of the file. */
  File: 'file',
} as const;
/** A property of a Bitbucket context. */
export type Bitbucket = Value<typeof Bitbucket>;

/** The properties of every product: the module's key, and the account on pages that show the user's own data. */
export const Forge = {
  /** The key of the module in manifest.yml. */
  Module: 'module',
  /** The account of the user, on a page that shows the user's own data. */
  Account: 'account',
} as const;
/** A property that does not depend on the product. */
export type Forge = Value<typeof Forge>;

type Value<T> = T[keyof T];

/** A known property, as a constant of this package or of @forge/bridge, or as its plain name. */
export type KnownProperty = Jira | JiraServiceManagement | Confluence | Compass | Bitbucket | Forge;

/**
 * A known property, or one that the app adds with `createRealtime({ properties })`. TypeScript checks the known names
 * only: pass the name of another property as `property('team')`.
 */
export type ProductContext = KnownProperty | AppProperty;

declare const appProperty: unique symbol;

/** The name of a property that the app adds with `createRealtime({ properties })`. */
export type AppProperty = string & { readonly [appProperty]: true };

/**
 * Marks a name as that of a property which `createRealtime({ properties })` adds.
 *
 * @param name - The name of the property.
 * @returns The same name, for the option `contextOverrides`.
 *
 * @example
 * ```ts
 * await realtime.subscribe('news', show, { contextOverrides: [property('team')] });
 * ```
 */
export function property(name: string): AppProperty {
  return name as AppProperty;
}
