/** What a visitor chose for this browser. Cookies, so that the server's first paint knows them; they hold nothing else. */
export const THEME_COOKIE = "weir-theme";
export const RAIL_COOKIE = "weir-rail";
const KEYS_ITEM = "weir-single-keys";
const YEAR_S = 365 * 24 * 3600;

export const THEMES = ["system", "dark", "light"] as const;
export type Theme = (typeof THEMES)[number];

export function isTheme(text: string): text is Theme {
  return (THEMES as readonly string[]).includes(text);
}

/** Keeps `value` under `name` for a year, for this site only. */
export function keep(name: typeof THEME_COOKIE | typeof RAIL_COOKIE, value: string): void {
  document.cookie = `${name}=${value}; path=/; max-age=${YEAR_S}; samesite=strict`;
}

/** Applies a theme at once and keeps it. `system` follows the operating system from then on. */
export function applyTheme(theme: Theme): void {
  keep(THEME_COOKIE, theme);
  if (theme === "system") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset.theme = theme;
}

/** The theme that was chosen; `system` when none was. */
export function chosenTheme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  return chosen !== undefined && isTheme(chosen) ? chosen : "system";
}

/** Single-letter keys can be turned off (WCAG 2.1.4). */
export function singleKeysOn(): boolean {
  return localStorage.getItem(KEYS_ITEM) !== "off";
}

export function keepSingleKeys(on: boolean): void {
  if (on) localStorage.removeItem(KEYS_ITEM);
  else localStorage.setItem(KEYS_ITEM, "off");
}
