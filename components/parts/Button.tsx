import type { ButtonHTMLAttributes, ReactNode } from "react";
import styles from "./controls.module.css";

export interface ButtonLook {
  /** primary: the likely next step, one a panel. bare: beside others. */
  readonly look?: "plain" | "primary" | "bare";
  readonly small?: boolean;
  /** Only an icon inside; needs `aria-label`. */
  readonly iconOnly?: boolean;
}

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & ButtonLook & { readonly children: ReactNode };

/** A verb with an object ("Open flows"). `aria-pressed` shows a toggle as on. */
export function Button({ look = "plain", small = false, iconOnly = false, className, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={[
        buttonClass({ look, small, iconOnly }),
        rest["aria-pressed"] === true ? styles.pressed : "",
        className ?? "",
      ].join(" ")}
    >
      {children}
    </button>
  );
}

/** The same look for a link. */
export function buttonClass({ look = "plain", small = false, iconOnly = false }: ButtonLook = {}): string {
  return [
    styles.button,
    look === "plain" ? "" : styles[look],
    small ? styles.small : "",
    iconOnly ? styles.iconOnly : "",
  ]
    .filter(Boolean)
    .join(" ");
}
