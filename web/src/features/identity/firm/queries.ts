import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../../api/client";

export type Firm = Schema<"Tenant">;
export type SsoSettings = Schema<"SsoSettings">;
export type SignInRules = Schema<"SignInRules">;
export type Provider = Schema<"SsoProviderView">;
export type Discovery = Schema<"Discovery">;
export type RoleMapping = Schema<"RoleMapping">;

export const firmQuery = queryOptions({
  queryKey: ["firm"],
  queryFn: ({ signal }): Promise<Firm> => answer(api.GET("/api/v1/firm", { signal })),
});

export const ssoQuery = queryOptions({
  queryKey: ["sso-settings"],
  queryFn: ({ signal }): Promise<SsoSettings> => answer(api.GET("/api/v1/sso/provider", { signal })),
});

export function saveFirm(body: Schema<"FirmBody">): Promise<Firm> {
  return answer(api.PUT("/api/v1/firm", { body }));
}

export const signInRulesQuery = queryOptions({
  queryKey: ["sign-in-rules"],
  queryFn: ({ signal }): Promise<SignInRules> => answer(api.GET("/api/v1/firm/sign-in", { signal })),
});

export function saveSignInRules(body: Schema<"SignInRulesBody">): Promise<SignInRules> {
  return answer(api.PUT("/api/v1/firm/sign-in", { body }));
}

export function saveProvider(body: Schema<"ProviderBody">): Promise<SsoSettings> {
  return answer(api.PUT("/api/v1/sso/provider", { body }));
}

export function removeProvider(): Promise<unknown> {
  return answer(api.DELETE("/api/v1/sso/provider"));
}

export function discover(issuer: string): Promise<Discovery> {
  return answer(api.POST("/api/v1/sso/discovery", { body: { issuer } }));
}
