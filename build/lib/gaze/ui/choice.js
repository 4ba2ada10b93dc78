// Pictures to choose from: `title`, `name` (what each is), `pictures`, and `chosen`, where one is already.
// Runs once per mount, as the body of a function of element, props, trigger and watch (gr.HTML).
const build = () => {
  const box = element.querySelector(".choice"), offered = props.value;
  box.replaceChildren();
  if (!offered) return;
  const title = document.createElement("p");
  title.textContent = offered.title;
  box.append(title);
  for (const [number, picture] of offered.pictures.entries()) {
    const button = document.createElement("button");
    button.setAttribute("aria-label", `${offered.name} ${number + 1}`);
    if ("chosen" in offered) button.setAttribute("aria-pressed", String(number === offered.chosen));
    button.append(Object.assign(new Image(), {src: picture, alt: ""}));
    button.onclick = () => {
      if ("chosen" in offered) {
        props.value = {...offered, chosen: number};
        build();
      }
      trigger("choose", {number});
    };
    box.append(button);
  }
};
build();
watch("value", build);
