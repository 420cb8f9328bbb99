import { useQueryClient } from "@tanstack/react-query";
import { App, Button, Input, InputNumber, Select, Switch } from "antd";
import { type FormEvent, useId } from "react";
import { reasonOf } from "../../../shared/ui/states";
import { useDraft } from "../../../shared/useDraft";
import { useSubmit } from "../useSubmit";
import { DiscoveryTest } from "./DiscoveryTest";
import { removeProvider, type SsoSettings, saveProvider, ssoQuery } from "./queries";
import { RoleTable, rowsOf } from "./RoleTable";
import { WaitsForApproval } from "./WaitsForApproval";

const ALGORITHMS = ["RS256", "PS256", "ES256"];

/** The firm's OpenID provider: how Finer reaches it, and which of its people get which role. */
export function SsoForm({ settings, readOnly }: { settings: SsoSettings; readOnly: boolean }) {
  const id = useId();
  const client = useQueryClient();
  const { message, modal } = App.useApp();
  const { provider } = settings;
  const { draft, write, settle, take } = useDraft({ newest: settings, fields });
  const { busy, problem, run } = useSubmit();
  const reload = () => client.invalidateQueries({ queryKey: ssoQuery.queryKey });
  const moved = !provider || provider.issuer !== draft.issuer || provider.client_id !== draft.clientId;
  const lacks = [
    draft.name.trim() ? "" : "Give it the name that its button shows.",
    draft.issuer.trim() ? "" : "Say its issuer, the address that it calls itself by.",
    draft.clientId.trim() ? "" : "Say the client id that Finer has there.",
    moved && draft.secret === "" ? "Say the client secret: the stored one is of another client." : "",
    draft.algorithms.length > 0 ? "" : "Choose what ID tokens are signed with.",
    draft.claim.trim() ? "" : "Say the claim that roles come from.",
    // What is switched on decides who comes in, so a change of it needs a reason for whoever approves it.
    draft.enabled && draft.reason.trim().length < 3 ? "Say why, in 3 letters or more." : "",
  ].find(Boolean);
  const text = (
    key: "name" | "issuer" | "clientId" | "scopes" | "claim" | "acr" | "amr",
    label: string,
    hint?: string,
  ) => (
    <>
      <label htmlFor={`${id}-${key}`}>{label}</label>
      <Input
        id={`${id}-${key}`}
        disabled={readOnly}
        placeholder={hint}
        maxLength={255}
        value={draft[key]}
        onChange={(event) => write({ [key]: event.target.value })}
      />
    </>
  );

  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(async () => {
      const saved = await saveProvider({
        name: draft.name.trim(),
        issuer: draft.issuer.trim(),
        client_id: draft.clientId.trim(),
        client_secret: draft.secret || null,
        algorithms: draft.algorithms,
        scopes: words(draft.scopes),
        role_claim: draft.claim.trim(),
        role_map: draft.rows.map(({ value, role }) => ({ value: value.trim(), role })),
        acr_values: words(draft.acr),
        amr_values: words(draft.amr),
        max_age_minutes: draft.hours === null ? null : Math.round(draft.hours * 60),
        enabled: draft.enabled,
        reason: draft.reason,
      });
      // Where it waits to be approved, what is in force stands here again. The server keeps the secret in either case.
      settle(draft, saved);
      // An older proposal may wait on, whatever was saved at once.
      if (saved.proposal && saved.proposal !== settings.proposal)
        message.info("A second administrator has to approve this, under Approvals.", 8);
      else
        message.success(draft.enabled ? "Saved. People may sign in by it now." : "Saved, and switched off.");
      await reload();
    }, lacks);
  };
  const remove = () =>
    modal.confirm({
      title: "End single sign-on?",
      content: "People who have no password cannot sign in any more. Open sessions go on until they end.",
      okText: "End it",
      okButtonProps: { danger: true },
      cancelText: "Keep it",
      onOk: async () => {
        try {
          await removeProvider();
          take();
          await reload();
        } catch (error) {
          message.error(reasonOf(error));
        }
      },
    });

  return (
    <form onSubmit={submit} className="firm-form sso-form" aria-label="Provider">
      <p className="muted">
        People sign in at your firm's own OpenID provider. Register Finer there with the redirect address{" "}
        <code>{settings.redirect_uri}</code>
      </p>
      {text("name", "Name on the button", "Acme ID")}
      {text("issuer", "Issuer", "https://id.acme.example")}
      <DiscoveryTest issuer={draft.issuer.trim()} disabled={readOnly} />
      {text("clientId", "Client id")}
      <label htmlFor={`${id}-secret`}>Client secret</label>
      <Input.Password
        id={`${id}-secret`}
        disabled={readOnly}
        autoComplete="off"
        maxLength={500}
        placeholder={moved ? "" : "Stored; leave empty to keep it"}
        value={draft.secret}
        onChange={(event) => write({ secret: event.target.value })}
      />
      {text("scopes", "Scopes")}
      <label htmlFor={`${id}-algorithms`}>ID tokens are signed with</label>
      <Select
        id={`${id}-algorithms`}
        mode="multiple"
        disabled={readOnly}
        value={draft.algorithms}
        onChange={(algorithms) => write({ algorithms })}
        options={ALGORITHMS.map((value) => ({ value, label: value }))}
      />
      {text("claim", "Roles come from the claim", "groups")}
      <RoleTable
        rows={draft.rows}
        roles={settings.roles}
        claim={draft.claim}
        readOnly={readOnly}
        onChange={(rows) => write({ rows })}
      />
      {text("acr", "Sign-in classes that are accepted (acr)", "any")}
      {text("amr", "Ways to sign in of which one is needed (amr)", "any, e.g. mfa hwk")}
      <p className="hint">
        With either, whoever the provider does not vouch for like this stays out, and its sign-ins count as a
        second factor.
      </p>
      <label htmlFor={`${id}-hours`}>Sign in again at the provider after (hours)</label>
      <InputNumber
        id={`${id}-hours`}
        disabled={readOnly}
        min={1}
        max={720}
        precision={0}
        className="firm-hours"
        placeholder="as long as sessions last"
        value={draft.hours}
        onChange={(hours) => write({ hours })}
      />
      <div className="sso-switch">
        <Switch
          id={`${id}-enabled`}
          checked={draft.enabled}
          disabled={readOnly}
          onChange={(enabled) => write({ enabled })}
        />
        <label htmlFor={`${id}-enabled`}>People may sign in by it</label>
      </div>
      <p className="hint">
        {settings.domains.length > 0
          ? `Addresses of ${settings.domains.join(", ")} lead to it from the sign-in page. `
          : "The sign-in page offers it at its address with ?firm= and your short name. "}
        E-mail domains are confirmed by the operator of this installation.
      </p>
      {draft.enabled && !readOnly ? (
        <>
          <label htmlFor={`${id}-reason`}>Why</label>
          <Input
            id={`${id}-reason`}
            maxLength={1000}
            placeholder="For the administrator who approves it"
            value={draft.reason}
            onChange={(event) => write({ reason: event.target.value })}
          />
        </>
      ) : null}
      <WaitsForApproval proposal={settings.proposal} />
      {problem ? (
        <p role="alert" className="problem">
          {problem}
        </p>
      ) : null}
      {readOnly ? null : (
        <div className="firm-line">
          <Button type="primary" htmlType="submit" loading={busy}>
            Save
          </Button>
          {provider ? (
            <Button danger onClick={() => void remove()}>
              End single sign-on
            </Button>
          ) : null}
        </div>
      )}
    </form>
  );
}

function fields({ provider }: SsoSettings) {
  return {
    name: provider?.name ?? "",
    issuer: provider?.issuer ?? "",
    clientId: provider?.client_id ?? "",
    secret: "",
    algorithms: provider?.algorithms ?? ["RS256"],
    scopes: (provider?.scopes ?? ["openid", "profile", "email"]).join(" "),
    claim: provider?.role_claim ?? "groups",
    rows: rowsOf(provider?.role_map ?? []),
    acr: (provider?.acr_values ?? []).join(" "),
    amr: (provider?.amr_values ?? []).join(" "),
    hours: provider?.max_age_minutes == null ? null : provider.max_age_minutes / 60,
    enabled: provider?.enabled ?? false,
    reason: "",
  };
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}
