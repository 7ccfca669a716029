/** The run table of the workspace. */

export class RunTable {}
