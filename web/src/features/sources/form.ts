import type { Kind, Settings, Source, SourceBody } from "./queries";
import { FIELDS, type FieldSpec } from "./words";

/** What stands in the fields of a form, all as text. */
export type Values = Record<string, string>;

export function initialValues(kind: Kind, source?: Source): Values {
  const settings: Record<string, unknown> = source ? { ...source.connection } : {};
  return Object.fromEntries(FIELDS[kind].map((field) => [field.name, shown(field, settings[field.name])]));
}

function shown(field: FieldSpec, value: unknown): string {
  if (field.secret || value === undefined || value === null) return field.initial ?? "";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** The settings as the server takes them: those that are not in the form stay as they were. */
export function settingsOf(kind: Kind, values: Values, source?: Source): Settings {
  const settings: Record<string, unknown> = { ...source?.connection, type: kind };
  for (const field of FIELDS[kind])
    if (!field.secret) settings[field.name] = parsed(field, values[field.name]);
  return settings as unknown as Settings;
}

/** The credentials that were typed in; undefined when none were, so that stored ones stay. */
export function credentialsOf(kind: Kind, values: Values): SourceBody["credentials"] {
  const fields = FIELDS[kind].filter((field) => field.secret && (values[field.name] ?? "").trim() !== "");
  if (fields.length === 0) return undefined;
  const found = Object.fromEntries(
    fields.map((field) => [
      field.name,
      field.name === "items" ? links(values.items ?? "") : (values[field.name] ?? "").trim(),
    ]),
  );
  return found as SourceBody["credentials"];
}

function parsed(field: FieldSpec, text = ""): unknown {
  if (field.type === "number") return Number(text);
  if (field.type === "list")
    return text
      .split(",")
      .map((part) => part.trim())
      .filter(Boolean);
  return text.trim();
}

function links(text: string): { customer_id: string; access_token: string }[] {
  return text
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((parts) => parts.length >= 2)
    .map(([customer = "", token = ""]) => ({ customer_id: customer, access_token: token }));
}
