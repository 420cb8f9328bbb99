import { QueryClient } from "@tanstack/react-query";
import { isProblem } from "../api/problem";

const TRIES = 2;

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // What the server refused it refuses again; only a failure of server or network is worth another try.
        retry: (failures, error) =>
          failures < TRIES && !(isProblem(error) && error.status >= 400 && error.status < 500),
        retryDelay: (failures) => 500 * 2 ** failures,
        refetchOnWindowFocus: false,
      },
    },
  });
}
