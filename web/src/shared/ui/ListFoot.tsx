import { Button } from "antd";
import { counted } from "../numbers";

interface ListFootProps {
  query: { isFetchNextPageError: boolean; hasNextPage: boolean; fetchNextPage(): unknown };
  rows: number;
  noun: string;
  plural?: string;
}

/** The end of a list: more to come, a failure to mend, or all of it. */
export function ListFoot({ query, rows, noun, plural }: ListFootProps) {
  if (query.isFetchNextPageError) {
    return (
      <Button onClick={() => query.fetchNextPage()}>The next rows could not be loaded. Try again</Button>
    );
  }
  if (query.hasNextPage) return "Loading more…";
  return rows === 1 ? `The only ${noun}` : `All ${counted(rows, noun, plural)}`;
}
