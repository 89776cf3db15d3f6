/** One replica of the shop: serves its workload's ports and does its part of the schedule. Started by world.ts inside its network namespace. */
import { flushCompileCache } from "node:module";
import { actionsIn, flapOf, type Action } from "../schedule.ts";
import { labelOf, workloadOfReplica } from "../shop.ts";
import { LedgerBook } from "./book.ts";
import { ShopClient } from "./client.ts";
import { serveDns, serveSink } from "./dns.ts";
import type { Assignment, Notice, Order } from "./messages.ts";
import { ShopServer } from "./serve.ts";

const { replica, plan, ledgerFile } = JSON.parse(process.argv[2]!) as Assignment;
const workload = workloadOfReplica(replica);
const label = labelOf(workload);
process.title = workload.process;
const book = new LedgerBook(ledgerFile);
const servers = workload.listens.flatMap((listener) =>
  listener.speaks === "dns" || listener.speaks === "sink"
    ? []
    : [new ShopServer(label, listener.port, listener.speaks, book)],
);

let client: ShopClient | undefined;
let untilMs = Infinity;
let epochMs = 0;
/** Actions of seconds already planned, in order; `second` is the next one to plan. */
let due: Action[] = [];
let second = 0;
let timer: NodeJS.Timeout | undefined;

process.on("disconnect", () => process.exit(0)); // the world is gone, however it ended
process.on("message", (order: Order) => void obey(order));
process.on("SIGINT", () => undefined); // Ctrl-C reaches the whole group; the world says when to stop

for (const server of servers) await server.listen();
for (const listener of workload.listens) {
  if (listener.speaks === "dns") await serveDns(listener.port);
  if (listener.speaks === "sink") await serveSink(listener.port);
}
say({ type: "ready" });
flushCompileCache(); // the world ends its programs by SIGKILL, which would leave nothing for the next start

async function obey(order: Order): Promise<void> {
  switch (order.type) {
    case "start":
      epochMs = order.epochMs;
      client = new ShopClient(label, book, epochMs);
      proceed();
      flap(0);
      return;
    case "until":
      untilMs = order.ms;
      proceed();
      return;
    case "report":
      book.flush();
      say({ type: "report", question: order.question, sums: book.sums() });
      return;
    case "exit":
      book.flush();
      process.exit(0);
  }
}

/** Does what is due, then sleeps until the next action. Late is late, but nothing is left out. */
function proceed(): void {
  clearTimeout(timer);
  const now = Date.now() - epochMs;
  while (second * 1000 <= now) due.push(...actionsIn(plan, replica, second++));
  let done = 0;
  for (; done < due.length && due[done]!.atMs <= now && due[done]!.atMs < untilMs; done++) client!.perform(due[done]!);
  due = due.slice(done);
  if (now >= untilMs && !(due.length > 0 && due[0]!.atMs < untilMs)) {
    void client!.until(untilMs).then(() => say({ type: "settled" }));
    return;
  }
  const next = Math.min(due[0]?.atMs ?? Infinity, second * 1000, untilMs);
  timer = setTimeout(proceed, Math.max(1, next - now));
}

/** Stops listening and listens again, as the plan has it, until the world ends. */
function flap(round: number): void {
  const down = flapOf(plan, replica, round);
  if (down === undefined) return;
  const wait = (ms: number, then: () => void) => setTimeout(then, Math.max(0, epochMs + ms - Date.now()));
  wait(down.fromMs, () => {
    for (const server of servers) server.stopListening();
  });
  wait(down.toMs, () => {
    for (const server of servers) void server.listen();
    flap(round + 1);
  });
}

function say(notice: Notice): void {
  process.send!(notice);
}
