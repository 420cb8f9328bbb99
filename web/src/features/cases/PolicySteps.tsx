import { ArrowDownOutlined, ArrowUpOutlined, DeleteOutlined } from "@ant-design/icons";
import { Button, Input } from "antd";
import { newKey } from "../../api/keys";
import { type DraftStep, moved } from "./policyDraft";

interface StepsProps {
  steps: readonly DraftStep[];
  of: string;
  disabled: boolean;
  onChange(steps: DraftStep[]): void;
}

/** The steps of a checklist, to be read or written. */
export function PolicySteps({ steps, of, disabled, onChange }: StepsProps) {
  const write = (key: string, text: string) =>
    onChange(steps.map((one) => (one.key === key ? { ...one, text } : one)));
  return (
    <>
      {steps.length === 0 ? <p className="muted">No step of its own.</p> : null}
      <ol className="policy-steps">
        {steps.map((one, place) => (
          <li key={one.key}>
            {disabled ? (
              one.text
            ) : (
              <>
                <Input
                  aria-label={`${of}: step ${place + 1}`}
                  value={one.text}
                  maxLength={200}
                  placeholder="What is to be done"
                  status={one.text.trim().length < 3 ? "warning" : undefined}
                  onChange={(event) => write(one.key, event.target.value)}
                />
                <Button
                  type="text"
                  icon={<ArrowUpOutlined />}
                  aria-label={`Move step ${place + 1} up`}
                  disabled={place === 0}
                  onClick={() => onChange(moved(steps, place, -1))}
                />
                <Button
                  type="text"
                  icon={<ArrowDownOutlined />}
                  aria-label={`Move step ${place + 1} down`}
                  disabled={place === steps.length - 1}
                  onClick={() => onChange(moved(steps, place, 1))}
                />
                <Button
                  type="text"
                  icon={<DeleteOutlined />}
                  aria-label={`Remove step ${place + 1}`}
                  onClick={() => onChange(steps.filter((each) => each.key !== one.key))}
                />
              </>
            )}
          </li>
        ))}
      </ol>
      {disabled || steps.length >= 20 ? null : (
        <Button
          size="small"
          onClick={() => onChange([...steps, { key: `new-${newKey()}`, text: "", id: "" }])}
        >
          Add a step
        </Button>
      )}
    </>
  );
}
