// How pages look: what they are painted with, and whether that can be read.

// Runs in the page: the colours of the first element that the selector finds.
export function looks(selector) {
  const colour = (element, name) => getComputedStyle(element)[name];
  let painted = document.querySelector(selector);
  const text = colour(painted, "color");
  while (painted && /^rgba\(.*, 0\)$|transparent/.test(colour(painted, "backgroundColor")))
    painted = painted.parentElement;
  return {
    text,
    background: painted ? colour(painted, "backgroundColor") : "rgb(255, 255, 255)",
  };
}

// Relative luminance and contrast (WCAG 2.2).
export function luminance(colour) {
  const [red, green, blue] = colour.match(/[\d.]+/g).map((part) => part / 255);
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

export function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
