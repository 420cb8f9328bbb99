// Checks access tokens with another library than Finer does. Reads {jwks, issuer, audience, now, tokens: [...]} from
// standard input and writes one answer for each token: true when it is good.
import { createLocalJWKSet, jwtVerify } from "jose";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { jwks, issuer, audience, now, tokens } = JSON.parse(Buffer.concat(chunks).toString());
const keys = createLocalJWKSet(jwks);
const options = {
  issuer,
  audience,
  algorithms: ["ES256"],
  typ: "at+jwt",
  currentDate: new Date(now * 1000),
  requiredClaims: ["exp", "iat", "client_id", "jti", "tenant"],
};
const answers = [];
for (const token of tokens) {
  try {
    await jwtVerify(token, keys, options);
    answers.push(true);
  } catch {
    answers.push(false);
  }
}
process.stdout.write(JSON.stringify(answers));
