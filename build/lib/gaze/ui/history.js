// The portraits made in this browser, as thumbnails.
// Runs once per mount, as the body of a function of element, props, trigger and watch (gr.HTML).
const root = (window.gradio_config?.root || location.origin).replace(/\/$/, "") + "/";
const build = () => {
  const box = element.querySelector(".history");
  box.replaceChildren();
  if (!props.value?.length) return;
  const title = document.createElement("p");
  title.textContent = "Made in this browser";
  box.append(title);
  for (const [index, made] of props.value.entries()) {
    const open = document.createElement("button");
    open.className = "thumbnail";
    open.setAttribute("aria-label", `Portrait ${index + 1}, open`);
    const picture = new Image();
    picture.src = new URL(made.poster, root).href;
    picture.alt = "";
    open.append(picture);
    open.onclick = () => trigger("open", {session: made.session});
    const remove = document.createElement("button");
    remove.className = "remove";
    remove.textContent = "×";
    remove.setAttribute("aria-label", `Portrait ${index + 1}, delete`);
    remove.onclick = () => {
      const sure = confirm("Delete this portrait for good? Its link will no longer work.");
      if (sure) trigger("remove", {session: made.session});
    };
    const entry = document.createElement("div");
    entry.append(open, remove);
    box.append(entry);
  }
  const clear = document.createElement("button");
  clear.className = "plain";
  clear.textContent = "Delete all";
  clear.onclick = () => {
    if (confirm("Delete all portraits made in this browser for good?")) trigger("clear", {});
  };
  box.append(clear);
};
build();
watch("value", build);
