// A drawing as lines, and the small picture that a network is shown of it.
//
// A drawing is a list of strokes, a stroke a list of points [x, y], whole numbers from 0 to 255
// across the pad: what an address can hold is exactly what is drawn.

export const GRID = 255;
const FINE = 8; // a pixel of the small picture is the mean of 8 × 8
const NEAR = 4; // points closer than this to the last one are left out
const GREATEST = 8; // a dot is not blown up without end

/** Add a point to a stroke unless it lies next to the last one; whether it was added. */
export function extend(stroke, x, y) {
  const point = [x, y].map((place) => Math.max(0, Math.min(GRID, Math.round(place))));
  const last = stroke.at(-1);
  if (last && Math.hypot(point[0] - last[0], point[1] - last[1]) < NEAR) return false;
  stroke.push(point);
  return true;
}

/** A drawing as text: two hexadecimal digits a number, a point between strokes. */
export function write(strokes) {
  const digits = (number) => number.toString(16).padStart(2, "0");
  return strokes.map((stroke) => stroke.flat().map(digits).join("")).join(".");
}

/** The drawing that a text holds; [] for any other text. */
export function read(text) {
  if (!/^(?:[0-9a-f]{4})+(?:\.(?:[0-9a-f]{4})+)*$/.test(text)) return [];
  return text.split(".").map((stroke) =>
    stroke.match(/.{4}/g).map((point) => [parseInt(point.slice(0, 2), 16), parseInt(point.slice(2), 16)]));
}

/** Draw strokes into a canvas of `side` by `side` × its ratio; `place` moves each point. */
export function trace(context, strokes, width, place) {
  context.lineWidth = width;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    context.beginPath();
    const [first, ...others] = stroke.map(place);
    context.moveTo(...first);
    // A line of no length is drawn as a dot.
    for (const point of others.length ? others : [first]) context.lineTo(...point);
    context.stroke();
  }
}

/** The share of ink (h × w, 0 to 1) in the picture that the network sees. */
export function rasterise(strokes, { size: [height, width], centre = "box", margin = 0.1, stroke = 0.07 }) {
  const side = Math.min(height, width);
  const line = stroke * side;
  const point = ([x, y]) => [(x / GRID) * width, (y / GRID) * height];
  if (centre === "none") return cover(strokes, height, width, line, point);
  const points = strokes.flat().map(point);
  const span = [0, 1].map((axis) => points.map((each) => each[axis]))
    .map((places) => [Math.min(...places), Math.max(...places)]);
  const room = [width, height].map((length) => length - 2 * margin * side - line);
  const scale = Math.min(GREATEST, ...span.map(([from, to], axis) => room[axis] / Math.max(to - from, 1e-9)));
  const offset = span.map(([from, to], axis) => [width, height][axis] / 2 - (scale * (from + to)) / 2);
  const fit = (each) => point(each).map((place, axis) => scale * place + offset[axis]);
  const boxed = cover(strokes, height, width, line, fit);
  if (centre === "box") return boxed;
  const mass = centreOfMass(boxed, height, width);
  const shift = [width / 2 - mass[0], height / 2 - mass[1]];
  return cover(strokes, height, width, line, (each) => fit(each).map((place, axis) => place + shift[axis]));
}

/** Where the ink is on average, [x, y], in pixels. */
function centreOfMass(ink, height, width) {
  let [x, y, sum] = [0, 0, 0];
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const here = ink[row * width + column];
      x += here * (column + 0.5);
      y += here * (row + 0.5);
      sum += here;
    }
  }
  return [x / sum, y / sum];
}

/** How much of each pixel the strokes cover: drawn finely, then averaged. */
function cover(strokes, height, width, line, place) {
  const canvas = document.createElement("canvas");
  canvas.width = width * FINE;
  canvas.height = height * FINE;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.scale(FINE, FINE);
  trace(context, strokes, line, place);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const ink = new Float32Array(height * width);
  for (let y = 0; y < canvas.height; y += 1) {
    for (let x = 0; x < canvas.width; x += 1) {
      const at = Math.floor(y / FINE) * width + Math.floor(x / FINE);
      ink[at] += data[4 * (y * canvas.width + x) + 3] / 255 / FINE ** 2;
    }
  }
  return ink;
}
