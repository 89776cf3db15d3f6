import "@fontsource-variable/inter";
import "@fontsource-variable/jetbrains-mono";
import "../components/tokens.css";
import "../components/base.css";
import type { Metadata, Viewport } from "next";
import { cookies } from "next/headers";
import type { ReactNode } from "react";
import { Providers } from "../components/frame/Providers.tsx";
import { RAIL_COOKIE, THEME_COOKIE, isTheme } from "../components/frame/preferences.ts";

export const metadata: Metadata = {
  title: { default: "Weir", template: "%s · Weir" },
  description: "Network observability from the kernel to the screen.",
};
export const viewport: Viewport = { width: "device-width", initialScale: 1 };

/**
 * The document. Theme and rail come from cookies, so the first paint is right without an inline script, which the CSP
 * would refuse; reading them also makes every page dynamic, which nonces need.
 */
export default async function RootLayout({ children }: { children: ReactNode }) {
  const jar = await cookies();
  const theme = jar.get(THEME_COOKIE)?.value ?? "system";
  const rail = jar.get(RAIL_COOKIE)?.value;
  return (
    <html
      lang="en"
      {...(isTheme(theme) && theme !== "system" ? { "data-theme": theme } : {})}
      {...(rail === "narrow" || rail === "wide" ? { "data-rail": rail } : {})}
    >
      <body>
        <Providers>{children}</Providers>
      </body>
    </html>
  );
}
