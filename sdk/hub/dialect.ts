/** The dialect whose wire is the hub's own vocabulary. */

export const hubDialect = "anthropic";
