// A certified OpenID provider (oidc-provider) on the loopback address, for tests: node provider.mjs PORT REDIRECT_URI.
// Everybody may sign in; an account named "ana+risk" is Ana in the group "risk". SIGUSR2 rotates the signing keys.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import Provider from "oidc-provider";

const [port, redirectUri] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

function signingKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" };
}

function make(keys) {
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "finer",
        client_secret: "a secret: with %signs & more",
        redirect_uris: [redirectUri],
        response_types: ["code"],
        grant_types: ["authorization_code"],
        token_endpoint_auth_method: "client_secret_basic",
      },
    ],
    jwks: { keys },
    pkce: { required: () => true },
    scopes: ["openid", "profile", "email", "groups"],
    claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"], groups: ["groups"] },
    cookies: { keys: ["cookies of a test"] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => {
        const [name, ...groups] = id.split("+");
        return { sub: id, name, email: `${name}@idp.example`, email_verified: true, groups };
      },
    }),
  });
  provider.on("server_error", (_, error) => process.stderr.write(`${error.stack}\n`));
  return provider;
}

let keys = [signingKey()];
const { createServer } = await import("node:http");
let handler = make(keys).callback();
const server = createServer((request, response) => handler(request, response));
process.on("SIGUSR2", () => {
  keys = [signingKey()];
  handler = make(keys).callback();
  process.stdout.write("rotated\n");
});
server.listen(Number(port), "127.0.0.1", () => process.stdout.write("ready\n"));
