import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, it } from "vitest";
import { TableBox } from "../src/shared/ui/TableBox";

function Rows() {
  const [more, setMore] = useState(false);
  return (
    <tbody>
      <tr>
        <th scope="row">
          <button type="button" onClick={() => setMore(true)}>
            More
          </button>
        </th>
        <td>1</td>
      </tr>
      {more ? (
        <tr>
          <th scope="row">Second</th>
          <td>2</td>
        </tr>
      ) : null}
    </tbody>
  );
}

it("names the cells of rows that come without the box being drawn again", async () => {
  render(
    <TableBox>
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Rows</th>
          </tr>
        </thead>
        <Rows />
      </table>
    </TableBox>,
  );
  expect(screen.getByRole("cell", { name: "1" }).dataset.label).toBe("Rows");
  await userEvent.click(screen.getByRole("button", { name: "More" }));
  await waitFor(() => expect(screen.getByRole("cell", { name: "2" }).dataset.label).toBe("Rows"));
});
