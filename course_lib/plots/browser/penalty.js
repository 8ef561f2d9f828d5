// Lesson 02: a polynomial through few points, at any strength of a penalty. The weights of each
// strength come with the data: the system behind them is too ill-conditioned to be solved twice.
define("penalty", ({ x, t, freshX, freshT, exponents, paths }, [width, height]) => {
  const degree = paths.L2[0].length - 1;
  const [top, tall] = [72, height - 120];
  const wide = (width - 160) / 3;
  const place = (number) => [45 + number * (wide + 55), top, wide, tall];
  const strengths = exponents.map((power) => 10 ** power);
  const symlog = (value) =>
    Math.abs(value) <= 1 ? value : Math.sign(value) * (1 + Math.log10(Math.abs(value)));
  const left = axes(place(0), {
    x: [-1.05, 1.05], y: [-2.6, 2.6], xTicks: ticks([-1, 0, 1]), yTicks: ticks([-2, 0, 2]),
    title: "the fit", xLabel: "x",
  });
  const middle = axes(place(1), {
    x: [0, degree + 1], y: [-9999, 9999], yScale: symlog,
    xTicks: ticks(x.map((_, n) => 2 * n + 1).filter((power) => power <= degree)),
    yTicks: ticks([-1000, -10, 0, 10, 1000]), xLabel: "power of x",
  });
  const right = axes(place(2), {
    x: [strengths[0] / 4, strengths.at(-1) * 4], y: [4e-3, 8], xScale: Math.log10,
    yScale: Math.log10, yTicks: ticks([0.01, 0.1, 1]), title: "mean squared error",
    xTicks: [-10, -7, -4, -1].map((power) => [10 ** power, format(10 ** power, ".0e")]),
    xLabel: "strength",
  });
  const grid = Array.from({ length: 201 }, (_, n) => -1 + n / 100);
  const fit = (weights, at) => // the weights of x, x², … and, last, of one
    weights.at(-1) + sum(weights.slice(0, -1).map((weight, n) => weight * at ** (n + 1)));
  const error = (weights, places, targets) =>
    mean(places.map((at, n) => (fit(weights, at) - targets[n]) ** 2));
  const errors = Object.fromEntries(Object.entries(paths).map(([penalty, path]) => [penalty, [
    path.map((weights) => error(weights, x, t)),
    path.map((weights) => error(weights, freshX, freshT)),
  ]]));
  const strength = (value) => format(value, value >= 1e-3 ? ".2g" : ".1e");
  const looks = ["blue", "orange dashed"];
  const key = (y, look, words) =>
    stroke([[place(2)[0] + wide - 105, y - 4], [place(2)[0] + wide - 75, y - 4]], look) +
    text(place(2)[0] + wide - 70, y, words, "small", "start");

  return {
    compute({ strength: wanted, penalty }) {
      const gaps = exponents.map((power) => Math.abs(power - Math.log10(wanted)));
      const at = gaps.indexOf(Math.min(...gaps));
      const weights = paths[penalty][at];
      const [training, validation] = errors[penalty].map((values) => values[at]);
      return { at, weights, curve: grid.map((place) => fit(weights, place)), training, validation };
    },
    still:
      left.frame + middle.frame + right.frame +
      left.line(grid.map((at) => [at, Math.sin(Math.PI * at)]), "orange dashed") +
      text(left.across(-0.95), left.up(-2.4), "dashed: truth", "small", "start") +
      middle.line([[0, 0], [degree + 1, 0]], "") +
      key(top + 8, looks[0], "training") + key(top + 26, looks[1], "validation"),
    moving({ penalty }, { at, weights, curve, training, validation }) {
      const powers = weights.slice(0, -1);
      const used = powers.filter((weight) => weight !== 0).length;
      return (
        text(width / 2, 22,
          `${penalty}, strength ${strength(strengths[at])}\u2003 training error ` +
          `${format(training, ".3f")}\u2003 validation error ${format(validation, ".3f")}`, "big") +
        left.line(curve.map((value, n) => [grid[n], value]), "blue") +
        x.map((place, n) => circle(...left.at([place, t[n]]), "solid", 3)).join("") +
        text(middle.across((degree + 1) / 2), top - 9, `weights: ${used} of ${degree} not zero`) +
        powers.map((weight, n) => {
          const [a, b] = middle.at([n + 0.6, Math.max(weight, 0)]);
          const size = [middle.across(n + 1.4) - a, middle.up(Math.min(weight, 0)) - b];
          return weight === 0
            ? text(a + size[0] / 2, b - 5, "0", "small")
            : middle.inside(box(a, b, ...size, "bar"));
        }).join("") +
        errors[penalty].map((values, n) => {
          const [a, b] = right.at([strengths[at], values[at]]);
          return (
            right.line(values.map((value, place) => [strengths[place], value]), looks[n]) +
            (n ? box(a - 5, b - 5, 10, 10, "mark") : circle(a, b, "bar", 6))
          );
        }).join("")
      );
    },
    words({ penalty }, { at, weights, training, validation }) {
      const powers = weights.slice(0, -1);
      const validations = errors[penalty][1];
      const least = Math.min(...validations);
      return (
        `${penalty} penalty of strength ${strength(strengths[at])} on a polynomial of degree ` +
        `${degree} through ${x.length} points. Training error ${format(training, ".3f")}, ` +
        `validation error ${format(validation, ".3f")} (least, ${format(least, ".3f")}, at ` +
        `strength ${strength(strengths[validations.indexOf(least)])}). ` +
        `${powers.filter((weight) => weight !== 0).length} of ${degree} weights are not zero, ` +
        `the largest has size ${format(Math.max(...powers.map(Math.abs)), ".3g")}.`
      );
    },
  };
});
