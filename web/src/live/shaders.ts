/** The programs of the WebGL2 compositor. Textures hold the upper row first; only the last pass turns the picture over. */
import { LEAST_SHARE } from "./compositor";

export const VERTEX = `#version 300 es
in vec2 corner;
out vec2 uv;
uniform float turn;
void main() {
  uv = corner * 0.5 + 0.5;
  if (turn > 0.5) uv.y = 1.0 - uv.y;
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

/** Alpha along the frame's own edges: the guided filter's line at this pixel, then a steeper slope around 0.5. */
const ALPHA = `
uniform sampler2D lines;
uniform float contrast;
float alphaOf(vec2 at, vec3 color) {
  vec4 line = texture(lines, at);
  float alpha = clamp(dot(line.rgb, color) + line.a, 0.0, 1.0);
  return clamp((alpha - 0.5) * contrast + 0.5, 0.0, 1.0);
}`;

/** The background's own light at low resolution: colors times light, and light. What is even partly person lends none. */
export const LIGHT = `#version 300 es
precision highp float;
in vec2 uv;
out vec4 result;
uniform sampler2D frame;
uniform vec2 step;
uniform float lit;
${ALPHA}
void main() {
  vec3 sum = vec3(0.0);
  float most = 0.0;
  for (int i = 0; i < 4; i++) {
    vec2 at = uv + step * vec2(i % 2 == 0 ? -0.25 : 0.25, i < 2 ? -0.25 : 0.25);
    vec3 color = texture(frame, at).rgb;
    sum += color;
    most = max(most, alphaOf(at, color));
  }
  for (int i = 0; i < 4; i++) {
    vec2 at = uv + step * (i < 2 ? vec2(i == 0 ? -1.0 : 1.0, 0.0) : vec2(0.0, i == 2 ? -1.0 : 1.0));
    most = max(most, alphaOf(at, texture(frame, at).rgb));
  }
  float light = 1.0 - most > lit ? 1.0 : 0.0;
  result = vec4(sum * 0.25 * light, light);
}`;

/** One direction of a Gaussian. */
export const BLUR = `#version 300 es
precision highp float;
in vec2 uv;
out vec4 result;
uniform sampler2D source;
uniform vec2 step;
void main() {
  vec4 sum = texture(source, uv) * 0.2042;
  sum += (texture(source, uv + step * 1.4118) + texture(source, uv - step * 1.4118)) * 0.3045;
  sum += (texture(source, uv + step * 3.2941) + texture(source, uv - step * 3.2941)) * 0.0934;
  result = sum;
}`;

/** The background without the person at low resolution: at each pixel the nearest level of light that reaches it. */
export const FILL = `#version 300 es
precision highp float;
in vec2 uv;
out vec4 result;
uniform sampler2D veil;
uniform sampler2D light;
uniform float levels;
void main() {
  vec3 color = vec3(0.5);
  for (int i = 0; i < 8; i++) {
    float level = levels - float(i);
    if (level < 1.0) break;
    vec4 far = textureLod(light, uv, level);
    if (far.a > 0.002) color = mix(color, far.rgb / far.a, clamp(far.a * 4.0, 0.0, 1.0));
  }
  vec4 near = texture(veil, uv);
  if (near.a > 0.002) color = mix(color, near.rgb / near.a, clamp(near.a * 4.0, 0.0, 1.0));
  result = vec4(color, 1.0);
}`;

/** The finished picture. */
export const FINISH = `#version 300 es
precision highp float;
in vec2 uv;
out vec4 result;
uniform sampler2D frame;
uniform sampler2D own;
uniform sampler2D image;
uniform int kind;
uniform vec3 plain;
uniform vec4 part;
${ALPHA}
void main() {
  vec3 color = texture(frame, uv).rgb;
  float alpha = alphaOf(uv, color);
  if (alpha >= 1.0) {
    result = vec4(color, 1.0);
    return;
  }
  vec3 old = texture(own, uv).rgb;
  vec3 behind = kind == 1 ? old : kind == 2 ? texture(image, part.xy + uv * part.zw).rgb : plain;
  // The person's own color in the soft edge: what is left when the old background's share is taken out.
  if (kind != 1) color = clamp(color + (color - old) * (1.0 - alpha) / max(alpha, ${LEAST_SHARE}), 0.0, 1.0);
  result = vec4(mix(behind, color, alpha), 1.0);
}`;
