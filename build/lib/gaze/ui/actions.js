// What can be done with the portrait on the stage.
// Runs once per mount, as the body of a function of element, props, trigger and watch (gr.HTML).
const root = (window.gradio_config?.root || location.origin).replace(/\/$/, "") + "/";
const build = () => {
  const box = element.querySelector(".actions"), made = props.value;
  box.replaceChildren();
  if (!made) return;
  const add = (tag, text, className) => {
    const child = document.createElement(tag);
    child.textContent = text;
    child.className = className;
    box.append(child);
    return child;
  };
  const zip = add("a", "Download", "primary");
  zip.href = new URL(made.zip, root).href;
  zip.download = made.zip.split("/").pop();
  const link = add("button", "Copy link", "plain");
  link.onclick = async () => {
    const page = new URL(made.page || location.href);
    page.search = "?session=" + made.session;
    page.hash = "";
    try {
      await navigator.clipboard.writeText(page.href);
      link.textContent = "Link copied";
    } catch {
      prompt("Copy this link:", page.href);
    }
    setTimeout(() => { link.textContent = "Copy link"; }, 2000);
  };
  add("button", "Embed", "plain").onclick = () => {
    const panel = document.querySelector("#embed"), head = panel.querySelector("button");
    if (head.getAttribute("aria-expanded") !== "true" && !head.classList.contains("open")) head.click();
    panel.scrollIntoView({behavior: "smooth", block: "start"});
  };
  if (!made.owned) return;
  add("button", "Delete", "plain").onclick = () => {
    const sure = confirm("Delete this portrait for good? Its link will no longer work.");
    if (sure) trigger("remove", {session: made.session});
  };
};
build();
watch("value", build);
