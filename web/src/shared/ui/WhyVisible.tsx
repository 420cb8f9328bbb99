import { QuestionCircleOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Button, Popover } from "antd";
import { FORMS, grantsQuery, roleText, SCOPES } from "../grants";

/** "Why can I see this?": role, permission and scope behind what is shown, from the grants table itself. */
export function WhyVisible({ needs, what }: { needs: string; what: string }) {
  return (
    <Popover trigger="click" placement="bottomRight" content={<Why needs={needs} what={what} />}>
      <Button type="text" size="small" icon={<QuestionCircleOutlined aria-hidden />}>
        Why can I see this?
      </Button>
    </Popover>
  );
}

function Why({ needs, what }: { needs: string; what: string }) {
  const { data, error } = useQuery(grantsQuery);
  if (error) return <p role="alert">{error.message}</p>;
  if (!data) return <p role="status">Looking it up…</p>;
  const scope = data.permissions[needs];
  const shown = Object.entries(data.data_classes).filter(([name]) =>
    ["personal", "sensitive", "card"].includes(name),
  );
  return (
    <div className="why">
      <p>
        You are <strong>{roleText(data.role)}</strong>.{" "}
        {scope ? (
          <>
            The permission <code>{needs}</code> lets that role see {what}: {SCOPES[scope] ?? scope}.
          </>
        ) : (
          <>
            That role does not have the permission <code>{needs}</code>.
          </>
        )}
      </p>
      <p>{shown.map(([name, form]) => `${name} data ${FORMS[form] ?? form}`).join(", ")}.</p>
    </div>
  );
}
