// A story as a file: story.json is made here, story.html by the miner, which has the book's template.
import { save } from "./ui.js";

/** A name that every system takes: letters and digits of any script. */
export function fileName(story, ending) {
  const title = String((story.blueprint && story.blueprint.title) || (story.story_arc && story.story_arc.title) || "story");
  const plain = title.normalize("NFC").replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 60);
  return `${plain || "story"}.${ending}`;
}

/** Saves the self-contained book of a story; throws an error with the miner's words. */
export async function downloadBook(story) {
  const reply = await fetch("/api/book", { method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" }, body: JSON.stringify(story) });
  if (!reply.ok) throw new Error(await reply.json().then((r) => r.message, () => `${reply.status} ${reply.statusText}`));
  save(fileName(story, "html"), await reply.text(), "text/html");
}
