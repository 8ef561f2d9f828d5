// Lesson 01: a line through points, and the square of every error.
define("line", ({ x, t, xLimits, yLimits }, [width, height]) => {
  const [top, tall] = [30, height - 80];
  const unit = tall / (yLimits[1] - yLimits[0]); // of both axes, so that squares are squares
  const wide = unit * (xLimits[1] - xLimits[0]);
  const left = axes([50, top, wide, tall], {
    x: xLimits, y: yLimits, xTicks: ticks([0, 2, 4, 6, 8]), yTicks: ticks([0, 2, 4, 6, 8]),
    xLabel: "x", yLabel: "targets t (points), predictions y (line)",
  });
  const from = 50 + wide + 40;
  const right = axes([from, top, width - from - 10, tall], {
    x: [-0.3, (width - from - 10) / unit - 0.3], y: yLimits, xTicks: ticks([0, 2, 4]),
    yTicks: ticks([0, 2, 4, 6, 8]), xLabel: "on the same scale",
  });
  const middle = mean(x);
  const square = (where, low, high, side) => {
    const [a, b] = where.at([low, high]);
    return box(a, b, side * unit, side * unit, "square");
  };

  return {
    compute({ slope, intercept }) {
      const predictions = x.map((at) => slope * at + intercept);
      const errors = predictions.map((y, n) => y - t[n]);
      return { predictions, errors, loss: mean(errors.map((error) => error ** 2)) };
    },
    still: left.frame + right.frame,
    moving({ slope, intercept }, { predictions, errors, loss }) {
      const sides = errors.map(Math.abs);
      const sign = intercept < 0 ? "−" : "+";
      const equation = `y = ${format(slope, ".2f")} x ${sign} ${format(Math.abs(intercept), ".1f")}`;
      return (
        sides.map((side, n) =>
          square(left, x[n] < middle ? x[n] : x[n] - side, Math.max(predictions[n], t[n]), side),
        ).join("") +
        left.line(xLimits.map((at) => [at, slope * at + intercept]), "blue") +
        x.map((at, n) => circle(...left.at([at, t[n]]), "solid")).join("") +
        square(right, 0, Math.sqrt(loss), Math.sqrt(loss)) +
        text(50 + wide / 2, 18, `${equation}, and the square of each error`) +
        text((from + width) / 2, 18, `mean area: MSE = ${format(loss, ".2f")}`, "big")
      );
    },
    words({ slope, intercept }, { errors, loss }) {
      const sizes = errors.map(Math.abs);
      const worst = sizes.indexOf(Math.max(...sizes));
      return (
        `The line with slope ${format(slope, ".2f")} and intercept ${format(intercept, ".1f")} ` +
        `among ${x.length} points. Mean squared error ${format(loss, ".2f")}; the largest error ` +
        `is ${format(errors[worst], "+.2f")}, at x = ${format(x[worst], "g")}.`
      );
    },
  };
});
