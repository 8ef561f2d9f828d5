// What the explorers that compute in the browser share. Python puts this and one explorer's module
// into a script beside the element <course-NAME controls="…" data="…" size="…">, which holds a
// picture for readers that run no scripts (see __init__.py). Nothing else is loaded.

const STYLE = `
  .course-explorer { --blue: #005b8e; --orange: #dd7711; --gray: #d9d9d9;
    --ink: var(--jp-content-font-color0, var(--pst-color-text-base, #1a1a1a));
    --paper: var(--jp-layout-color0, var(--pst-color-background, #fff));
    display: block; max-width: 960px; padding: 4px; color: var(--ink); container-type: inline-size; }
  [data-jp-theme-light=false] .course-explorer, [data-theme=dark] .course-explorer {
    --blue: #58aee6; --orange: #f5a54a; --gray: #454545; }
  .course-explorer .controls { display: grid; grid-template-columns: fit-content(40%) 1fr minmax(5em, max-content);
    gap: 0.5em 1em; align-items: center; margin: 0 0 0.5em; font-size: 14px; }
  .course-explorer input { width: 100%; margin: 0; height: 1.5em; accent-color: var(--blue); }
  .course-explorer select { justify-self: start; font: inherit; color: var(--ink);
    background: var(--paper); border: 1px solid currentColor; padding: 0.15em 0.5em; }
  .course-explorer option { color: var(--ink); background: var(--paper); }
  .course-explorer output { font-variant-numeric: tabular-nums; padding: 0; }
  .course-explorer > svg { display: block; width: 100%; height: auto; max-height: max(300px, 58vh);
    font-size: 13px; font-family: inherit; }
  .course-explorer text { fill: var(--ink); }
  .course-explorer .small { font-size: 12px; }
  .course-explorer .big { font-weight: bold; font-size: 14.5px; }
  @container (max-width: 720px) {  /* where the picture shrinks, its letters shrink less */
    .course-explorer > svg { font-size: 16.5px; } .course-explorer .small { font-size: 16px; }
    .course-explorer .big { font-size: 17px; } }
  .course-explorer :is(path, line, rect, circle) { fill: none; stroke: var(--ink); }
  .course-explorer .blue { stroke: var(--blue); stroke-width: 2.2; }
  .course-explorer .orange { stroke: var(--orange); stroke-width: 2.2; }
  .course-explorer .gray { stroke: var(--gray); stroke-width: 1.2; }
  .course-explorer .dashed { stroke-dasharray: 7 4; }
  .course-explorer .dotted { stroke-dasharray: 2 3; }
  .course-explorer .solid { fill: var(--ink); }
  .course-explorer .bar { fill: var(--blue); }
  .course-explorer .back { fill: var(--gray); }
  .course-explorer .mark { fill: var(--orange); }
  .course-explorer .dot { fill: var(--blue); stroke: none; }
  .course-explorer .square { fill: var(--orange); fill-opacity: 0.45; }
`;

/** Python's format(value, spec) for the types f, g, e and %, with a real minus sign. */
const format = (value, spec = "g") => {
  const [, sign, digits, type] = /^(\+?)(?:\.(\d+))?([fge%])$/.exec(spec);
  const size = Math.abs(value);
  const places = Number(digits ?? 6);
  const told = { f: fixed, e: scientific, g: general, "%": (x, d) => `${fixed(100 * x, d)}%` };
  const minus = value < 0 || Object.is(value, -0) ? "−" : sign;
  return minus + told[type](size, places);
};

/** Like Python's, a number halfway between two goes to the even one. */
const fixed = (size, places) => {
  const exact = size.toFixed(Math.min(100, places + 60));
  const [whole, behind] = exact.split(".");
  const rounded = size.toFixed(places);
  if (!/^50*$/.test(behind.slice(places))) return rounded;
  const below = places ? `${whole}.${behind.slice(0, places)}` : whole;
  return Number(below.at(-1)) % 2 ? rounded : below;
};

const scientific = (size, places) =>
  size.toExponential(places).replace(/e([+-])(\d)$/, "e$10$2").replace("e-", "e−");

const general = (size, places) => {
  const power = size ? Number(size.toExponential(places - 1).split("e")[1]) : 0;
  const bare = (digits) => (digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits);
  if (power >= -4 && power < places) return bare(fixed(size, places - 1 - power));
  const [digits, rest] = scientific(size, places - 1).split("e");
  return `${bare(digits)}e${rest}`;
};

const escape = (words) =>
  String(words).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const round = (place) => Math.round(100 * place) / 100;
const sum = (values) => values.reduce((total, value) => total + value, 0);
const mean = (values) => sum(values) / values.length;

// --- marks, in pixels; `look` is a list of the classes above -----------------------------------

const text = (x, y, words, look = "", anchor = "middle") =>
  `<text x="${round(x)}" y="${round(y)}" class="${look}" text-anchor="${anchor}">${escape(words)}</text>`;
const box = (x, y, width, height, look) =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" class="${look}"/>`;
const circle = (x, y, look, radius = 4) =>
  `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" class="${look}"/>`;
const stroke = (points, look) =>
  points.length
    ? `<path d="M${points.map(([x, y]) => `${round(x)} ${round(y)}`).join("L")}" class="${look}"/>`
    : "";

