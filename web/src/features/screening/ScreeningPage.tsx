import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { useMemo, useState } from "react";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Page } from "../../shared/ui/Page";
import { Parts } from "../../shared/ui/Parts";
import { WhyVisible } from "../../shared/ui/WhyVisible";
import { CheckDialog } from "./CheckDialog";
import { HitDrawer } from "./HitDrawer";
import { HitList } from "./HitList";
import { ListPart } from "./ListPart";
import { parseView, toSearch, type View } from "./queries";
import "./screening.css";

const PARTS = [
  { name: "hits", title: "Hits" },
  { name: "lists", title: "Lists" },
] as const;

/** Who may be on a list: what a person is asked about, and the lists themselves. */
export function ScreeningPage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const shape = JSON.stringify(search);
  const view = useMemo(() => parseView(JSON.parse(shape)), [shape]);
  const navigate = useNavigate();
  const go = (next: View) =>
    void navigate({ to: paths.screening, search: toSearch(next), resetScroll: false });
  const { may } = useSession();
  const [checking, setChecking] = useState(false);
  return (
    <Page
      title="Screening"
      aside={
        <>
          <WhyVisible needs={permission.readScreening} what="who may be on a list" />
          {may(permission.checkScreening) ? (
            <Button onClick={() => setChecking(true)}>Screen somebody …</Button>
          ) : null}
        </>
      }
    >
      <Parts
        label="Parts of screening"
        parts={PARTS}
        shown={view.part}
        onShow={(part) => go({ ...view, part, hit: undefined })}
      >
        {view.part === "hits" ? <HitList view={view} go={go} /> : <ListPart view={view} go={go} />}
      </Parts>
      <HitDrawer id={view.hit} onClose={() => go({ ...view, hit: undefined })} />
      {checking ? <CheckDialog onClose={() => setChecking(false)} /> : null}
    </Page>
  );
}
