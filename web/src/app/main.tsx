import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { giveStylesTheNonce } from "../shared/nonce";
import { App } from "./App";
import "./styles.css";
import "./print.css";

giveStylesTheNonce();
const root = document.getElementById("root");
if (!root) throw new Error("The page has no element #root.");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
