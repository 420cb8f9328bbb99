import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { App, Form, Input } from "antd";
import { expect, it } from "vitest";
import { ApiProblem } from "../src/api/problem";
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
