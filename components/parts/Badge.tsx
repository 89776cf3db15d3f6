import { ArrowRight, Minus, Plus, RefreshCw, Star, X, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import type { Tone } from "./colors.ts";
import styles from "./controls.module.css";

const ICONS: Readonly<Record<Tone, LucideIcon>> = {
  allowed: ArrowRight,
  denied: X,
  degraded: RefreshCw,
  "will-allow": Plus,
  fresh: Star,
  gone: Minus,
};

/** Icon and word on the ground of a state. `icon={null}` leaves the icon out. */
export function Badge({
  tone,
  icon,
  children,
}: {
  readonly tone: Tone;
  readonly icon?: LucideIcon | null;
  readonly children: ReactNode;
}) {
  const Icon = icon === undefined ? ICONS[tone] : icon;
  return (
    <span className={styles.badge} data-tone={tone}>
      {Icon === null ? null : <Icon size={12} strokeWidth={2} aria-hidden="true" />}
      {children}
    </span>
  );
}

/** The icon that goes with a role, for rows that have no room for a badge. */
export function ToneIcon({ tone, label }: { readonly tone: Tone; readonly label: string }) {
  const Icon = ICONS[tone];
  return <Icon size={14} strokeWidth={1.75} className={`tone-${tone}`} role="img" aria-label={label} />;
}
