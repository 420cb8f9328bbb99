import { QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, RouterProvider } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { ConfigProvider } from "antd";
import { createQueryClient } from "../../src/app/queryClient";
import { createAppRouter } from "../../src/app/router";
import { Themed } from "../../src/app/Themed";

/** The styles of antd say nothing that a test reads, and writing them takes a large part of drawing a page. */
const NO_STYLES = { zeroRuntime: true };

/** The whole app at an address. */
export function openApp(at: string) {
  const client = createQueryClient();
  client.setDefaultOptions({ queries: { ...client.getDefaultOptions().queries, retry: false } });
  window.history.replaceState(null, "", at);
  const router = createAppRouter(client, createMemoryHistory({ initialEntries: [at] }));
  render(
    <QueryClientProvider client={client}>
      <ConfigProvider theme={NO_STYLES}>
        <Themed>
          <RouterProvider router={router} />
        </Themed>
      </ConfigProvider>
    </QueryClientProvider>,
  );
  const user = userEvent.setup({ delay: null });
  return { user, router, address: () => router.state.location.href };
}
