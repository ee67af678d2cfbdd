// Shows openapi.json and lets one try it. Everything is written as text, never as markup.
const root = document.baseURI.replace(/\/v1\/docs\/?$/, "");

const element = (name, text = "", settings = {}) => {
  const made = document.createElement(name);
  made.textContent = text;
  return Object.assign(made, settings);
};

const field = (parent, label, multiline = false) => {
  const row = element("label", label);
  const input = element(multiline ? "textarea" : "input", "", { spellcheck: false });
  row.append(input);
  parent.append(row);
  return input;
};

const send = async (method, path, operation, inputs, body, shown) => {
  let place = path;
  const query = new URLSearchParams();
  const headers = { Accept: "application/json" };
  for (const [parameter, input] of inputs) {
    if (!input.value) continue;
    if (parameter.in === "path") place = place.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    if (parameter.in === "query") query.set(parameter.name, input.value);
    if (parameter.in === "header") headers[parameter.name] = input.value;
  }
  const token = document.getElementById("token").value.trim();
  if (token && operation.security.length) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  const search = query.size ? `?${query}` : "";
  const answer = await fetch(`${root}${place}${search}`, { method, headers, body: body ? body.value : undefined });
  const text = await answer.text();
  let readable = text;
  try { readable = JSON.stringify(JSON.parse(text), null, 2); } catch { /* no JSON */ }
  shown.textContent = `${answer.status}\n${readable}`;
};

const show = (method, path, operation) => {
  const box = element("details");
  const head = element("summary");
  head.append(element("span", method.toUpperCase(), { className: "method" }), element("span", path, { className: "path" }),
    element("span", ` ${operation.summary}`));
  box.append(head, element("p", operation.description));
  const form = element("form");
  const inputs = (operation.parameters || []).map((parameter) =>
    [parameter, field(form, `${parameter.name}${parameter.required ? "" : " (optional)"}: ${parameter.description || ""}`)]);
  const content = operation.requestBody && operation.requestBody.content["application/json"];
  const body = content ? field(form, "body", true) : null;
  if (body) Object.assign(body, { rows: 8, value: JSON.stringify(content.example, null, 2) || "" });
  const shown = element("pre", Object.entries(operation.responses).map(([status, each]) => `${status} ${each.description}`).join("\n"));
  form.append(element("button", "Send"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(method.toUpperCase(), path, operation, inputs, body, shown).catch((error) => { shown.textContent = String(error); });
  });
  box.append(form, shown);
  return box;
};

const description = await (await fetch(`${root}/v1/openapi.json`)).json();
const main = document.getElementById("operations");
main.replaceChildren();
const groups = new Map();
for (const [path, methods] of Object.entries(description.paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    const [tag] = operation.tags;
    if (!groups.has(tag)) groups.set(tag, []);
    groups.get(tag).push(show(method, path, operation));
  }
}
for (const [tag, boxes] of groups) main.append(element("h2", tag), ...boxes);