/**
 * Axes at [left, top, width, height] of the picture.
 *
 * x and y: [lowest, highest]; xTicks and yTicks: [[value, words], …]; xScale and yScale turn a
 * value into what is linear on the page. `at` gives the pixels of a point, `line` a path through
 * points, cut off at the frame.
 */
const axes = (place, { x, y, xTicks = [], yTicks = [], title = "", xLabel = "", yLabel = "",
  xScale = Number, yScale = Number }) => {
  const [left, top, width, height] = place;
  const across = (value) =>
    left + (width * (xScale(value) - xScale(x[0]))) / (xScale(x[1]) - xScale(x[0]));
  const up = (value) =>
    top + height - (height * (yScale(value) - yScale(y[0]))) / (yScale(y[1]) - yScale(y[0]));
  const at = ([a, b]) => [across(a), up(b)];
  const bottom = top + height;
  const frame =
    stroke([[left, top], [left, bottom], [left + width, bottom]], "") +
    xTicks.map(([value, words]) =>
      stroke([[across(value), bottom], [across(value), bottom + 4]], "") +
      text(across(value), bottom + 17, words, "small")).join("") +
    yTicks.map(([value, words]) =>
      stroke([[left - 4, up(value)], [left, up(value)]], "") +
      text(left - 7, up(value) + 4, words, "small", "end")).join("") +
    text(left + width / 2, top - 9, title) +
    text(left + width / 2, bottom + 34, xLabel) +
    (yLabel && `<g transform="translate(${left - 34} ${top + height / 2}) rotate(-90)">${text(0, 0, yLabel)}</g>`);
  const inside = (content) =>
    `<svg x="${left}" y="${top}" width="${width}" height="${height}" ` +
    `viewBox="${left} ${top} ${width} ${height}" overflow="hidden">${content}</svg>`;
  const line = (points, look) => inside(stroke(points.map(at), look));
  return { at, across, up, frame, inside, line };
};

const ticks = (values, spec = "g") => values.map((value) => [value, format(value, spec)]);

// --- the element -------------------------------------------------------------------------------

/**
 * Define <course-NAME>, if an output above has not.
 *
 * prepare(data) gives `compute(values)`, the numbers behind the picture; `still`, the part of the
 * picture that stays; `moving(values, found)`, what is drawn over it; `words(values, found)`.
 */
const define = (name, prepare) => {
  if (customElements.get(`course-${name}`)) return;
  class Explorer extends HTMLElement {
    connectedCallback() {
      if (this.values) return; // JupyterLab takes cells out of the page and puts them back
      const [width, height] = JSON.parse(this.getAttribute("size"));
      Object.assign(this, prepare(JSON.parse(this.getAttribute("data")), [width, height]));
      this.values = {};
      this.className = "course-explorer";
      this.addEventListener("keydown", (event) => {
        // Keys are for the slider, not for the notebook around it; its shortcuts are not.
        if (!event.ctrlKey && !event.metaKey && !event.shiftKey) event.stopPropagation();
      });
      this.innerHTML =
        `<style>${STYLE}</style><div class="controls"></div>` +
        `<svg viewBox="0 0 ${width} ${height}" role="img">${PATTERNS}${this.still}<g></g></svg>`;
      for (const control of JSON.parse(this.getAttribute("controls"))) this.add(control);
      this.draw();
    }

    add({ name, description, value, options, min, max, step, power, readout }) {
      const id = `course-explorer-${(globalThis.courseControls = (globalThis.courseControls ?? 0) + 1)}`;
      const controls = this.querySelector(".controls");
      const input = document.createElement(options ? "select" : "input");
      const said = document.createElement("output");
      const follow = () => {
        this.values[name] = options
          ? options[input.selectedIndex][1]
          : power ? 10 ** Number(input.value) : Number(input.value);
        if (options) return;
        said.textContent = format(this.values[name], readout);
        input.setAttribute("aria-valuetext", said.textContent);
      };
      controls.insertAdjacentHTML("beforeend", `<label for="${id}">${escape(description)}</label>`);
      input.id = id;
      if (options) {
        input.innerHTML = options.map(([shown]) => `<option>${escape(shown)}</option>`).join("");
        input.selectedIndex = options.findIndex(([, meant]) => meant === value);
      } else {
        Object.assign(input, { type: "range", min, max, step });
        input.value = power ? Math.log10(value) : value;
      }
      said.setAttribute("for", id);
      controls.append(input, said);
      follow();
      input.addEventListener("input", () => {
        follow();
        this.draw();
      });
    }

    draw() {
      const found = this.compute(this.values);
      const svg = this.querySelector("svg");
      svg.lastElementChild.innerHTML = this.moving(this.values, found);
      svg.setAttribute("aria-label", this.words(this.values, found));
    }
  }
  customElements.define(`course-${name}`, Explorer);
};

const PATTERNS =
  '<defs><pattern id="course-stripes" width="7" height="7" patternUnits="userSpaceOnUse" ' +
  'patternTransform="rotate(45)"><path d="M0 0V7" style="stroke: var(--ink)"/></pattern></defs>';
/** Over a mark, so that it stands out without its color, too. */
const striped = (x, y, width, height) =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" ` +
  'style="fill: url(#course-stripes)"/>';
