// The banner that says that nothing is delivered comes and goes while a page is open. With each request the page tells
// what its banner says, and an answer brings another one when that has changed. Whoever types sees nothing move: it
// lies over the page, or leaves its place empty, until they go on to the next item or leave the field.
(() => {
  const banner = () => document.getElementById("pause");
  const typing = () => Boolean(document.activeElement && document.activeElement.closest("main form, dialog"));
  let height = 0;

  const release = () => {
    delete banner().dataset.over;
    banner().style.removeProperty("height");
  };
  document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-Standing"] = banner().dataset.told; });
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (event.detail.target !== banner()) return;
    height = "over" in banner().dataset ? 0 : banner().getBoundingClientRect().height;
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target.id !== "pause" || !typing()) return;
    if (height) banner().style.height = `${height}px`;
    else banner().dataset.over = "";
  });
  document.addEventListener("htmx:load", (event) => { if (event.target.id === "review") release(); });
  document.addEventListener("focusout", () => {
    window.setTimeout(() => { if (!document.getElementById("review") && !typing()) release(); });
  });
})();
