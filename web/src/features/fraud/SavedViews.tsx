import { DeleteOutlined, FolderOutlined } from "@ant-design/icons";
import { Button, Input, Popover } from "antd";
import { type FormEvent, useState } from "react";
import { useSession } from "../../shared/session";
import { recall, remember } from "../../shared/storage";
import { DEFAULT_FILTER, type Filter, parseFilter, toSearch } from "./filter";

interface View {
  name: string;
  search: Record<string, string | number>;
}

const STANDARD: readonly View[] = [
  { name: "Open, newest first", search: toSearch(DEFAULT_FILTER) },
  { name: "Open, largest first", search: toSearch({ ...DEFAULT_FILTER, sort: "amount" }) },
  {
    name: "Blocked today",
    search: toSearch({ ...DEFAULT_FILTER, state: "all", action: "block", range: "today" }),
  },
  { name: "Over 1,000 USD", search: toSearch({ ...DEFAULT_FILTER, min: 1000 }) },
];

/** Filters with a name. One's own are kept in this browser. */
export function SavedViews({ filter, onChoose }: { filter: Filter; onChoose(filter: Filter): void }) {
  const { me } = useSession();
  const key = `finer.views.fraud.${me.user.id}`;
  const [own, setOwn] = useState<View[]>(() => recall<View[]>(key, []));
  const [open, setOpen] = useState(false);
  const [name, setName] = useState("");
  const here = JSON.stringify(toSearch(filter));
  const current = [...own, ...STANDARD].find((view) => JSON.stringify(view.search) === here);

  const keep = (views: View[]) => {
    setOwn(views);
    remember(key, views);
  };
  const save = (event: FormEvent) => {
    event.preventDefault();
    const wanted = name.trim();
    if (!wanted) return;
    keep([...own.filter((view) => view.name !== wanted), { name: wanted, search: toSearch(filter) }]);
    setName("");
    setOpen(false);
  };
  const choose = (view: View) => {
    onChoose(parseFilter(view.search));
    setOpen(false);
  };

  const content = (
    <div className="views">
      <ul aria-label="Views">
        {[...STANDARD, ...own].map((view) => (
          <li key={view.name} className={view === current ? "views-current" : ""}>
            <Button type="text" onClick={() => choose(view)} aria-current={view === current}>
              {view.name}
            </Button>
            {own.includes(view) ? (
              <Button
                type="text"
                icon={<DeleteOutlined aria-hidden />}
                aria-label={`Delete the view ${view.name}`}
                onClick={() => keep(own.filter((each) => each !== view))}
              />
            ) : null}
          </li>
        ))}
      </ul>
      <form onSubmit={save}>
        <Input
          aria-label="Name of the new view"
          placeholder="Name this view"
          value={name}
          maxLength={40}
          onChange={(event) => setName(event.target.value)}
        />
        <Button htmlType="submit" disabled={!name.trim()}>
          Save
        </Button>
      </form>
    </div>
  );
  return (
    <Popover content={content} trigger="click" open={open} onOpenChange={setOpen} placement="bottomRight">
      <Button
        icon={<FolderOutlined aria-hidden />}
        aria-expanded={open}
        aria-label={current ? `Views: ${current.name}` : "Views"}
      >
        {current?.name ?? "Views"}
      </Button>
    </Popover>
  );
}
