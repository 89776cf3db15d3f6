import Link from "next/link";
import styles from "./plain.module.css";

/** A path that no page has. Our own: Next's has inline styles, which the CSP refuses. */
export default function NotFound() {
  return (
    <main className={styles.page}>
      <h1>There is no such page</h1>
      <p>The address names no screen of Weir; an older version may have had it.</p>
      <Link href="/map">Open the service map</Link>
    </main>
  );
}
