// What every page has: moments in the reader's zone, buttons that copy, lists that filter, and news without a reload.
import { tellTimes } from "./times.js";
import { follow } from "./live.js";

const offerCopies = (root) => {
  for (const code of root.querySelectorAll(".copied:not([data-offered])")) {
    code.dataset.offered = "";
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "copy", textContent: "Copy" });
    const text = code.dataset.copy || code.textContent;
    button.setAttribute("aria-label", `Copy ${text.length > 80 ? `${text.slice(0, 80)}…` : text}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    code.after(button);
  }
};

const offerFilters = (root) => {
  for (const box of root.querySelectorAll("[data-filter].hidden")) {
    box.classList.remove("hidden");
    const items = document.getElementById(box.dataset.filter).children;
    const input = box.querySelector("input");
    input.addEventListener("input", () => {
      for (const item of items) item.classList.toggle("hidden", !item.textContent.toLowerCase().includes(input.value.toLowerCase()));
    });
  }
};

const prepare = (root) => {
  offerCopies(root);
  offerFilters(root);
  if (root.querySelector("[data-receipt]")) import("./receipt.js").then(({ offerCheck }) => offerCheck(root));
  tellTimes(root);
};

const fillToken = () => {  // a sign-in link has the token where no server and no log sees it
  if (!location.hash.startsWith("#byoa_")) return;
  const token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname + location.search);  // also where somebody is signed in already
  const field = document.getElementById("token");
  if (!field) return;
  field.value = token;
  const whose = document.getElementById("whose");  // a stranger's link leads into the stranger's organisation
  whose.querySelector("strong").textContent = token.match(/^byoa_(org_[a-z0-9]{12,40})_/)?.[1] ?? "an organisation that it doesn't name";
  whose.hidden = false;
  field.form.querySelector("button").focus();
};

prepare(document);
document.addEventListener("fresh", (event) => prepare(event.target));  // what a script of a page put into it
fillToken();
setInterval(() => tellTimes(document), 15000);
follow(document.getElementById("main"), prepare);
