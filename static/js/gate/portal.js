// How the page speaks to the portal: as the device that its cookie says, and never for longer than a queue waits.

const PATIENCE = 2500;

export class Away extends Error {}
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || "");
    this.status = status;
    this.code = problem.code;
  }
}

export async function ask(root, path, body, patience = PATIENCE) {
  const options = { headers: { "X-Gate": "1", Accept: "application/json" }, signal: AbortSignal.timeout(patience), cache: "no-store" };
  if (body !== undefined) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(root + path, options);
    if (answer.ok) return await answer.json();
  } catch {
    throw new Away();
  }
  if (answer.status >= 500) throw new Away();
  throw new Refused(answer.status, await answer.json().catch(() => ({})));
}
