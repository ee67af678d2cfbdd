// Shows openapi.json and lets one try it. Everything is written as text, never as markup.
const root = document.baseURI.replace(/\/v1\/docs\/?([?#].*)?$/, "");
const told = ["etag", "location", "link", "x-nuon-page-next", "retry-after", "ratelimit", "x-request-id"];

const element = (name, text = "", settings = {}) => {
  const made = document.createElement(name);
  made.textContent = text;
  return Object.assign(made, settings);
};

const pretty = (text) => {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
};

const field = (parent, label, settings, multiline = false) => {
  const row = element("label", label);
  const input = element(multiline ? "textarea" : "input", "", { spellcheck: false, autocomplete: "off", ...settings });
  row.append(input);
  parent.append(row);
  return input;
};

const hint = (schema = {}) => {
  const each = schema.anyOf ? schema.anyOf.find((one) => one.type !== "null") : schema;
  const values = each.enum || (each.const !== undefined ? [each.const] : null);
  if (values) return values.join(" | ");
  return schema.default === undefined || schema.default === null ? "" : `${schema.default}`;
};

const request = (method, path, operation, inputs, body) => {
  let place = path;
  const query = new URLSearchParams();
  const headers = { Accept: "application/json" };
  for (const [parameter, input] of inputs) {
    if (!input.value) continue;
    if (parameter.in === "path") place = place.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    if (parameter.in === "query") query.set(parameter.name, input.value);
    if (parameter.in === "header") headers[parameter.name] = input.value;
  }
  if (body) headers["Content-Type"] = "application/json";
  return { url: `${root}${place}${query.size ? `?${query}` : ""}`, method, headers, body: body ? body.value : undefined };
};

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

const commandOf = ({ url, method, headers, body }, closed) => {
  const lines = [`curl -X ${method} ${quoted(url)}`];
  if (closed) lines.push('-H "Authorization: Bearer $BYOA_TOKEN"');
  for (const [name, value] of Object.entries(headers)) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (body) lines.push(`--data-binary ${quoted(body)}`);
  return lines.join(" \\\n  ");
};

const send = async (asked, closed, shown) => {
  const token = document.getElementById("token").value.trim();
  const headers = closed && token ? { ...asked.headers, Authorization: `Bearer ${token}` } : asked.headers;
  const began = performance.now();
  const answer = await fetch(asked.url, { method: asked.method, headers, body: asked.body, cache: "no-store" });
  const text = pretty(await answer.text());
  const lines = [`${answer.status} in ${Math.round(performance.now() - began)} ms`];
  for (const name of told) if (answer.headers.has(name)) lines.push(`${name}: ${answer.headers.get(name)}`);
  shown.textContent = text ? `${lines.join("\n")}\n\n${text}` : lines.join("\n");
};

const answers = (operation) => {
  const list = element("dl");
  for (const [status, each] of Object.entries(operation.responses)) {
    const answer = each.$ref ? description.components.responses[each.$ref.split("/").pop()] : each;
    const content = Object.entries(answer.content || {})[0];
    const kept = element("dd", answer.description);
    list.append(element("dt", status), kept);
    if (!content || content[1].example === undefined) continue;
    const example = element("details");
    example.append(element("summary", `example (${content[0]})`), element("pre", JSON.stringify(content[1].example, null, 2)));
    kept.append(example);
  }
  return list;
};

const tryIt = (method, path, operation) => {
  const form = element("form");
  const inputs = (operation.parameters || []).map((parameter) => {
    const label = `${parameter.name}${parameter.required ? "" : " (optional)"}: ${parameter.description || ""}`;
    return [parameter, field(form, label, { required: parameter.required, placeholder: parameter.example || hint(parameter.schema) })];
  });
  const content = operation.requestBody && operation.requestBody.content["application/json"];
  const body = content ? field(form, "body", { rows: 8, value: JSON.stringify(content.example, null, 2) || "" }, true) : null;
  const shown = element("pre", "", { hidden: true });
  shown.setAttribute("aria-live", "polite");
  const closed = operation.security.length > 0;
  const asked = () => request(method, path, operation, inputs, body);
  const show = (text) => { shown.hidden = false; shown.textContent = text; };
  const asCommand = element("button", "Show as curl", { type: "button" });
  asCommand.addEventListener("click", () => { if (form.reportValidity()) show(commandOf(asked(), closed)); });
  form.append(element("button", "Send"), asCommand);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show("asking");
    send(asked(), closed, shown).catch((error) => show(String(error)));
  });
  return [form, shown];
};

const operationBox = (method, path, operation) => {
  const box = element("details", "", { id: operation.operationId });
  const head = element("summary");
  head.append(element("span", method, { className: `method ${method.toLowerCase()}` }), element("span", path, { className: "path" }),
    element("span", operation["x-byoa-scope"], { className: "scope", title: "the scope that it needs" }), element("span", operation.summary));
  box.append(head);
  box.addEventListener("toggle", () => {
    if (!box.open || box.childElementCount > 1) return;
    box.append(element("p", operation.description), ...tryIt(method, path, operation), element("h3", "Answers"), answers(operation));
  });
  return box;
};

const find = (groups) => {
  const words = document.getElementById("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const [heading, boxes] of groups) {
    let any = false;
    for (const [box, text] of boxes) {
      box.hidden = !words.every((word) => text.includes(word));
      any = any || !box.hidden;
    }
    heading.hidden = !any;
  }
};

const description = await (await fetch(`${root}/v1/openapi.json`)).json();
const byTag = new Map();
for (const [path, methods] of Object.entries(description.paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    const [tag] = operation.tags;
    if (!byTag.has(tag)) byTag.set(tag, []);
    const text = [method, path, operation.operationId, operation.description].join(" ").toLowerCase();
    byTag.get(tag).push([operationBox(method.toUpperCase(), path, operation), text]);
  }
}
const main = document.getElementById("operations");
main.replaceChildren();
main.setAttribute("aria-busy", "false");
const groups = [...byTag].map(([tag, boxes]) => [element("h2", tag, { id: `group-${tag}` }), boxes]);
for (const [heading, boxes] of groups) {
  document.getElementById("groups").append(element("a", heading.textContent, { href: `#${heading.id}` }));
  main.append(heading, ...boxes.map(([box]) => box));
}
document.getElementById("find").addEventListener("input", () => find(groups));
const named = document.getElementById(location.hash.slice(1));
if (named) { named.open = true; named.scrollIntoView(); }
