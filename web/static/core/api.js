/** The server's API: JSON in and out, errors with what to do. */

/** The event of the window that a question found no server. */
export const UNREACHABLE = "boardlake-unreachable";

/** What the server refuses, and why. */
export class ApiError extends Error {
  /** @param {{kind?: string, message: string, hint?: string, field?: string|null, text?: string|null, position?: number|null}} told @param {number} status */
  constructor(told, status) {
    super(told.message);
    this.kind = told.kind ?? "Error";
    this.hint = told.hint ?? "";
    this.field = told.field ?? null;
    this.text = told.text ?? null;
    this.position = told.position ?? null;
    this.status = status;
  }
}

/** The address of a question: empty values and empty lists are left out, lists joined by commas. */
export function address(path, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value == null || value === "" || value === false || (Array.isArray(value) && !value.length)) continue;
    query.set(name, Array.isArray(value) ? value.join(",") : String(value));
  }
  const text = query.toString();
  return `/api/v1/${path}${text ? `?${text}` : ""}`;
}

/** The server's answer; what is none, or a refusal, is thrown. @param {string} url @param {RequestInit} [options] */
export async function fetched(url, options) {
  let answer;
  try {
    answer = await fetch(url, options);
  } catch (error) {
    if (/** @type {Error} */ (error).name === "AbortError") throw error;
    dispatchEvent(new Event(UNREACHABLE));
    throw new ApiError({ kind: "Unreachable", message: "the server does not answer", hint: "Is `boardlake up` or `boardlake serve` still running?" }, 0);
  }
  if (!answer.ok) {
    const told = await answer.json().then((body) => body.error, () => null);
    throw new ApiError(told ?? { message: `the server answers ${answer.status}` }, answer.status);
  }
  return answer;
}

/** GET an answer. @param {string} path @param {Record<string, any>} [params] @param {AbortSignal} [signal] */
export async function get(path, params, signal) {
  return (await fetched(address(path, params), { signal })).json();
}

function sending(method, body, signal) {
  return { method, signal, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

/** Send JSON, get JSON (or null where there is nothing to tell). */
export async function send(method, path, body, signal) {
  const answer = await fetched(`/api/v1/${path}`, sending(method, body, signal));
  return answer.status === 204 ? null : answer.json();
}

/** POST JSON, get bytes. @returns {Promise<ArrayBuffer>} */
export async function bytesOf(path, body, signal) {
  return (await fetched(`/api/v1/${path}`, sending("POST", body, signal))).arrayBuffer();
}

/** Whether an error only says that its question was withdrawn. */
export function withdrawn(error) {
  return error?.name === "AbortError";
}
