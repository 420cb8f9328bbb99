/** What is said when an export is so large that it takes two people. */
export const EXPORT_WAITS =
  "This is so much that somebody else has to approve it, under Approvals. Then export the same once more.";
