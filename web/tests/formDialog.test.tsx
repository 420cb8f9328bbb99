import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { App, Form, Input } from "antd";
import { useState } from "react";
import { expect, it } from "vitest";
import { ApiProblem } from "../src/api/problem";
import { Dialog } from "../src/shared/ui/Dialog";
import { FormDialog } from "../src/shared/ui/FormDialog";

interface Asked {
  word: string;
}

/** The dialog with one field; what was sent is kept, and `answer` settles each sending. */
function dialog(answer: () => Promise<void>) {
  const seen = { sent: [] as string[], closed: 0 };
  const submit = ({ word }: Asked) => {
    seen.sent.push(word);
    return answer();
  };
  render(
    <App>
      <FormDialog<Asked>
        title="Say it"
        okText="Send"
        initialValues={{ word: "one" }}
        onSubmit={submit}
        onClose={() => {
          seen.closed += 1;
        }}
      >
        <Form.Item name="aside" label="Aside">
          <Input />
        </Form.Item>
        <Form.Item name="word" label="Word" rules={[{ required: true, message: "Say a word." }]}>
          <Input />
        </Form.Item>
      </FormDialog>
    </App>,
  );
  return seen;
}

const send = () => userEvent.click(screen.getByRole("button", { name: /Send/ }));

it("sends once however often the button is pressed, and closes when that went well", async () => {
  let done: () => void = () => undefined;
  const seen = dialog(
    () =>
      new Promise<void>((resolve) => {
        done = resolve;
      }),
  );
  await send();
  await waitFor(() => expect(seen.sent).toEqual(["one"]));
  await send();
  await userEvent.keyboard("{Escape}");
  expect([seen.sent.length, seen.closed]).toEqual([1, 0]);
  done();
  await waitFor(() => expect(seen.closed).toBe(1));
});

it("sends once when it is asked twice before it is drawn as busy", async () => {
  const seen = dialog(() => Promise.resolve());
  const form = screen.getByLabelText("Word").closest("form") as HTMLFormElement;
  fireEvent.submit(form);
  fireEvent.submit(form);
  await waitFor(() => expect(seen.closed).toBeGreaterThan(0));
  expect(seen).toEqual({ sent: ["one"], closed: 1 });
});

it("says why it went wrong, stays, and sends again", async () => {
  let first = true;
  const seen = dialog(() => {
    if (!first) return Promise.resolve();
    first = false;
    return Promise.reject(new ApiProblem(422, "No", "Not this word."));
  });
  await send();
  expect((await screen.findByText("Not this word.")).getAttribute("role")).toBe("alert");
  expect(seen.closed).toBe(0);
  await send();
  await waitFor(() => expect(seen.closed).toBe(1));
  expect(seen.sent).toEqual(["one", "one"]);
});

it("says that the session ended in words for people, and keeps what was typed", async () => {
  const said = "Sign in, or send a valid API key or access token as 'Authorization: Bearer ...'.";
  dialog(() =>
    Promise.reject(new ApiProblem(401, "Sign in first", said, "urn:finer:problem:unauthenticated")),
  );
  await send();
  expect((await screen.findByText(/session has ended/)).textContent).toContain("in another tab");
  expect(screen.getByLabelText<HTMLInputElement>("Word").value).toBe("one");
});

it("says that the database does not answer in words for people", async () => {
  const said = "The database does not answer. Send the same again with an Idempotency-Key.";
  dialog(() => Promise.reject(new ApiProblem(503, "No", said, "urn:finer:problem:database-gone")));
  await send();
  expect((await screen.findByText(/database does not answer/)).textContent).toContain("Try again in");
  expect(screen.queryByText(/Idempotency-Key/)).toBeNull();
});

it("forgets what the server said once something else is wrong", async () => {
  dialog(() => Promise.reject(new ApiProblem(422, "No", "Not this word.")));
  await send();
  await screen.findByText("Not this word.");
  await userEvent.clear(screen.getByLabelText("Word"));
  await send();
  await waitFor(() => expect(screen.queryByText("Not this word.")).toBeNull());
});

it("sends nothing that a rule of its fields refuses", async () => {
  const seen = dialog(() => Promise.resolve());
  await userEvent.clear(screen.getByLabelText("Word"));
  await send();
  await screen.findByText("Say a word.");
  expect(seen.sent).toEqual([]);
});

it("takes the focus in, and gives it to what is wrong", async () => {
  const seen = dialog(() => Promise.resolve());
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText("Aside")));
  const word = screen.getByLabelText("Word");
  await userEvent.clear(word);
  await send();
  await screen.findByText("Say a word.");
  await waitFor(() => expect(document.activeElement).toBe(word));
  await userEvent.keyboard("two");
  await send();
  await waitFor(() => expect(seen.sent).toEqual(["two"]));
});

/** A button whose form gives way to another dialog, as one does that shows what was made. */
function Making() {
  const [shown, setShown] = useState<"form" | "made" | null>(null);
  return (
    <>
      <button type="button" onClick={() => setShown("form")}>
        Make it
      </button>
      {shown === "form" ? (
        <FormDialog
          title="Make"
          okText="Send"
          onSubmit={async () => {
            setShown("made");
            return false;
          }}
          onClose={() => setShown(null)}
        >
          <Form.Item name="word" label="Word">
            <Input />
          </Form.Item>
        </FormDialog>
      ) : null}
      {shown === "made" ? <Dialog title="It is made" onCancel={() => setShown(null)} /> : null}
    </>
  );
}

it("gives the focus back to the button behind a dialog that gave way to another", async () => {
  render(
    <App>
      <Making />
    </App>,
  );
  const opener = screen.getByRole("button", { name: "Make it" });
  await userEvent.click(opener);
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText("Word")));
  await userEvent.keyboard("one{Enter}");
  await screen.findByText("It is made");
  await userEvent.click(screen.getByRole("button", { name: "Cancel" }));
  await waitFor(() => expect(document.activeElement).toBe(opener));
});
