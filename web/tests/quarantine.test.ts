import { describe, expect, it } from "vitest";
import { type Act, parseChoice, selectionOf } from "../src/features/quarantine/queries";
import { actOutcome } from "../src/features/quarantine/words";

describe("what came of an act", () => {
  it("tells what still breaks its contract, and what somebody else had dealt with before", () => {
    const failed = [{ field: "amount", rule: "range", records: 1 }];
    const act = {
      kind: "release",
      state: "done",
      matched: 10,
      done: 4,
      changed: 3,
      failed,
    } as unknown as Act;
    expect(actOutcome(act)).toBe("3 released, 1 still breaks its contract, 6 did not wait any more");
    expect(actOutcome({ ...act, state: "running" })).toBe("3 released, 1 still breaks its contract");
  });
});

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
