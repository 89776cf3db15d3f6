import type { BooksTotals } from "../../model/wire/health.ts";
import { count, share } from "../parts/numbers.ts";
import { Table, type Column } from "../parts/Table.tsx";
import { Section } from "./Section.tsx";

interface Line {
  readonly name: string;
  readonly rows: number;
  readonly of: number;
  readonly words: string;
}

const COLUMNS: readonly Column<Line>[] = [
  { id: "name", title: "Where it went", width: "minmax(140px, 1fr)", cell: (line) => line.name },
  { id: "rows", title: "Events", width: "140px", numeric: true, cell: (line) => count(line.rows) },
  { id: "share", title: "Share", width: "110px", numeric: true, cell: (line) => share(line.rows, line.of) },
  { id: "words", title: "", width: "minmax(260px, 2fr)", cell: (line) => <span className="soft">{line.words}</span> },
];

/** produced = stored + lost + shed + quarantined + filtered + in flight: what this run's events became. */
export function BooksTable({ books }: { readonly books: BooksTotals }) {
  const of = books.produced;
  const lines: readonly Line[] = [
    { name: "Stored", rows: books.stored, of, words: "the store has confirmed them" },
    { name: "In flight", rows: books.inFlight, of, words: "in rings, memory and spool" },
    { name: "Filtered", rows: books.filtered, of, words: "not wanted: outside of WEIR_NETNS, or Weir's own traffic" },
    { name: "Lost in rings", rows: books.lost - books.unseen, of, words: "no room in the ring; counted by the kernel" },
    {
      name: "Unseen",
      rows: books.unseen,
      of,
      words: "packets while the kernel ran no program: at most so many drops",
    },
    {
      name: "Shed",
      rows: books.shed,
      of,
      words: "given up to stay within limits: of CPU, or of the spool, oldest first",
    },
    { name: "Quarantined", rows: books.quarantined, of, words: "could not be read or stored; kept aside" },
  ];
  return (
    <Section
      title="Books"
      note={
        books.difference === 0
          ? `${count(books.produced)} produced; the books balance`
          : `${count(books.produced)} produced; ${count(Math.abs(books.difference))} are missing from the sum`
      }
    >
      <Table label="What became of the events" columns={COLUMNS} rows={lines} rowKey={lineName} grow={false} />
    </Section>
  );
}

function lineName(line: Line): string {
  return line.name;
}
