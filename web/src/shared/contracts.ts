const WORDS: Readonly<Record<string, string>> = {
  academic_record: "Academic records",
  activity: "Activity",
  customer_profile: "Customer profiles",
  loan_history: "Loan histories",
  market_price: "Market prices",
  order: "Orders",
  social_post: "Social posts",
  system_metric: "System metrics",
  telco_usage: "Telco usage",
  transaction: "Transactions",
  utility_payment: "Utility payments",
};

/** The records of a contract as people say it: "Utility payments" for utility_payment, "Loans" for a firm's own loans. */
export function contractWord(contract: string): string {
  const words = contract.replaceAll("_", " ");
  return WORDS[contract] ?? `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
