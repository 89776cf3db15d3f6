/** A weir seen from below: three crests above the water's edge. */
export function Logo() {
  return (
    <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <path d="M2 4v12h16V4l-4 5-4-5-4 5z" fill="currentColor" />
      <path d="M4.5 13.2h11" stroke="var(--frame)" strokeWidth="1.6" />
    </svg>
  );
}
