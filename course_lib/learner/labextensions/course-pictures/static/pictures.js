// An extension of JupyterLab 4, written as its pages load it, so that there is nothing to build.
//
// The start page shows the learner's progress as it is whenever one comes to the page.
//
// JupyterLab shows a PNG without its alternative text. Its sliders have no names, and in place of an
// explorer whose kernel has ended it shows an error, although the notebook has stored a picture.
globalThis._JUPYTERLAB ??= {};
globalThis._JUPYTERLAB["course-pictures"] = (() => {
  const WIDGET = "application/vnd.jupyter.widget-view+json";
  const PNG = "image/png";
  const START_PAGE = "00_start_here";
  const PROGRESS = "from course_lib.learner import start\n\nstart.my_progress()";
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

  /** Runs the one cell that shows the learner's progress, if a person has not changed it. */
  const showProgress = async (panel, CodeCell) => {
    await panel.context.ready;
    if (panel.model.getMetadata("course")?.lesson !== START_PAGE) return;
    await panel.sessionContext.ready;
    const cell = panel.content.widgets.find(
      ({ model }) => model.type === "code" && model.sharedModel.getSource() === PROGRESS,
    );
    if (cell) await CodeCell.execute(cell, panel.sessionContext);
  };

  const plugin = ({ INotebookTracker }, { IRenderMimeRegistry, ...rendermime }, { CodeCell }) => ({
    id: "course-pictures:plugin",
    autoStart: true,
    requires: [INotebookTracker, IRenderMimeRegistry],
    activate: (_, notebooks, images) => {
      images.addFactory(describedImages(rendermime), 90); // the rank of JupyterLab's own
      notebooks.currentChanged.connect((_, panel) => panel && showProgress(panel, CodeCell));
      notebooks.widgetAdded.connect((_, { content: { rendermime: registry } }) => {
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
