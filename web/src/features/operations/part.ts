import type { Pipeline } from "./queries";

/** What every part of the pipeline page is given. */
export interface PartProps {
  data: Pipeline | undefined;
  error: unknown;
  onRetry(): void;
}
