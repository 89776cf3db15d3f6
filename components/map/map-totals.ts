import { count, perSecond } from "../parts/numbers.ts";
import { inTrouble, type Graph, type MapLevel } from "./graph.ts";

/** One line under the page's title: `9 workloads, 2 outside · 18 edges, 1 gone · 1,672 connections/s`. */
export function mapTotals(graph: Graph, level: MapLevel): string {
  const noun = level === "namespace" ? "namespace" : "workload";
  const outside = graph.nodes.filter((node) => node.shape === "outside").length;
  const inside = graph.nodes.length - outside;
  const gone = graph.edges.filter((edge) => edge.state === "gone").length;
  const rate = graph.edges.reduce((sum, edge) => sum + edge.perSecond, 0);
  const parts = [
    `${count(inside)} ${inside === 1 ? noun : `${noun}s`}${outside > 0 ? `, ${count(outside)} outside` : ""}`,
    `${count(graph.edges.length)} ${graph.edges.length === 1 ? "edge" : "edges"}${gone > 0 ? `, ${gone} gone` : ""}`,
    `${perSecond(rate).replace("/s", "")} connections/s`,
  ];
  return parts.join(" · ");
}

/** How many edges are in trouble. */
export function troubleCount(graph: Graph): number {
  return graph.edges.filter((edge) => inTrouble(edge.state)).length;
}
