// Drawing many points: by WebGL, or on a plain canvas where there is none.

const VERTEX = `#version 300 es
in vec2 position;
in float code;
in float state;
uniform vec2 scale;
uniform vec2 shift;
uniform float size;
uniform sampler2D palette;
out vec4 colour;
flat out int shape;
flat out float chosen;
flat out float radius;
void main() {
  vec4 kind = texelFetch(palette, ivec2(int(code + 0.5), 0), 0);
  int bits = int(state + 0.5);
  chosen = float(bits & 1);
  bool hidden = (bits & 2) != 0;
  bool unknown = code > 254.5;
  shape = int(kind.a * 255.0 + 0.5);
  colour = vec4(kind.rgb, 1.0);
  gl_Position = hidden ? vec4(2.0, 2.0, 2.0, 1.0) : vec4(position * scale + shift, 0.0, 1.0);
  gl_PointSize = (unknown && chosen < 0.5 ? 0.75 * size : size) + (chosen > 0.5 ? 0.5 * size + 3.0 : 0.0);
  radius = 0.5 * gl_PointSize;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec4 colour;
flat in int shape;
flat in float chosen;
flat in float radius;
uniform vec3 ring;
uniform float rim;
out vec4 pixel;
void main() {
  vec2 p = (2.0 * gl_PointCoord - 1.0) * (1.0 + 0.5 / radius);
  float away = shape == 1 ? max(abs(p.x), abs(p.y)) * 1.12
    : shape == 2 ? max(2.0 * p.y, 1.732 * abs(p.x) - p.y)
    : length(p);
  float cover = clamp((1.0 - away) * radius + 0.5, 0.0, 1.0);
  if (cover <= 0.0) discard;
  vec3 inner = chosen > 0.5 ? ring : rim * colour.rgb;
  float inside = clamp(((chosen > 0.5 ? 0.62 : 0.74) - away) * radius + 0.5, 0.0, 1.0);
  pixel = vec4(mix(inner, colour.rgb, inside) * cover, cover);
}`;

// Where drawn points lie: position * scale + shift is the place from -1 to 1 on the canvas.
export class WebGLDraw {
  // On a machine that draws WebGL in software there is none, unless it is insisted on.
  static make(canvas, insist) {
    const settings = { antialias: false, alpha: true, premultipliedAlpha: true };
    if (!insist) {
      const probe = document.createElement("canvas").getContext("webgl2", settings);
      const quick = probe && !isSoftware(probe);
      probe?.getExtension("WEBGL_lose_context")?.loseContext();
      if (!quick) return null;
    }
    const gl = canvas.getContext("webgl2", settings);
    return gl ? new WebGLDraw(canvas, gl) : null;
  }

  constructor(canvas, gl) {
    this.name = "WebGL";
    this.canvas = canvas;
    this.gl = gl;
    this.#prepare();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.#prepare();
      for (const again of [this.lastPoints, this.lastPalette]) again?.();
      this.onrestored?.();
    });
  }

  #prepare() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    gl.useProgram(program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.at = Object.fromEntries(
      ["scale", "shift", "size", "ring", "rim"].map((name) => [name, gl.getUniformLocation(program, name)]),
    );
    this.buffers = { position: gl.createBuffer(), code: gl.createBuffer(), state: gl.createBuffer() };
    this.order = gl.createBuffer();
    for (const [name, size, type] of [["position", 2, gl.FLOAT], ["code", 1, gl.UNSIGNED_BYTE], ["state", 1, gl.UNSIGNED_BYTE]]) {
      const place = gl.getAttribLocation(program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, size, type, false, 0, 0);
    }
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
  }

  setPoints(xy, codes, states, order) {
    const { gl } = this;
    this.lastPoints = () => this.setPoints(xy, codes, states, order);
    for (const [name, values] of [["position", xy], ["code", codes], ["state", states]]) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
    }
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.order);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, order, gl.STATIC_DRAW);
    this.count = order.length;
  }

  setStates(states) {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers.state);
    gl.bufferSubData(gl.ARRAY_BUFFER, 0, states);
  }

  setPalette(table) {
    const { gl } = this;
    this.lastPalette = () => this.setPalette(table);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(table.flat()));
  }

  draw({ scale, shift, size, ring, rim }) {
    const { gl, at, canvas } = this;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (!this.count) return;
    gl.uniform2f(at.scale, ...scale);
    gl.uniform2f(at.shift, ...shift);
    gl.uniform1f(at.size, size);
    gl.uniform1f(at.rim, rim);
    gl.uniform3f(at.ring, ...ring.map((c) => c / 255));
    gl.drawElements(gl.POINTS, this.count, gl.UNSIGNED_INT, 0);
  }

  // Wait until all is drawn, to measure it.
  finish() {
    this.gl.readPixels(0, 0, 1, 1, this.gl.RGBA, this.gl.UNSIGNED_BYTE, new Uint8Array(4));
  }
}

