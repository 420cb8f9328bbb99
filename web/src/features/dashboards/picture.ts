import { saveFile } from "../../shared/csv";

const HEAD_PX = 48;
const FOOT_PX = 28;

/** Saves a tile as a PNG: its title, its chart or number, and as of when it was. */
export async function savePicture(frame: HTMLElement, title: string): Promise<void> {
  const scale = window.devicePixelRatio || 1;
  const style = getComputedStyle(frame);
  const width = frame.clientWidth;
  const drawn = frame.querySelector("canvas");
  const number = frame.querySelector(".dash-figure")?.textContent ?? "";
  const height = HEAD_PX + (drawn ? drawn.clientHeight : 80) + FOOT_PX;
  const canvas = document.createElement("canvas");
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.scale(scale, scale);
  pen.fillStyle = style.backgroundColor;
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = style.color;
  pen.font = `600 15px ${style.fontFamily}`;
  pen.fillText(title, 14, 30, width - 28);
  if (drawn) {
    pen.drawImage(drawn, (width - drawn.clientWidth) / 2, HEAD_PX, drawn.clientWidth, drawn.clientHeight);
  } else {
    pen.font = `600 32px ${style.fontFamily}`;
    pen.fillText(number, 14, HEAD_PX + 44, width - 28);
  }
  pen.font = `12px ${style.fontFamily}`;
  pen.fillText(frame.querySelector(".asof")?.getAttribute("title") ?? "", 14, height - 10, width - 28);
  const file = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve, "image/png");
  });
  if (file) saveFile(`${title.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60) || "tile"}.png`, file);
}
