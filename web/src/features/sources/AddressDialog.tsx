import { Button, Input } from "antd";
import { useId } from "react";
import { Dialog } from "../../shared/ui/Dialog";

/** Where Stripe or Plaid has to send to, shown this once. */
export function AddressDialog({ address, onClose }: { address: string; onClose(): void }) {
  const id = useId();
  const plaid = address.includes("/webhooks/plaid/");
  return (
    <Dialog
      title="Address for webhooks"
      width={600}
      closable={false}
      keyboard={false}
      mask={{ closable: false }}
      footer={
        <Button type="primary" onClick={onClose}>
          {plaid ? "I have entered it at Plaid" : "I have entered it at Stripe"}
        </Button>
      }
    >
      <p>
        <strong>This is the only time that Finer shows it.</strong>{" "}
        {plaid
          ? "Give it to Plaid as the webhook of each link: new transactions are then read at once. Without it they are read at the next turn."
          : "Enter it as the endpoint's address at Stripe, pinned to the API version of the source."}
      </p>
      <label htmlFor={id}>Address</label>
      <Input id={id} readOnly value={address} className="mono" onFocus={(event) => event.target.select()} />
    </Dialog>
  );
}
