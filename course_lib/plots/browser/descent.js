// Lesson 03: descent on a quadratic of two weights, from zero, with momentum or without.
define("descent", ({ hessian, minimum, low, high, steps, escaped, lowest, highest }, [width, height]) => {
  const [top, tall] = [72, height - 120];
  const wide = (width - 130) / 2;
  const left = axes([50, top, wide, tall], {
    x: [low[0], high[0]], y: [low[1], high[1]], title: "path: start □, minimum ★",
    xTicks: ticks(stops(low[0], high[0])), yTicks: ticks(stops(low[1], high[1])),
    xLabel: "slope", yLabel: "intercept",
  });
  const right = axes([110 + wide, top, wide, tall], {
    x: [-1, steps + 1], y: [lowest, highest], yScale: Math.log10, xTicks: ticks([0, 20, 40, 60, 80]),
    yTicks: [-6, -4, -2, 0, 2].map((power) => [10 ** power, format(10 ** power, power < 0 ? ".0e" : "g")]),
    title: "loss above the minimum", xLabel: "step",
  });
  const slope = ([a, b]) => hessian.map(([p, q]) => p * (a - minimum[0]) + q * (b - minimum[1]));
  const height_ = (point) => // ½ eᵀHe
    sum(slope(point).map((part, n) => part * (point[n] - minimum[n]))) / 2;
  const spread = Math.hypot((hessian[0][0] - hessian[1][1]) / 2, hessian[0][1]);
  const center = (hessian[0][0] + hessian[1][1]) / 2;
  const eigenvalues = [center - spread, center + spread];

  const path = ({ learning_rate: rate, momentum = 0, rule = "momentum" }) => {
    let [point, velocity] = [[0, 0], [0, 0]];
    const points = [point];
    while (points.length <= steps && Math.max(...point.map(Math.abs)) <= escaped) {
      const push = slope(point).map((part) => rate * part);
      velocity = velocity.map((v, n) => momentum * v - push[n]);
      const move = rule === "Nesterov" ? velocity.map((v, n) => momentum * v - push[n]) : velocity;
      point = point.map((at, n) => at + move[n]);
      points.push(point);
    }
    return points;
  };
  /** The larger root of e'' = (sum of roots) e' − (product) e, in the worst direction. */
  const kept = ({ learning_rate: rate, momentum = 0, rule = "momentum" }) =>
    Math.max(...eigenvalues.map((curvature) => {
      const plain = 1 - rate * curvature;
      const [both, product] = rule === "Nesterov"
        ? [(1 + momentum) * plain, momentum * plain]
        : [plain + momentum, momentum];
      const inner = both ** 2 - 4 * product;
      return inner < 0 ? Math.sqrt(product) : (Math.abs(both) + Math.sqrt(inner)) / 2;
    }));
  const outside = (point) => point.some((at, n) => at < low[n] || at > high[n]);
  const verdict = ({ factor, losses, limit }) => {
    const of = ` (limit of η: ${format(limit, ".3f")})`;
    const share = format(factor, ".3f");
    if (factor > 1) return `diverges: in the end every step multiplies the error by ${share}${of}`;
    const last = losses.findLastIndex((loss) => loss > losses[0] / 1000);
    return last === steps
      ? `converges slowly: in the end every step keeps ${share} of the error${of}`
      : `converges: below a thousandth of the first loss from step ${last + 1} on${of}`;
  };
  const cross = ([a, b]) =>
    [-6, 6].map((d) => stroke([[a - 6, b - d], [a + 6, b + d]], "orange")).join("");
  // Ellipses of equal loss: the unit circle, turned and stretched by the Hessian.
  const turn = Math.atan2(2 * hessian[0][1], hessian[0][0] - hessian[1][1]) / 2;
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const corner = Math.max(...[[0, 0], [0, 1], [1, 0], [1, 1]].map(([a, b]) =>
    height_([[low, high][a][0], [low, high][b][1]])));
  const ellipses = Array.from({ length: 11 }, (_, n) => {
    const [long, short] = [...eigenvalues].map((e) => Math.sqrt((2 * corner * ((n + 1) / 12) ** 4) / e));
    return left.line(Array.from({ length: 73 }, (_, k) => {
      const [a, b] = [short * Math.cos((k * Math.PI) / 36), long * Math.sin((k * Math.PI) / 36)];
      return [minimum[0] + a * cos - b * sin, minimum[1] + a * sin + b * cos];
    }), "gray");
  });
  const [startX, startY] = left.at([0, 0]);

  return {
    compute(values) {
      const points = path(values);
      const { momentum = 0, rule } = values;
      const plain = (2 * (1 + momentum)) / eigenvalues[1];
      return {
        points, losses: points.map(height_), factor: kept(values),
        limit: rule === "Nesterov" ? plain / (1 + 2 * momentum) : plain,
      };
    },
    still: ellipses.join("") + left.frame + right.frame,
    moving(values, found) {
      const { points, losses, factor } = found;
      const out = factor > 1 ? points.findIndex(outside) : -1; // others may leave and come back
      const shown = out < 0 ? points : points.slice(0, out + 1);
      const heights = losses.map((loss, n) => [n, Math.max(loss, lowest / 10)]);
      const above = losses.findIndex((loss) => loss > highest);
      const drawn = (where, route) => where.line(route, "blue") +
        where.inside(route.map((point) => circle(...where.at(point), "dot", 2.6)).join(""));
      const said = verdict(found);
      return (
        text(width / 2, 22, said[0].toUpperCase() + said.slice(1), "big") +
        drawn(left, shown) + drawn(right, heights) +
        text(...left.at(minimum).map((at, n) => at + 7 * n), "★", "big") +
        `<rect x="${startX - 5}" y="${startY - 5}" width="10" height="10" style="fill: var(--paper)"/>` +
        (out < 0 ? "" : cross(left.at(exit(shown.at(-2), shown.at(-1), low, high)))) +
        (above < 0 ? "" : cross(right.at([above, highest])))
      );
    },
    words(values, found) {
      const { learning_rate: rate, momentum = 0, rule } = values;
      const { points, losses, factor } = found;
      const out = factor > 1 ? points.findIndex(outside) : -1;
      const name = momentum === 0 ? "without momentum" : `${rule}, μ = ${format(momentum, ".2f")}`;
      return (
        `Learning rate ${format(rate, ".3f")}, ${name}: ${verdict(found)}. Loss above the minimum ` +
        `${format(losses[0], ".3g")} at the start, ${format(losses.at(-1), ".3g")} after ` +
        `${losses.length - 1} steps.${out < 0 ? "" : ` It leaves the picture at step ${out}.`}`
      );
    },
  };
});

/** Where the way from one point to the other leaves the picture. */
function exit(inside, outside, low, high) {
  const shares = inside.map((at, n) => {
    const way = outside[n] - at;
    return way === 0 ? 1 : ((way > 0 ? high : low)[n] - at) / way;
  });
  const share = Math.min(1, ...shares);
  return inside.map((at, n) => at + share * (outside[n] - at));
}

/** Three to six round numbers between two. */
function stops(lowest, highest) {
  const rough = (highest - lowest) / 4;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [5, 2, 1].find((factor) => factor * unit <= rough);
  const first = Math.ceil(lowest / step);
  const count = Math.floor(highest / step) - first + 1;
  return Array.from({ length: count }, (_, n) => (first + n) * step);
}
