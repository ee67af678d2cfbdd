// Asks for the page again while somebody looks at it: 304 as long as nothing has changed, and else its new parts.
let news = 0;

const announce = (before, after) => {
  const said = (root) => [...root.querySelectorAll("[data-announce]")].map((each) => `${each.dataset.announce}: ${each.textContent.trim()}`).join(", ");
  if (said(before) !== said(after)) document.getElementById("news").textContent = said(after);
};

const replace = (fresh, prepare) => {
  const now = document.getElementById("content");
  const open = [...now.querySelectorAll("details[open]")].map((each) => each.id);
  const held = document.activeElement && now.contains(document.activeElement) ? document.activeElement : null;
  const place = held && [...now.querySelectorAll(held.tagName)].indexOf(held);
  announce(now, fresh);
  const made = document.adoptNode(fresh);
  for (const form of now.querySelectorAll("form[data-keep]")) {  // what is typed stays where it is about the same
    made.querySelector(`form[data-keep="${CSS.escape(form.dataset.keep)}"]`)?.replaceWith(form);
  }
  for (const id of open) made.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
  now.replaceWith(made);
  prepare(made);
  if (held) made.querySelectorAll(held.tagName)[place]?.focus({ preventScroll: true });
};

const tellEnd = (main) => {
  const banner = document.createElement("p");
  const link = document.createElement("a");
  banner.className = "banner";
  banner.setAttribute("role", "alert");
  link.href = `/auth/login?next=${encodeURIComponent(location.pathname + location.search)}`;
  link.textContent = "Sign in again";
  banner.append("Your session has ended. ", link, ".");
  main.append(banner);
};

const ask = async (main, prepare) => {
  const answer = await fetch(location.href, { headers: { "If-None-Match": main.dataset.etag, Accept: "text/html" }, cache: "no-store" });
  if (answer.status === 401) return tellEnd(main);
  if (answer.status === 200) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("main");
    main.dataset.etag = fresh.dataset.etag;
    main.dataset.live = fresh.dataset.live;
    replace(page.getElementById("content"), prepare);
  }
  return wait(main, prepare);
};

const wait = (main, prepare) => {
  clearTimeout(news);
  const seconds = Number(main.dataset.live);
  if (!seconds || document.hidden) return;
  news = setTimeout(() => ask(main, prepare).catch(() => wait(main, prepare)), seconds * 1000);
};

export const follow = (main, prepare) => {
  document.addEventListener("visibilitychange", () => wait(main, prepare));
  wait(main, prepare);
};
