import { EditorView } from "@codemirror/view";
import { act, screen } from "@testing-library/react";

/** The code editor under a label, once it is there. */
async function editorOf(label: string): Promise<EditorView> {
  const view = EditorView.findFromDOM(await screen.findByRole("textbox", { name: label }));
  if (!view) throw new Error(`There is no code editor under ${label}.`);
  return view;
}

/** Writes a text in place of what stands in a code editor. */
export async function writeCode(label: string, text: string): Promise<void> {
  const view = await editorOf(label);
  act(() => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }));
}

export async function codeOf(label: string): Promise<string> {
  return (await editorOf(label)).state.doc.toString();
}
