import { Link } from "@tanstack/react-router";
import { paths } from "../paths";
import { permission } from "../permissions";
import { useSession } from "../session";

/** Below the empty state of what is made of records: how they come in, and for whom that is open the way there. */
export function WhereFrom() {
  const { may } = useSession();
  return may(permission.readSources) ? (
    <Link to={paths.sources}>Where records come from</Link>
  ) : (
    <span className="muted state-text">
      Records come by the sources that your data engineers set up, by the API, or from files.
    </span>
  );
}
