// Checks a receipt's signature here, in the browser: ECDSA over P-256 with SHA-256, of what DSSE says that it is of.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));

const integer = (der, at) => {  // one of DER's two, as 32 bytes
  const length = der[at + 1];
  const found = der.slice(at + 2, at + 2 + length);
  const value = found.slice(Math.max(0, found.length - 32));
  return [[...new Uint8Array(32 - value.length), ...value], at + 2 + length];
};

const raw = (der) => {
  const [r, next] = integer(der, 2);
  const [s] = integer(der, next);
  return new Uint8Array([...r, ...s]);
};

const get = async (path) => {
  const answer = await fetch(`/json${path}`);
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
};

const check = async (place) => {
  const [receipt, { public_key: pem }] = await Promise.all([get(`${place}/receipt`), get("/v1/general/receipt-key")]);
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const der = bytes(pem.replace(/-----[^-]+-----|\s/g, ""));
  const key = await crypto.subtle.importKey("spki", der, algorithm, false, ["verify"]);
  const payload = bytes(receipt.payload);
  const kind = new TextEncoder().encode(receipt.payloadType);
  const head = new TextEncoder().encode(`DSSEv1 ${kind.length} ${receipt.payloadType} ${payload.length} `);
  const signed = new Uint8Array([...head, ...payload]);
  const good = await Promise.all(receipt.signatures.map(({ sig }) =>
    crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, raw(bytes(sig)), signed)));
  return good.includes(true);
};

export const offerCheck = (root) => {
  for (const box of root.querySelectorAll("[data-receipt]")) {
    const button = box.querySelector("button.quiet");
    if (!button || button.dataset.offered) continue;
    button.dataset.offered = "yes";
    button.parentElement.classList.remove("hidden");
    const verdict = box.querySelector(".verdict");
    button.addEventListener("click", async () => {
      verdict.textContent = "Checking…";
      const good = await check(box.dataset.receipt).catch(() => null);
      verdict.className = `verdict ${good ? "good" : "bad"}`;
      verdict.textContent = good === null ? "The receipt or its key could not be read." :
        good ? "The signature is the platform's key's, of exactly this receipt." : "The receipt was altered, or another key signed it.";
    });
  }
};
