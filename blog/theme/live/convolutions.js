// Layers that slide a window over a picture (height, width, channels), or over a sequence (steps,
// channels), which is a picture of one row. `before` says how far the first window begins ahead of
// the first pixel; what lies outside counts as 0 and is not looked at.

import { activation } from "./activations.js";

const MOST = 4096;

/** Input and output as pictures, with the window's numbers checked. */
function frame({ strides, before, size }, [x], units, { make, demand }) {
  for (const pair of [strides, before, size]) {
    demand(Array.isArray(pair) && pair.length === 2, "has no strides, padding or size");
    demand(pair.every((n) => Number.isInteger(n) && Math.abs(n) <= MOST), `has a window of ${pair}`);
  }
  demand(x.shape.length === 2 || x.shape.length === 3, `cannot slide over ${x.shape}`);
  demand(strides[0] > 0 && strides[1] > 0, "does not move");
  const flat = x.shape.length === 2, [height, width, channels] = flat ? [1, ...x.shape] : x.shape;
  demand(!flat || size[0] === 1, "makes rows of a sequence");
  const y = make(flat ? [size[1], units ?? channels] : [...size, units ?? channels]);
  return { x, y, height, width, channels };
}

export const convolutions = {
  // The kernel has the shape (height, width, channels, filters).
  conv(layer, inputs, [kernel, bias], tools) {
    const [rows, columns, depth, filters] = kernel.shape, [down, right] = layer.strides ?? [];
    const { x, y, height, width, channels } = frame(layer, inputs, filters, tools);
    tools.demand(kernel.shape.length === 4 && depth === channels, "does not fit its input");
    tools.demand(!bias || bias.data.length === filters, "has a bias of another length");
    const [top, left] = layer.before, [high, wide] = layer.size, z = new Float64Array(filters);
    const activate = activation(layer.activation, y), weights = kernel.data, pixels = x.data;
    y.run = () => {
      for (let i = 0, to = 0; i < high; i++) {
        for (let j = 0; j < wide; j++, to += filters) {
          z.fill(0);
          if (bias) z.set(bias.data);
          for (let row = 0; row < rows; row++) {
            const v = i * down - top + row;
            if (v < 0 || v >= height) continue;
            for (let column = 0; column < columns; column++) {
              const u = j * right - left + column;
              if (u < 0 || u >= width) continue;
              const at = (v * width + u) * channels;
              let k = (row * columns + column) * channels * filters;
              for (let c = 0; c < channels; c++, k += filters) {
                const a = pixels[at + c];
                if (a !== 0) for (let f = 0; f < filters; f++) z[f] += a * weights[k + f];
              }
            }
          }
          y.data.set(z, to);
        }
      }
      activate();
    };
    return y;
  },

  // The kernel has the shape (height, width, channels, multiplier): each channel by itself.
  depthwise(layer, inputs, [kernel, bias], tools) {
    const [rows, columns, depth, multiplier] = kernel.shape, [down, right] = layer.strides ?? [];
    const { x, y, height, width, channels } = frame(layer, inputs, depth * multiplier, tools);
    tools.demand(kernel.shape.length === 4 && depth === channels, "does not fit its input");
    tools.demand(!bias || bias.data.length === depth * multiplier, "has a bias of another length");
    const [top, left] = layer.before, [high, wide] = layer.size, filters = depth * multiplier;
    const activate = activation(layer.activation, y), z = new Float64Array(filters);
    y.run = () => {
      for (let i = 0, to = 0; i < high; i++) {
        for (let j = 0; j < wide; j++, to += filters) {
          z.fill(0);
          if (bias) z.set(bias.data);
          for (let row = 0; row < rows; row++) {
            const v = i * down - top + row;
            if (v < 0 || v >= height) continue;
            for (let column = 0; column < columns; column++) {
              const u = j * right - left + column;
              if (u < 0 || u >= width) continue;
              const at = (v * width + u) * channels, k = (row * columns + column) * filters;
              for (let f = 0; f < filters; f++) {
                z[f] += x.data[at + Math.floor(f / multiplier)] * kernel.data[k + f];
              }
            }
          }
          y.data.set(z, to);
        }
      }
      activate();
    };
    return y;
  },

  // A convolution run backwards: each pixel adds a kernel (height, width, filters, channels) to y.
  transposed(layer, inputs, [kernel, bias], tools) {
    const [rows, columns, filters, depth] = kernel.shape, [down, right] = layer.strides ?? [];
    const { x, y, height, width, channels } = frame(layer, inputs, filters, tools);
    tools.demand(kernel.shape.length === 4 && depth === channels, "does not fit its input");
    tools.demand(!bias || bias.data.length === filters, "has a bias of another length");
    const [top, left] = layer.before, [high, wide] = layer.size;
    const activate = activation(layer.activation, y), weights = kernel.data, pixels = x.data;
    y.run = () => {
      y.data.fill(0);
      if (bias) for (let to = 0; to < y.data.length; to += filters) y.data.set(bias.data, to);
      for (let v = 0; v < height; v++) {
        for (let u = 0; u < width; u++) {
          const at = (v * width + u) * channels;
          for (let row = 0; row < rows; row++) {
            const i = v * down - top + row;
            if (i < 0 || i >= high) continue;
            for (let column = 0; column < columns; column++) {
              const j = u * right - left + column;
              if (j < 0 || j >= wide) continue;
              const to = (i * wide + j) * filters;
              let k = (row * columns + column) * filters * channels;
              for (let f = 0; f < filters; f++, k += channels) {
                let sum = 0;
                for (let c = 0; c < channels; c++) sum += pixels[at + c] * weights[k + c];
                y.data[to + f] += sum;
              }
            }
          }
        }
      }
      activate();
    };
    return y;
  },

  // The largest or mean value of each window, of what of it lies on the picture.
  pool(layer, inputs, _, tools) {
    const { x, y, height, width, channels } = frame(layer, inputs, null, tools);
    const [top, left] = layer.before, [high, wide] = layer.size, [down, right] = layer.strides;
    const [rows, columns] = layer.window ?? [], largest = layer.kind === "max";
    tools.demand(rows > 0 && rows <= MOST && columns > 0 && columns <= MOST, "has no window");
    y.run = () => {
      for (let i = 0, to = 0; i < high; i++) {
        const v0 = Math.max(0, i * down - top), v1 = Math.min(height, i * down - top + rows);
        for (let j = 0; j < wide; j++) {
          const u0 = Math.max(0, j * right - left), u1 = Math.min(width, j * right - left + columns);
          for (let c = 0; c < channels; c++, to++) {
            let all = largest ? -Infinity : 0;
            for (let v = v0; v < v1; v++) {
              for (let u = u0; u < u1; u++) {
                const a = x.data[(v * width + u) * channels + c];
                all = largest ? Math.max(all, a) : all + a;
              }
            }
            y.data[to] = largest ? all : all / ((v1 - v0) * (u1 - u0));
          }
        }
      }
    };
    return y;
  },

  // The same over all places.
  global({ kind }, [x], _, { make }) {
    const channels = x.shape.at(-1), y = make([channels]), places = x.data.length / channels;
    y.run = () => {
      for (let c = 0; c < channels; c++) {
        let all = kind === "max" ? -Infinity : 0;
        for (let at = c; at < x.data.length; at += channels) {
          all = kind === "max" ? Math.max(all, x.data[at]) : all + x.data[at];
        }
        y.data[c] = kind === "max" ? all : all / places;
      }
    };
    return y;
  },

  // Zeros around a picture, or a margin cut off it where `before` is negative.
  pad(layer, inputs, _, tools) {
    const { x, y, height, width, channels } = frame({ ...layer, strides: [1, 1] }, inputs, null, tools);
    const [top, left] = layer.before, [high, wide] = layer.size;
    y.run = () => {
      for (let i = 0, to = 0; i < high; i++) {
        for (let j = 0; j < wide; j++, to += channels) {
          const v = i - top, u = j - left;
          if (v < 0 || v >= height || u < 0 || u >= width) continue;
          const at = (v * width + u) * channels;
          for (let c = 0; c < channels; c++) y.data[to + c] = x.data[at + c];
        }
      }
    };
    return y;
  },

  // Each pixel `size` times as high and wide: repeated, or with the values between two in between.
  upsample({ factors, bilinear }, [x], _, { make, demand }) {
    demand(Array.isArray(factors) && factors.every((n) => n > 0 && n <= MOST), "has no factors");
    const flat = x.shape.length === 2, [height, width, channels] = flat ? [1, ...x.shape] : x.shape;
    const [high, wide] = [height * factors[0], width * factors[1]];
    const y = make(flat ? [wide, channels] : [high, wide, channels]);
    // Where a pixel's middle lies among the middles of the old ones: two neighbours and a share.
    const between = (i, factor, length) => {
      const at = bilinear ? Math.max(0, (i + 0.5) / factor - 0.5) : Math.floor(i / factor);
      const low = Math.min(length - 1, Math.floor(at));
      return [low, Math.min(length - 1, low + 1), at - low];
    };
    const rows = Array.from({ length: high }, (_, i) => between(i, factors[0], height));
    const columns = Array.from({ length: wide }, (_, j) => between(j, factors[1], width));
    y.run = () => {
      let to = 0;
      for (const [v0, v1, down] of rows) {
        for (const [u0, u1, right] of columns) {
          for (let c = 0; c < channels; c++, to++) {
            const at = (v, u) => x.data[(v * width + u) * channels + c];
            const upper = at(v0, u0) + (at(v0, u1) - at(v0, u0)) * right;
            const lower = at(v1, u0) + (at(v1, u1) - at(v1, u0)) * right;
            y.data[to] = upper + (lower - upper) * down;
          }
        }
      }
    };
    return y;
  },
};
