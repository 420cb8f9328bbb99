import { Alert } from "antd";
import { duration } from "../numbers";
import { When } from "./values";

/** What the numbers do not hold yet, in words: zeros of sums that catch up look like a day without business. */
export function Behind({ since, asOf }: { since: string; asOf: string }) {
  const seconds = (Date.parse(asOf) - Date.parse(since)) / 1000;
  return (
    <Alert
      type="warning"
      showIcon
      title={`These numbers are ${duration(seconds)} behind`}
      description={
        <>
          Records that came since <When at={since} /> are not all in them yet. The page follows as they are
          added.
        </>
      }
    />
  );
}
