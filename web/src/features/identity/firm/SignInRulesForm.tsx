import { useQueryClient } from "@tanstack/react-query";
import { App, Button, Input, Switch } from "antd";
import { type FormEvent, useId } from "react";
import { useDraft } from "../../../shared/useDraft";
import { useSubmit } from "../useSubmit";
import { type SignInRules, saveSignInRules, signInRulesQuery } from "./queries";
import { WaitsForApproval } from "./WaitsForApproval";

const fields = (rules: SignInRules) => ({ required: rules.second_factor_required, reason: "" });

/** Whether everybody has to come in by a second factor. Asking for less waits for a second administrator. */
export function SignInRulesForm({ rules, readOnly }: { rules: SignInRules; readOnly: boolean }) {
  const id = useId();
  const client = useQueryClient();
  const { message } = App.useApp();
  const { draft, held, write, settle } = useDraft({ newest: rules, fields });
  const { required, reason } = draft;
  const { busy, problem, run } = useSubmit();
  const changed = required !== held.second_factor_required;
  const less = changed && !required;
  const unsaid = less && reason.trim().length < 3;
  const lacks = changed
    ? unsaid && "Say why it is needed no more, in 3 letters or more."
    : "Nothing is changed yet.";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(async () => {
      const now = await saveSignInRules({ second_factor_required: required, reason });
      // Where it waits to be approved, what is in force stands here again.
      settle(draft, now);
      client.setQueryData(signInRulesQuery.queryKey, now);
      if (now.second_factor_required === required)
        message.success("Saved. Whoever has no second factor sets one up before anything else.");
      else message.info("A second administrator has to approve this, under Approvals.", 8);
    }, lacks || "");
  };
  return (
    <form onSubmit={submit} className="firm-form sso-form" aria-label="Sign-in rules">
      <div className="sso-switch">
        <Switch
          id={`${id}-required`}
          checked={required}
          disabled={readOnly}
          onChange={(on) => write({ required: on })}
        />
        <label htmlFor={`${id}-required`}>Everybody needs a second factor</label>
      </div>
      <p className="hint">
        An authenticator app or a passkey. Sign-ins by the firm's own provider count when the provider says
        how strong they were (below). People without one can set it up and do nothing else until then.
      </p>
      {less ? (
        <>
          <label htmlFor={`${id}-reason`}>Why it is needed no more</label>
          <Input
            id={`${id}-reason`}
            maxLength={1000}
            placeholder="For the administrator who approves it"
            value={reason}
            onChange={(event) => write({ reason: event.target.value })}
          />
        </>
      ) : null}
      <WaitsForApproval proposal={rules.proposal} />
      {problem ? (
        <p role="alert" className="problem">
          {problem}
        </p>
      ) : null}
      {readOnly ? null : (
        <Button type="primary" htmlType="submit" loading={busy}>
          Save
        </Button>
      )}
    </form>
  );
}
