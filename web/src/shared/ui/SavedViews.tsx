import { DeleteOutlined, FolderOutlined } from "@ant-design/icons";
import { Button, Input, Popover } from "antd";
import { type FormEvent, useState } from "react";
import { useSession } from "../session";
import { recall, remember } from "../storage";

export type Search = Record<string, string | number>;

export interface View {
  name: string;
  search: Search;
}

interface SavedViewsProps {
  /** Of which list the views are. */
  list: string;
  standard: readonly View[];
  /** The filter of now, as the address says it. */
  here: Search;
  onChoose(search: Search): void;
}

/** Filters with a name. One's own are kept in this browser. */
export function SavedViews({ list, standard, here, onChoose }: SavedViewsProps) {
  const { me } = useSession();
  const key = `finer.views.${list}.${me.user.id}`;
  const [own, setOwn] = useState<View[]>(() => recall<View[]>(key, []));
  const [open, setOpen] = useState(false);
  const [name, setName] = useState("");
  const [nameless, setNameless] = useState(false);
  const shape = JSON.stringify(here);
  const current = [...own, ...standard].find((view) => JSON.stringify(view.search) === shape);

  const keep = (views: View[]) => {
    setOwn(views);
    remember(key, views);
  };
  const save = (event: FormEvent) => {
    event.preventDefault();
    const wanted = name.trim();
    setNameless(!wanted);
    if (!wanted) return;
    keep([...own.filter((view) => view.name !== wanted), { name: wanted, search: here }]);
    setName("");
    setOpen(false);
  };
  const choose = (view: View) => {
    onChoose(view.search);
    setOpen(false);
  };

  const content = (
    <div className="views">
      <ul aria-label="Views">
        {[...standard, ...own].map((view) => (
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
        <Button htmlType="submit">Save</Button>
      </form>
      {nameless && !name.trim() ? (
        <p role="alert" className="problem">
          Give the view a name.
        </p>
      ) : null}
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