// Whether WebGL is drawn by the processor here; then plain pixels are quicker.
export function isSoftware(gl) {
  const facts = gl.getExtension("WEBGL_debug_renderer_info");
  const name = facts ? gl.getParameter(facts.UNMASKED_RENDERER_WEBGL) : gl.getParameter(gl.RENDERER);
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

// Pixels written one by one, from small stamps of each shape: quick on any machine.
export class PlainDraw {
  constructor(canvas) {
    this.name = "2D canvas";
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
  }

  setPoints(xy, codes, states, order) {
    Object.assign(this, { xy, codes, states, order });
  }

  setStates(states) {
    this.states = states;
  }

  setPalette(table) {
    this.table = table;
  }

  draw({ scale, shift, size, ring, rim }) {
    const { width, height } = this.canvas;
    const picture = this.pen.createImageData(width, height);
    const { data } = picture;
    const { xy, codes, states, order } = this;
    // Points of one colour, one shape and one state have one stamp.
    const stamps = new Array(512);
    const count = order?.length ?? 0;
    for (let k = 0; k < count; k++) {
      const i = order[k];
      const state = states[i];
      if (state & 2) continue;
      const x = Math.round(((xy[2 * i] * scale[0] + shift[0] + 1) / 2) * width);
      const y = Math.round(((1 - xy[2 * i + 1] * scale[1] - shift[1]) / 2) * height);
      if (x < -16 || y < -16 || x > width + 16 || y > height + 16) continue;
      const which = codes[i] + 256 * (state & 1);
      const stamp = (stamps[which] ??= this.#stamp(codes[i], state & 1, size, ring, rim));
      const { half, side, pixels } = stamp;
      const left = Math.max(0, half - x);
      const right = Math.min(side, width + half - x);
      const bottom = Math.min(side, height + half - y);
      for (let row = Math.max(0, half - y); row < bottom; row++) {
        let to = 4 * ((y + row - half) * width + x + left - half);
        let from = 4 * (row * side + left);
        for (let column = left; column < right; column++, to += 4, from += 4) {
          const cover = pixels[from + 3];
          if (cover === 255) {
            data[to] = pixels[from];
            data[to + 1] = pixels[from + 1];
            data[to + 2] = pixels[from + 2];
            data[to + 3] = 255;
          } else if (cover > 0) {
            const under = data[to + 3] * (255 - cover);
            const alpha = cover * 255 + under;
            for (let c = 0; c < 3; c++) {
              data[to + c] = (pixels[from + c] * cover * 255 + data[to + c] * under) / alpha;
            }
            data[to + 3] = alpha / 255;
          }
        }
      }
    }
    this.pen.putImageData(picture, 0, 0);
  }

  // A point as a small picture, by the same rules as the shader's.
  #stamp(code, chosen, size, ring, rim) {
    const [r, g, b, shape] = this.table?.[code] ?? [128, 128, 128, 0];
    const whole = code === 255 && !chosen ? 0.75 * size : size + (chosen ? 0.5 * size + 3 : 0);
    const radius = whole / 2;
    const half = Math.ceil(radius);
    const side = 2 * half + 1;
    const pixels = new Uint8ClampedArray(4 * side * side);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const x = (column - half) / radius;
        const y = (row - half) / radius;
        const away = [
          Math.hypot(x, y),
          1.12 * Math.max(Math.abs(x), Math.abs(y)),
          Math.max(2 * y, 1.732 * Math.abs(x) - y),
        ][shape];
        const cover = Math.min(1, Math.max(0, (1 - away) * radius + 0.5));
        const inside = Math.min(1, Math.max(0, ((chosen ? 0.62 : 0.74) - away) * radius + 0.5));
        const edge = chosen ? ring : [rim * r, rim * g, rim * b];
        pixels.set([r, g, b].map((c, k) => inside * c + (1 - inside) * edge[k]), 4 * (row * side + column));
        pixels[4 * (row * side + column) + 3] = 255 * cover;
      }
    }
    return { half, side, pixels };
  }

  finish() {
    this.pen.getImageData(0, 0, 1, 1);
  }
}
