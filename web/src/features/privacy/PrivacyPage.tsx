import { useNavigate, useSearch } from "@tanstack/react-router";
import { paths } from "../../shared/paths";
import { Page } from "../../shared/ui/Page";
import { Parts } from "../../shared/ui/Parts";
import { BreachList } from "./BreachList";
import { CatalogueList } from "./CatalogueList";
import { HoldList } from "./HoldList";
import { RequestList } from "./RequestList";
import { RetentionTable } from "./RetentionTable";
import "./privacy.css";

const TABS = {
  requests: ["Subject requests", RequestList],
  breaches: ["Breaches", BreachList],
  holds: ["Holds", HoldList],
  catalogue: ["Data catalogue", CatalogueList],
  retention: ["Retention", RetentionTable],
} as const;
type Tab = keyof typeof TABS;

/** What people ask about their data, what went wrong with it, and what is kept of them at all. */
export function PrivacyPage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const shown: Tab = typeof search.tab === "string" && search.tab in TABS ? (search.tab as Tab) : "requests";
  const [, Part] = TABS[shown];
  return (
    <Page title="Privacy">
      <section className="part privacy-part" aria-label={TABS[shown][0]}>
        <Parts
          label="Parts of privacy"
          parts={(Object.keys(TABS) as Tab[]).map((name) => ({ name, title: TABS[name][0] }))}
          shown={shown}
          onShow={(tab) => void navigate({ to: paths.privacy, search: tab === "requests" ? {} : { tab } })}
        >
          <Part />
        </Parts>
      </section>
    </Page>
  );
}
