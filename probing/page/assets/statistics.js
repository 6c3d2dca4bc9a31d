// Statistics of two grids, computed on the cells that both have.

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function commonCells(a, b) {
  const name = (grid, i) => `${cell(grid, "layer", i)}.${cell(grid, "head", i)}`;
  const places = new Map(cells(b).map((j) => [name(b, j), j]));
  const common = { layer: [], head: [], a: [], b: [], ia: [], ib: [] };
  cells(a).forEach((i) => {
    const j = places.get(name(a, i));
    if (j === undefined || !known(mainOf(a, i)) || !known(mainOf(b, j))) return;
    common.layer.push(cell(a, "layer", i));
    common.head.push(cell(a, "head", i));
    common.a.push(mainOf(a, i));
    common.b.push(mainOf(b, j));
    common.ia.push(i);
    common.ib.push(j);
  });
  return common;
}

// equal values share the mean of their ranks
function ranks(values) {
  const order = values.map((_, i) => i).sort((i, j) => values[i] - values[j]);
  const ranked = new Array(values.length);
  for (let first = 0; first < order.length; ) {
    let last = first;
    while (last + 1 < order.length && values[order[last + 1]] === values[order[first]]) last += 1;
    for (let k = first; k <= last; k += 1) ranked[order[k]] = (first + last) / 2 + 1;
    first = last + 1;
  }
  return ranked;
}

function pearson(a, b) {
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, i) => {
    ab += (value - ma) * (b[i] - mb);
    aa += (value - ma) ** 2;
    bb += (b[i] - mb) ** 2;
  });
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : null;
}

const spearman = (a, b) => pearson(ranks(a), ranks(b));
