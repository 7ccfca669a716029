/** Changes to what people wrote about runs, each of which can be taken back. */

import { send } from "../core/api.js";
import { plural } from "../core/format.js";
import { tell, toast } from "../core/ui.js";

const CHUNK = 5000;

/** What is written about some runs, by run_key; runs without a word are left out. */
export async function written(keys) {
  const { annotations } = await send("POST", "annotations", { runs: keys });
  return new Map(annotations.map((one) => [one.run_key, one]));
}

async function patch(keys, change) {
  for (let i = 0; i < keys.length; i += CHUNK) await send("PATCH", "annotations", { runs: keys.slice(i, i + CHUNK), ...change });
}

/** The keys by what is to be written back about them. */
function byValue(keys, before, field, fallback) {
  const groups = new Map();
  for (const key of keys) {
    const value = before.get(key)?.[field] ?? fallback;
    groups.set(value, [...(groups.get(value) ?? []), key]);
  }
  return groups;
}

function offerUndo(text, undo, after) {
  const run = async () => {
    try {
      await undo();
      after();
      toast("Undone");
    } catch (error) {
      toast(tell(error), { bad: true });
    }
  };
  toast(text, { action: { label: "Undo", run } });
}

/** Set name, notes or archived of runs. @param {string[]} keys @param {Record<string, any>} change @param {string} told @param {() => void} after */
export async function write(keys, change, told, after) {
  const before = await written(keys);
  await patch(keys, { set: change });
  after();
  const undo = async () => {
    for (const field of Object.keys(change)) {
      const groups = byValue(keys, before, field, field === "archived" ? false : "");
      for (const [value, some] of groups) await patch(some, { set: { [field]: value } });
    }
  };
  offerUndo(told, undo, after);
}

/** Add and remove tags. @param {string[]} keys @param {{add?: string[], remove?: string[]}} change @param {() => void} after */
export async function retag(keys, { add = [], remove = [] }, after) {
  const before = await written(keys);
  const has = (key, tag) => before.get(key)?.tags.includes(tag) ?? false;
  await patch(keys, { add_tags: add, remove_tags: remove });
  after();
  const undo = async () => {
    for (const tag of add) {
      const some = keys.filter((key) => !has(key, tag));
      if (some.length) await patch(some, { remove_tags: [tag] });
    }
    for (const tag of remove) {
      const some = keys.filter((key) => has(key, tag));
      if (some.length) await patch(some, { add_tags: [tag] });
    }
  };
  const what = [...add.map((tag) => `tagged “${tag}”`), ...remove.map((tag) => `“${tag}” taken off`)].join(", ");
  offerUndo(`${plural(keys.length, "run")}: ${what}`, undo, after);
}
