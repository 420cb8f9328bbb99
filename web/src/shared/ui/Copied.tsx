import { CheckOutlined, CopyOutlined } from "@ant-design/icons";
import { Button, Input } from "antd";
import { useId, useState } from "react";
import "./ui.css";

/** A text to take along, such as a secret that is shown once. */
export function Copied({ label, text }: { label: string; text: string }) {
  const id = useId();
  const [done, setDone] = useState(false);
  const copy = async () => {
    // Plain HTTP has no clipboard; the text is selected then, and Ctrl-C does the rest.
    const field = document.getElementById(id);
    if (field instanceof HTMLInputElement) field.select();
    await navigator.clipboard?.writeText(text);
    setDone(navigator.clipboard !== undefined);
  };
  return (
    <div className="secret">
      <label htmlFor={id}>{label}</label>
      <div className="secret-line">
        <Input id={id} readOnly value={text} className="mono" />
        <Button
          icon={done ? <CheckOutlined aria-hidden /> : <CopyOutlined aria-hidden />}
          onClick={() => void copy()}
        >
          {done ? "Copied" : "Copy"}
        </Button>
      </div>
    </div>
  );
}
