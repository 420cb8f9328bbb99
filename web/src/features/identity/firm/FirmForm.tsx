import { useQueryClient } from "@tanstack/react-query";
import { App, Button, ColorPicker, Input, Select } from "antd";
import { type FormEvent, useId } from "react";
import { isColour } from "../../../shared/colour";
import { useDraft } from "../../../shared/useDraft";
import { meQuery } from "../session";
import { useSubmit } from "../useSubmit";
import { Look } from "./Look";
import { type Firm, firmQuery, saveFirm } from "./queries";

const OWN = "#1d4f91";
const fields = ({ name, timezone, branding }: Firm) => ({
  name,
  logo: branding.logo_text ?? name,
  zone: timezone,
  colour: branding.primary_color ?? null,
});

/** Name, look and time zone, with the look as people will see it beside them. */
export function FirmForm({ firm, readOnly }: { firm: Firm; readOnly: boolean }) {
  const id = useId();
  const client = useQueryClient();
  const { message } = App.useApp();
  const { draft, dirty, write, settle } = useDraft({ newest: firm, fields });
  const { name, logo, zone, colour } = draft;
  const { busy, problem, run } = useSubmit();
  const lacks = [
    name.trim() ? "" : "Give the firm a name.",
    logo.trim() ? "" : "Give it a logo text: it stands where the logo does.",
    colour === null || isColour(colour) ? "" : "Write the colour as #1d4f91, or leave it empty.",
    dirty ? "" : "Nothing is changed yet.",
  ].find(Boolean);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(async () => {
      const body = { name: name.trim(), logo_text: logo.trim(), timezone: zone, primary_color: colour };
      const saved = await saveFirm(body);
      settle(draft, saved);
      client.setQueryData(firmQuery.queryKey, saved);
      // The shell takes name and colour from who is signed in.
      await client.refetchQueries({ queryKey: meQuery.queryKey });
      message.success("Saved. People see it with their next page.");
    }, lacks);
  };

  return (
    <div className="firm-columns">
      <form onSubmit={submit} className="firm-form" aria-label="The firm">
        <label htmlFor={`${id}-name`}>Name</label>
        <Input
          id={`${id}-name`}
          maxLength={120}
          disabled={readOnly}
          value={name}
          onChange={(event) => write({ name: event.target.value })}
        />
        <label htmlFor={`${id}-logo`}>Logo text</label>
        <Input
          id={`${id}-logo`}
          maxLength={120}
          disabled={readOnly}
          value={logo}
          onChange={(event) => write({ logo: event.target.value })}
        />
        <label htmlFor={`${id}-colour`}>Colour</label>
        <div className="firm-line">
          <ColorPicker
            value={isColour(colour) ? colour : OWN}
            disabled={readOnly}
            disabledAlpha
            onChange={(value) => write({ colour: value.toHexString().slice(0, 7) })}
          />
          <Input
            id={`${id}-colour`}
            className="mono firm-colour"
            disabled={readOnly}
            placeholder="Finer's own"
            maxLength={7}
            value={colour ?? ""}
            onChange={(event) => write({ colour: event.target.value.trim() || null })}
          />
        </div>
        {colour !== null && !isColour(colour) ? (
          <p className="problem">Write the colour as #1d4f91.</p>
        ) : null}
        <label htmlFor={`${id}-zone`}>Time zone</label>
        <Select
          id={`${id}-zone`}
          showSearch
          disabled={readOnly}
          value={zone}
          onChange={(to) => write({ zone: to })}
          options={zones(firm.timezone).map((value) => ({ value, label: value.replaceAll("_", " ") }))}
        />
        <dl className="firm-facts">
          <dt>Base currency</dt>
          <dd>{firm.base_currency}</dd>
          <dt>Short name</dt>
          <dd>
            <code>{firm.slug}</code>
          </dd>
        </dl>
        <p className="hint">
          Currency and short name stay as they were made: amounts are stored in the one, addresses use the
          other.
        </p>
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
      <Look name={logo} colour={isColour(colour) ? colour : undefined} />
    </div>
  );
}

/** The zones that this browser knows, and the firm's own in any case. */
function zones(own: string): string[] {
  const known = typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [];
  return [...new Set([own, ...known, "UTC"])].sort();
}
