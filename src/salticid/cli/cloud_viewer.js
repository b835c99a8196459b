// A point cloud on a canvas: drag to turn, wheel to come closer. No dependencies, no WebGL.
// bytes: N x int16 x, y, z (scaled to the unit cube), then N x uint8 r, g, b.
const DOT_PX = 3;

function showCloud(canvas, base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const count = bytes.length / 9;
  const points = new Int16Array(bytes.buffer, 0, 3 * count), colors = bytes.subarray(6 * count);
  const context = canvas.getContext("2d"), { width, height } = canvas;
  const picture = context.createImageData(width, height);
  const pixels = new Uint32Array(picture.data.buffer), nearest = new Float32Array(width * height);
  const orbit = { yaw: 0.3, pitch: 0.12, distance: 2.3 };

  function draw() {
    pixels.fill(0xff181818);
    nearest.fill(Infinity);
    const [cy, sy, cp, sp] = [Math.cos(orbit.yaw), Math.sin(orbit.yaw), Math.cos(orbit.pitch), Math.sin(orbit.pitch)];
    for (let i = 0; i < count; i++) {
      const x = points[3 * i] / 32767, y = points[3 * i + 1] / 32767, z = points[3 * i + 2] / 32767;
      const sideways = cy * x + sy * z, forward = cy * z - sy * x;
      const up = cp * y - sp * forward, depth = sp * y + cp * forward + orbit.distance;
      if (depth < 0.1) continue;
      const column = Math.round(width / 2 + (1.1 * width * sideways) / depth);
      const row = Math.round(height / 2 + (1.1 * width * up) / depth);
      const color = 0xff000000 | (colors[3 * i + 2] << 16) | (colors[3 * i + 1] << 8) | colors[3 * i];
      dot(column, row, depth, color);
    }
    context.putImageData(picture, 0, 0);
  }

  function dot(column, row, depth, color) {
    for (let y = row; y < row + DOT_PX; y++)
      for (let x = column; x < column + DOT_PX; x++) {
        const at = y * width + x;
        if (x < 0 || x >= width || y < 0 || y >= height || depth >= nearest[at]) continue;
        nearest[at] = depth;
        pixels[at] = color;
      }
  }

  canvas.onpointermove = (event) => {
    if (!event.buttons) return;
    orbit.yaw -= event.movementX / 150;
    orbit.pitch = Math.max(-1.5, Math.min(1.5, orbit.pitch + event.movementY / 150));
    draw();
  };
  canvas.onwheel = (event) => {
    event.preventDefault();
    orbit.distance = Math.max(0.5, Math.min(6, orbit.distance * Math.exp(event.deltaY / 800)));
    draw();
  };
  draw();
}
