import { answer, api, type Schema } from "../../api/client";
import type { Hook } from "../../shared/webhooks";

export type HookMade = Schema<"HookMade">;

export const addHook = (body: Schema<"HookBody">): Promise<HookMade> =>
  answer(api.POST("/api/v1/hooks", { body }));

export const tryHook = (id: string): Promise<Hook> =>
  answer(api.POST("/api/v1/hooks/{hook_id}/test", { params: { path: { hook_id: id } } }));

export const removeHook = (id: string) =>
  answer(api.DELETE("/api/v1/hooks/{hook_id}", { params: { path: { hook_id: id } } }));
