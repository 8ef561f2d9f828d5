// A page that is opened as a file may not read other files, and so Sphinx's search would find titles
// without their sentences. The words of all pages are in texts.js, which a script may load.
if (location.protocol === "file:" && location.pathname.endsWith("/search.html")) {
  const texts = new Promise((ready) => {
    const script = document.createElement("script");
    script.src = "_static/texts.js";
    script.onload = () => ready(globalThis.TEXTS);
    document.head.append(script);
  });
  globalThis.fetch = async (address) => new Response((await texts)[address.split("/").pop()] ?? "");
}
