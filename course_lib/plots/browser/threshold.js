// Lesson 05: from the threshold of a decision to its confusion matrix, precision and recall.
define("threshold", ({ p, labels }, [width, height]) => {
  const [top, tall] = [72, height - 125];
  const wide = (width - 190) / 3;
  const place = (number) => [50 + number * (wide + 65), top, wide, tall];
  const groups = [0, 1].map((kind) => p.filter((_, n) => labels[n] === kind));
  const counts = groups.map((group) => Array.from({ length: 25 }, (_, bin) =>
    group.filter((value) => Math.min(24, Math.floor(25 * value)) === bin).length));
  const most = Math.max(...counts.flat());
  const unit = 10 ** Math.floor(Math.log10(most));
  const left = axes(place(0), {
    x: [0, 1], y: [0, 1.1 * most], xTicks: ticks([0, 0.5, 1]), title: "cells",
    yTicks: ticks([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => (n * unit) / (most < 4 * unit ? 2 : 1))
      .filter((n) => n <= most && Number.isInteger(n))),
    xLabel: "probability of a defect",
  });
  const middle = axes(place(1), {
    x: [0, 2], y: [2, 0], title: "confusion matrix", xLabel: "said to be", yLabel: "is",
    xTicks: [[0.5, "sound"], [1.5, "defect"]],
  });
  const right = axes(place(2), {
    x: [-0.02, 1.02], y: [-0.02, 1.04], xTicks: ticks([0, 0.5, 1]), yTicks: ticks([0, 0.5, 1]),
    xLabel: "false alarms among the sound", yLabel: "recall of defects",
  });
  const above = (threshold) => groups.map((group) =>
    group.filter((value) => value >= threshold).length / group.length);
  const curve = [...[...p].sort((a, b) => a - b), Infinity].map(above);
  const area = sum(curve.slice(1).map((at, n) => ((curve[n][0] - at[0]) * (at[1] + curve[n][1])) / 2));
  const bars = counts.map((heights, kind) => heights.map((count, bin) => {
    const [a, b] = left.at([bin / 25, count]);
    const size = [wide / 25, left.up(0) - b];
    if (!count) return "";
    return kind
      ? stroke([[a, b + size[1]], [a, b], [a + size[0], b], [a + size[0], b + size[1]]], "orange") +
        striped(a, b, ...size)
      : box(a, b, ...size, "back");
  }).join(""));
  const kinds = ["sound", "defect"];

  return {
    compute({ threshold }) {
      const matrix = [[0, 0], [0, 0]];
      p.forEach((value, n) => (matrix[labels[n]][Number(value >= threshold)] += 1));
      const shares = matrix.map((row) => row.map((count) => count / sum(row)));
      const called = matrix[0][1] + matrix[1][1];
      return {
        matrix, shares, area, recall: shares[1][1],
        precision: called ? matrix[1][1] / called : null,
        accuracy: (matrix[0][0] + matrix[1][1]) / p.length,
        balanced: (shares[0][0] + shares[1][1]) / 2,
        f1: (2 * matrix[1][1]) / (called + sum(matrix[1])),
      };
    },
    still:
      bars.join("") + left.frame + middle.frame + right.frame +
      text(left.across(0.97), top + 10, "filled: sound", "small", "end") +
      text(left.across(0.97), top + 27, "striped: defect", "small", "end") +
      right.line(curve, "blue") + right.line([[0, 0], [1, 1]], "dotted") +
      text(place(2)[0] + wide / 2, top - 9, `ROC curve, area ${format(area, ".3f")}`) +
      kinds.map((kind, n) => `<g transform="translate(${place(1)[0] - 8} ${middle.up(n + 0.5)}) ` +
        `rotate(-90)">${text(0, 0, kind, "small")}</g>`).join(""),
    moving({ threshold }, { matrix, shares, ...found }) {
      const two = (value) => (value === null ? "none said" : format(value, ".2f"));
      return (
        text(width / 2, 22,
          `accuracy ${two(found.accuracy)}\u2003balanced ${two(found.balanced)}\u2003precision ` +
          `${two(found.precision)}\u2003recall ${two(found.recall)}\u2003F1 ${two(found.f1)}`, "big") +
        left.line([[threshold, 0], [threshold, 1.1 * most]], "dashed") +
        [0, 1].flatMap((is) => [0, 1].map((said) => {
          const [a, b] = middle.at([said, is]);
          const share = shares[is][said];
          return (
            `<g style="fill-opacity: ${0.15 + 0.85 * share}">` +
            `${box(a, b, wide / 2, tall / 2, "back")}</g>` +
            text(a + wide / 4, b + tall / 4 - 3, matrix[is][said]) +
            text(a + wide / 4, b + tall / 4 + 16, format(share, ".0%"))
          );
        })).join("") +
        box(right.across(shares[0][1]) - 5, right.up(found.recall) - 5, 10, 10, "mark")
      );
    },
    words({ threshold }, { matrix, recall, precision, f1, accuracy, balanced }) {
      return (
        `At the threshold ${format(threshold, ".2f")}, ${matrix[1][1]} of ${sum(matrix[1])} ` +
        `defects are found (recall ${format(recall, ".2f")}) and ${matrix[0][1]} of ` +
        `${sum(matrix[0])} sound cells are false alarms; precision ` +
        `${precision === null ? "none said" : format(precision, ".2f")}, F1 ${format(f1, ".2f")}, ` +
        `accuracy ${format(accuracy, ".2f")}, balanced accuracy ${format(balanced, ".2f")}. Area ` +
        `under the ROC curve ${format(area, ".3f")}.`
      );
    },
  };
});
