// The editor: whatever is typed, the server says what form and file are then, and what is wrong with them.
const form = document.getElementById("editor");
const file = document.getElementById("toml");
const paint = document.getElementById("paint");
const fields = () => [...form.querySelectorAll("[data-field]")].map((box) => [box.dataset.field, box.querySelector("input, select, textarea"), box]);
let typed = 0;
let waiting = 0;
let asking = null;

const element = (name, text = "", settings = {}) => Object.assign(document.createElement(name), { textContent: text }, settings);

// ---- the file in colours: the same text, in spans, behind a field that is transparent

const pieces = /(#[^\n]*)|("""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?)|^([ \t]*\[[^\n#]*)|^([ \t]*[A-Za-z0-9_."'-]+)(?=[ \t]*=)/gm;
const kinds = ["comment", "text", "table", "key"];

const colour = () => {
  const text = file.value;
  const made = [];
  let at = 0;
  if (text.length < 50000) {
    for (const found of text.matchAll(pieces)) {
      made.push(text.slice(at, found.index), element("span", found[0], { className: kinds[found.slice(1).findIndex((each) => each !== undefined)] }));
      at = found.index + found[0].length;
    }
  }
  paint.replaceChildren(...made, `${text.slice(at)}\n`);
  paint.scrollTop = file.scrollTop;
};

// ---- what the server says

const told = (fault) => `${fault.message}. ${fault.remedy}`;

const showFaults = (faults, elsewhere) => {
  for (const [path, input, box] of fields()) {
    const fault = faults.find((each) => each.field === path);
    const place = box.querySelector(".wrong");
    const text = fault ? told(fault) : "";
    if (place.textContent !== text) place.textContent = text;
    if (fault) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
  document.getElementById("elsewhere").replaceChildren(...elsewhere.map((each) => element("li", `Line ${each.line}: ${told(each)}`)));
};

const showChanges = (changes, layout) => {
  const nothing = layout ? element("p", "Comments or layout alone: kept with this version, and nothing is built.") : element("p", "Nothing yet.", { className: "muted" });
  const list = element("ul", "", { className: "plain" });
  for (const [path, was, now] of changes) {
    const text = was && now ? ` ${was} → ${now}` : now ? ` becomes ${now}` : ` goes: ${was}`;
    const item = element("li");
    item.append(element("code", path), text);
    list.append(item);
  }
  document.getElementById("changes").replaceChildren(changes.length ? list : nothing);
};

const showNotice = (notice) => {
  const place = document.getElementById("notice");
  place.classList.toggle("hidden", !notice);
  place.replaceChildren(...(notice ? [element("strong", notice.cause), ` ${notice.remedy}`] : []));
};

const put = (input, value) => {
  if (input.value === value) return;
  if (input.tagName === "SELECT" && value && ![...input.options].some((each) => each.value === value)) input.append(element("option", value));
  input.value = value;
};

const show = (said) => {
  for (const [path, input] of fields()) put(input, said.typed[path]);
  form.elements.source.value = said.source;
  form.elements.was_source.value = said.source;
  form.elements.base.value = said.toml;
  if (file.value !== said.toml) {
    const [start, end] = [file.selectionStart, file.selectionEnd];
    file.value = said.toml;
    file.setSelectionRange(start, end);
  }
  colour();
  showFaults(said.faults, said.elsewhere);
  showChanges(said.changes, said.only_layout);
  showNotice(said.notice);
};

const sessionEnded = () => {
  const notice = document.getElementById("notice");
  showNotice({ cause: "Your session has ended.", remedy: "What you typed stays here. " });
  notice.append(element("a", "Sign in in another tab", { href: "/auth/login", target: "_blank" }), ", then go on.");
};

const check = async () => {
  asking?.abort();
  asking = new AbortController();
  const mine = typed;
  const answer = await fetch(`${form.getAttribute("action")}/check`, {
    method: "POST", body: new URLSearchParams(new FormData(form)), signal: asking.signal,
  });
  if (answer.status === 401) return sessionEnded();
  if (answer.ok) {
    const said = await answer.json();
    if (mine === typed) show(said);
  }
};

const soon = () => {
  typed += 1;
  clearTimeout(waiting);
  waiting = setTimeout(() => check().catch(() => {}), 250);
};

// ---- what people do

form.addEventListener("input", (event) => {
  if (event.target.id === "upload") return;
  if (event.target === file) colour();
  soon();
});
file.addEventListener("scroll", () => { paint.scrollTop = file.scrollTop; paint.scrollLeft = file.scrollLeft; });

const offerPin = () => {
  const found = document.querySelector("#found [data-digest]");
  const button = document.getElementById("pin");
  button.classList.toggle("hidden", !found);
  button.onclick = () => {
    put(document.getElementById("f.oci_artifact.digest"), found.dataset.digest);
    put(document.getElementById("f.oci_artifact.tag"), "");
    soon();
  };
};

const lookups = { resolve: "found", tags: "listed" };  // buttons that have a registry asked, and where its answer goes

form.addEventListener("submit", async (event) => {
  const act = event.submitter?.value;
  if (act === "take") {
    event.preventDefault();
    put(document.getElementById("f.oci_artifact.tag"), document.getElementById("tags").value);
    put(document.getElementById("f.oci_artifact.digest"), "");
    return soon();
  }
  if (!lookups[act]) return undefined;
  event.preventDefault();
  const place = document.getElementById(lookups[act]);
  place.replaceChildren(element("p", "Asking the registry…", { className: "busy" }));
  event.submitter.disabled = true;
  const body = new URLSearchParams(new FormData(form));
  body.set("act", act);
  const answer = await fetch(form.getAttribute("action"), { method: "POST", body }).catch(() => null);
  event.submitter.disabled = false;
  place.replaceChildren();
  if (answer?.status === 401) return sessionEnded();
  if (!answer?.ok) return showNotice({ cause: "The registry couldn't be asked.", remedy: "Try again." });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  place.replaceChildren(...page.getElementById(lookups[act]).childNodes);
  place.dispatchEvent(new Event("fresh", { bubbles: true }));
  const notice = page.getElementById("notice");
  const now = document.getElementById("notice");
  now.className = notice.className;
  now.replaceChildren(...notice.childNodes);
  offerPin();
  return undefined;
});

document.getElementById("files").classList.remove("hidden");
document.getElementById("copy-file").addEventListener("click", () => navigator.clipboard.writeText(file.value));
document.getElementById("download").addEventListener("click", () => {
  const name = document.getElementById("f.name").value || "component";
  const link = element("a", "", { href: URL.createObjectURL(new Blob([file.value], { type: "text/plain" })), download: `${name}.toml` });
  link.click();
  URL.revokeObjectURL(link.href);
});
document.getElementById("upload").addEventListener("change", async (event) => {
  const [chosen] = event.target.files;
  if (chosen) file.value = await chosen.text();
  colour();
  soon();
});

window.addEventListener("focus", async () => {  // credentials may have been added in another tab
  const names = form.querySelector("[data-names]");
  const answer = await fetch("/json/v1/credentials?limit=100").catch(() => null);
  if (!answer?.ok) return;
  for (const { ref } of await answer.json()) {
    if (![...names.options].some((each) => each.value === ref)) names.append(element("option", ref));
  }
});

form.classList.add("scripted");
colour();
offerPin();
