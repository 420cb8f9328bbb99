import { ClockCircleOutlined } from "@ant-design/icons";
import { Link } from "@tanstack/react-router";
import { paths } from "../../../shared/paths";

/** Says that a change of what stands above it waits for a second person. */
export function WaitsForApproval({ proposal }: { proposal: string | null }) {
  return proposal ? (
    <p className="waits" role="status">
      <ClockCircleOutlined aria-hidden /> A change waits for a second administrator.{" "}
      <Link to={paths.approvals}>See the proposal</Link>
    </p>
  ) : null;
}
