import { describe, expect, it } from "vitest";
import { parseChoice, selectionOf } from "../src/features/quarantine/queries";

describe("the choice of refused records", () => {
  it("is read from the address, and what is unknown is left out", () => {
    expect(parseChoice({ contract: "order", field: "", rule: "json", colour: "red", text: 7 })).toEqual({
      contract: "order",
      field: "",
      rule: "json",
    });
  });

  it("asks the server for the cause and the text, not for the record that is open", () => {
    const choice = { contract: "order", field: "", rule: "json", text: "", record: "qua_1", act: "act_1" };
    expect(selectionOf(choice)).toEqual({
      contract: "order",
      field: "",
      rule: "json",
      text: undefined,
      receipt: undefined,
    });
  });
});
