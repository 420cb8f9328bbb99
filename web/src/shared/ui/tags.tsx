import {
  CheckCircleFilled,
  ClockCircleOutlined,
  CloseCircleFilled,
  EyeOutlined,
  QuestionCircleOutlined,
  StopOutlined,
  WarningFilled,
} from "@ant-design/icons";
import type { ReactNode } from "react";

const ACTIONS: Record<string, { icon: ReactNode; word: string; tone: string }> = {
  block: { icon: <StopOutlined aria-hidden />, word: "Block", tone: "block" },
  review: { icon: <EyeOutlined aria-hidden />, word: "Review", tone: "review" },
  approve: { icon: <CheckCircleFilled aria-hidden />, word: "Approve", tone: "approve" },
};

const STATES: Record<string, { icon: ReactNode; word: string; tone: string }> = {
  open: { icon: <ClockCircleOutlined aria-hidden />, word: "Open", tone: "plain" },
  confirmed_fraud: { icon: <WarningFilled aria-hidden />, word: "Fraud", tone: "block" },
  dismissed: { icon: <CloseCircleFilled aria-hidden />, word: "Dismissed", tone: "quiet" },
  undetermined: { icon: <QuestionCircleOutlined aria-hidden />, word: "Undetermined", tone: "quiet" },
};

/** What Finer did with a transaction, in icon, word and colour. */
export function ActionTag({ action }: { action: string }) {
  return <Tag {...(ACTIONS[action] ?? { icon: null, word: action, tone: "plain" })} />;
}

/** What a person said of an alert. */
export function StateTag({ state }: { state: string }) {
  return <Tag {...(STATES[state] ?? { icon: null, word: state, tone: "plain" })} />;
}

export function Tag({ icon, word, tone }: { icon?: ReactNode; word: string; tone: string }) {
  return (
    <span className={`tag tag-${tone}`}>
      {icon}
      <span>{word}</span>
    </span>
  );
}
