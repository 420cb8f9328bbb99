/** What a case can be linked with. */
export const KINDS: Record<string, string> = {
  customer: "Customer",
  account: "Account",
  device: "Device",
  card: "Card",
  payee: "Payee",
  email: "E-mail address",
  phone: "Phone number",
};
