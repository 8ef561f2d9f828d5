// An extension of JupyterLab 4, written as its pages load it, so that there is nothing to build.
//
// Where a lesson says "Guess first", it gives a field to write in. The guess is kept in the notebook,
// and shown again where the answer stands.
//
// The first and the last page show the learner's progress as it is whenever one comes to them.
//
// In the dark theme pictures, which are light, are dimmed. A fold keeps its distance from the text
// below, which it does not belong to.
//
// A narrow page keeps the columns of printed tables, in smaller letters, and what is wider still can be
// scrolled to; it keeps the three dots at the end of a collapsed cell, too.
//
// A link leads to its section: JupyterLab guesses how high cells are that nobody has seen yet, and
// forgets the section while it opens a notebook.
//
// JupyterLab shows a PNG without its alternative text. Its sliders have no names, and in place of an
// explorer whose kernel has ended it shows an error, although the notebook has stored a picture.
globalThis._JUPYTERLAB ??= {};
globalThis._JUPYTERLAB["course-pictures"] = (() => {
  const WIDGET = "application/vnd.jupyter.widget-view+json";
  const PNG = "image/png";
  const PROGRESS = "from course_lib.learner import start\n\nstart.my_progress()";
  const DARK = "[data-jp-theme-light=false]";
  const DIMMED = [".jp-RenderedImage", ".jp-MarkdownOutput", ".widget-html-content"]
    .map((place) => `${DARK} ${place} img`)
    .join(", ");
  const PRINTED = ".jp-RenderedText[data-mime-type='application/vnd.jupyter.stdout']";
  const STYLE =
    `${DIMMED} { filter: brightness(0.85); border-radius: 4px; }` +
    ".jp-MarkdownOutput details { margin-bottom: 1em; }" +
    `${PRINTED} { container-type: inline-size; }` +
    `${PRINTED} pre { word-break: normal; font-size: clamp(10px, 1.85cqi, var(--jp-code-font-size)); }` +
    `@container (max-width: 900px) { ${PRINTED} pre { white-space: pre; overflow-x: auto; } }` +
    ".jp-Placeholder { min-width: 0; } .jp-InputPlaceholder, .jp-Placeholder-content { overflow: hidden; }" +
    ".jp-Notebook-cell { content-visibility: visible !important; }";
  const NO_KERNEL = "To move the sliders, run the cells above this one, then this one.";
  let shared;

  /** A module that JupyterLab shares with its extensions. */
  const load = async (name) => (await Object.values(shared[name])[0].get())();

  /** Images that say what they show: in the words of the course, or else in those of Python. */
  const describedImages = ({ RenderedImage }) => {
    class DescribedImage extends RenderedImage {
      async render(model) {
        await super.render(model);
        const words = model.metadata[PNG]?.alt ?? model.data["text/plain"];
        this.node.querySelector("img").alt = words ?? "A picture without a description";
      }
    }
    return {
      safe: true,
      mimeTypes: [PNG],
      createRenderer: (options) => new DescribedImage(options),
    };
  };

  /** Each slider is called what is written before it. */
  const nameSliders = (node) => {
    for (const handle of node.querySelectorAll("[role=slider]:not([aria-label])")) {
      const label = handle.closest(".widget-slider")?.querySelector(".widget-label");
      if (label?.textContent) handle.setAttribute("aria-label", label.textContent);
    }
  };

  /** Widgets with names or, where the renderer has found no widget, the stored picture. */
  const improved = (renderer, registry) => {
    // The parts of a widget come one after the other.
    new MutationObserver(() => nameSliders(renderer.node)).observe(renderer.node, {
      childList: true,
      subtree: true,
    });
    const renderModel = renderer.renderModel.bind(renderer);
    renderer.renderModel = async (model) => {
      await renderModel(model);
      const lost = renderer.node.textContent === "Error displaying widget: model not found";
      if (!lost || !(PNG in model.data)) return;
      const picture = registry.createRenderer(PNG);
      await picture.renderModel(model);
      renderer.node.textContent = NO_KERNEL;
      renderer.removeClass("jupyter-widgets");
      renderer.addWidget(picture);
    };
    return renderer;
  };

  /** Called when cells have been drawn, at most a few times a second. */
  const whenDrawn = (node, act) => {
    let waiting;
    new MutationObserver(() => {
      waiting ??= setTimeout(() => {
        waiting = undefined;
        act();
      }, 300);
    }).observe(node, { childList: true, subtree: true });
  };

  /** A field below each question, and the guess again above the text that follows. */
  const askForGuesses = ({ content: { widgets } }) => {
    const texts = widgets.filter(({ model }) => model.type === "markdown");
    texts.forEach(({ model, node }, place) => {
      const asked = [...node.querySelectorAll(".jp-MarkdownOutput p > strong")].filter((strong) =>
        strong.textContent.startsWith("Guess first"),
      );
      const guesses = () => model.getMetadata("guesses") ?? [];
      const repeat = () => repeatGuess(texts[place + 1]?.node, guesses().filter(Boolean));
      asked.forEach((strong, number) => {
        const question = strong.closest("p");
        if (question.nextElementSibling?.matches(".course-guess")) return;
        const [label, field] = ["label", "input"].map((tag) => document.createElement(tag));
        label.className = "course-guess";
        label.style = "display:flex;gap:0.5em;align-items:baseline;max-width:45em;margin-bottom:1em";
        field.style =
          "flex:1;font:inherit;padding:0.2em 0.4em;color:inherit;background:transparent;" +
          "border:1px solid var(--jp-ui-font-color2)";
        field.value = guesses()[number] ?? "";
        field.addEventListener("input", () => {
          const changed = asked.map((_, n) => guesses()[n] ?? "");
          changed[number] = field.value.trim();
          model.setMetadata("guesses", changed);
          repeat();
        });
        label.append("Your guess:", field);
        question.after(label);
      });
      if (asked.length) repeat();
    });
  };

  const repeatGuess = (node, guesses) => {
    const text = node?.querySelector(".jp-MarkdownOutput");
    if (!text) return;
    const words = guesses.length ? `You guessed: ${guesses.join(" · ")}` : "";
    let shown = text.querySelector(":scope > .course-guessed");
    if ((shown?.textContent ?? "") === words) return;
    if (!shown) {
      shown = document.createElement("p");
      shown.className = "course-guessed";
      shown.style = "font-style:italic";
      text.prepend(shown);
    }
    shown.textContent = words;
    shown.hidden = !words;
  };

  /** Goes to a section of a notebook that a link has opened, once its heading is drawn. */
  const goToSection = async (panel, link) => {
    const section = CSS.escape(decodeURIComponent(link.slice(1)));
    const find = () => panel.content.node.querySelector(`[data-jupyter-id="${section}"]`);
    for (let tries = 0; tries < 200 && !find(); tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    find()?.scrollIntoView();
  };

  /** Runs the one cell that shows the learner's progress, if a person has not changed it. */
  const showProgress = async (panel, CodeCell) => {
    await panel.context.ready;
    if (panel.model.getMetadata("course") === undefined) return;
    await panel.sessionContext.ready;
    const cell = panel.content.widgets.find(
      ({ model }) => model.type === "code" && model.sharedModel.getSource() === PROGRESS,
    );
    // Run All, or the end of the kernel, may overtake it: then it is not wanted any more.
    if (cell) await CodeCell.execute(cell, panel.sessionContext).catch(() => {});
  };

  const plugin = ({ INotebookTracker }, { IRenderMimeRegistry, ...rendermime }, { CodeCell }) => ({
    id: "course-pictures:plugin",
    autoStart: true,
    requires: [INotebookTracker, IRenderMimeRegistry],
    activate: ({ commands }, notebooks, images) => {
      const style = document.createElement("style");
      style.textContent = STYLE;
      document.head.append(style);
      images.addFactory(describedImages(rendermime), 90); // the rank of JupyterLab's own
      notebooks.currentChanged.connect((_, panel) => panel && showProgress(panel, CodeCell));
      commands.commandExecuted.connect(async (_, { id, args, result }) => {
        if (id !== "rendermime:handle-local-link" || !args.id) return;
        await result;
        const panel = notebooks.find(({ context }) => context.path === args.path);
        if (panel) goToSection(panel, args.id);
      });
      notebooks.widgetAdded.connect((_, panel) => {
        whenDrawn(panel.content.node, () => askForGuesses(panel));
        const { rendermime: registry } = panel.content;
        const create = registry.createRenderer.bind(registry);
        registry.createRenderer = (type) =>
          type === WIDGET ? improved(create(type), registry) : create(type);
      });
    },
  });

  return {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const parts = ["notebook", "rendermime", "cells"].map((name) => load(`@jupyterlab/${name}`));
      const made = plugin(...(await Promise.all(parts)));
      return () => ({ __esModule: true, default: made });
    },
  };
})();
