// Lesson 01: from logits to probabilities, loss and gradient, for one example.
define("logits", ({ names }, [width, height]) => {
  const [top, tall] = [72, height - 130];
  const wide = (width - 150) / 3;
  const place = (number) => [45 + number * (wide + 50), top, wide, tall];
  const below = names.map((name, n) => [n, name]);
  const across = [-0.6, names.length - 0.4];
  const left = axes(place(0), {
    x: across, y: [0, 1.12], xTicks: below, yTicks: ticks([0, 0.5, 1]),
    title: "probabilities p = softmax(z)",
  });
  const middle = axes(place(1), {
    x: [-0.03, 1.03], y: [-0.6, 22], xTicks: ticks([0, 0.5, 1]), yTicks: ticks([0, 5, 10, 15, 20]),
    title: "loss −log p", xLabel: "p of the true label",
  });
  const right = axes(place(2), {
    x: across, y: [-1.35, 1.35], xTicks: below, yTicks: ticks([-1, 0, 1]),
    title: "gradient by each logit",
  });
  const curve = Array.from({ length: 200 }, (_, n) => 10 ** ((9 * n) / 199 - 9));
  const short = (value, digits = 2) =>
    format(value, Math.abs(value) >= 0.1 ** digits || value === 0 ? `.${digits}f` : ".0e");
  const bars = (where, values, marked) =>
    values.map((value, n) => {
      const [a, b] = where.at([n - 0.325, Math.max(value, 0)]);
      const size = [where.across(n + 0.325) - a, where.up(Math.min(value, 0)) - b];
      const look = n === marked ? "mark" : "bar";
      return (
        box(a, b, ...size, look) + (n === marked ? striped(a, b, ...size) : "") +
        text(a + size[0] / 2, value < 0 ? b + size[1] + 15 : b - 5, short(value), "small")
      );
    }).join("");

  return {
    compute({ label, ...byName }) {
      const logits = names.map((name) => byName[name]);
      const largest = Math.max(...logits);
      const powers = logits.map((z) => Math.exp(z - largest));
      const p = powers.map((power) => power / sum(powers));
      const loss = Math.log(sum(powers)) + largest - logits[label];
      const gradient = p.map((share, n) => share - (n === label ? 1 : 0));
      return { logits, p, loss, gradient };
    },
    still:
      left.frame + middle.frame + right.frame +
      middle.line(curve.map((p) => [p, -Math.log(p)]), "blue") +
      right.line([[across[0], 0], [across[1], 0]], ""),
    moving({ label }, { logits, p, loss, gradient }) {
      return (
        text(width / 2, 22,
          `true label: ${names[label]}\u2003 p(${names[label]}) = ${short(p[label])}\u2003 ` +
          `loss = −log p = ${short(loss, 3)}`, "big") +
        bars(left, p, label) +
        logits.map((z, n) =>
          text(left.across(n), top + tall + 36, `z = ${format(z)}`, "small")).join("") +
        middle.line([[p[label], 0], [p[label], loss], [0, loss]], "dotted") +
        box(middle.across(p[label]) - 5, middle.up(loss) - 5, 10, 10, "mark") +
        bars(right, gradient, label)
      );
    },
    words({ label }, { logits, p, loss, gradient }) {
      const told = names.map((name, n) =>
        `${name}: logit ${format(logits[n])}, probability ${short(p[n])}, ` +
        `gradient ${short(gradient[n])}`);
      return `True label ${names[label]}, loss ${short(loss, 3)}. ${told.join("; ")}.`;
    },
  };
});
