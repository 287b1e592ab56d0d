/** What a line that tells of a failure begins with. */
export const FAILED = "✗ ";
