import { useQuery } from "@tanstack/react-query";
import { Select } from "antd";
import { contractWord } from "../../shared/contracts";
import { pipelineQuery } from "./queries";
import type { View } from "./view";

export function ContractFilter({ view, onChange }: { view: View; onChange(view: View): void }) {
  const { data } = useQuery({ ...pipelineQuery, enabled: false });
  const names = new Set(data?.contracts.map((each) => each.contract));
  if (view.contract) names.add(view.contract);
  return (
    <Select
      aria-label="Contract"
      placeholder="Any contract"
      allowClear
      className="filter-rule"
      value={view.contract}
      onChange={(contract) => onChange({ ...view, contract, rule: undefined })}
      options={[...names].map((value) => ({ value, label: contractWord(value) }))}
    />
  );
}
