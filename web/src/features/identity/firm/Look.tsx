import { CheckCircleFilled, InfoCircleFilled } from "@ant-design/icons";
import { AA, contrast, inkOn } from "../../../shared/colour";
import { primaryOf } from "../../../shared/look";

const GROUNDS = [
  { dark: false, word: "Light", surface: "#ffffff", text: "#17202b", line: "#dce1e7" },
  { dark: true, word: "Dark", surface: "#151c24", text: "#e3e9ef", line: "#2a3542" },
] as const;

/** The brand as people will see it on light and dark ground, and whether it can be read there. */
export function Look({ name, colour }: { name: string; colour: string | undefined }) {
  return (
    <section className="look" aria-label="Preview">
      {GROUNDS.map((ground) => {
        const used = primaryOf({ dark: ground.dark, brand: colour });
        // Without a colour of the firm's own there is nothing to be made readable: Finer's is that on both grounds.
        const wanted = colour ?? used;
        const ratio = contrast(ground.surface, wanted);
        const fits = used.toLowerCase() === wanted.toLowerCase();
        return (
          <figure key={ground.word} className="look-card">
            <div
              className="look-ground"
              style={{ background: ground.surface, color: ground.text, borderColor: ground.line }}
            >
              <span className="look-brand" style={{ borderBottomColor: used }}>
                {name || "Your firm"}
              </span>
              <span className="look-line">
                <span className="look-button" style={{ background: used, color: inkOn(used) }}>
                  Confirm
                </span>
                <span style={{ color: used }}>A link</span>
              </span>
            </div>
            <figcaption>
              {fits ? (
                <CheckCircleFilled className="look-good" />
              ) : (
                <InfoCircleFilled className="look-note" />
              )}{" "}
              {ground.word}: contrast {ratio.toFixed(1)} : 1
              {fits ? "" : `, under what is needed (${AA}). Finer shows ${used} instead.`}
            </figcaption>
          </figure>
        );
      })}
    </section>
  );
}
