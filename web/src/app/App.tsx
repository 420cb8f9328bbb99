import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createQueryClient } from "./queryClient";
import { createAppRouter } from "./router";
import { Themed } from "./Themed";

const client = createQueryClient();
const router = createAppRouter(client);

export function App() {
  return (
    <QueryClientProvider client={client}>
      <Themed>
        <RouterProvider router={router} />
      </Themed>
    </QueryClientProvider>
  );
}
