// Numbers as pictures.

/** Paint an output (h, w, channels) onto a canvas, one pixel a number; `low` is black. */
export function paint(canvas, values, [height, width], channels, [low, high] = [0, 1]) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    for (let colour = 0; colour < 3; colour += 1) {
      const value = values[pixel * channels + Math.min(colour, channels - 1)];
      image.data[4 * pixel + colour] = Math.round((255 * (value - low)) / (high - low));
    }
    image.data[4 * pixel + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
