import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY, type SimulationNodeDatum } from "d3";

/** What layout needs of the graph; plain data, so that it crosses to a worker. */
export interface LayoutRequest {
  readonly nodes: readonly { readonly key: string; readonly group: string }[];
  /** `weight`: 1, or less for edges that should arrange nothing (a service that everyone talks to). */
  readonly edges: readonly { readonly source: string; readonly target: string; readonly weight: number }[];
  /** Places of an earlier layout: those nodes do not move. Empty = lay out everything. */
  readonly places: Readonly<Record<string, readonly [number, number]>>;
}

/** Scene coordinates by node key. */
export type Places = Record<string, [number, number]>;

const SPACING = 118;
const ALL_TICKS = 300;
/** Enough for new nodes to find a place among fixed ones: 10 into 1,000 in 60 ticks. */
const NEW_TICKS = 60;

interface Body extends SimulationNodeDatum {
  readonly key: string;
  readonly group: string;
}

/**
 * Places for all nodes: old ones stay where they are, new ones are settled among them. The same request gives the same
 * places: d3-force's own random source is seeded, and starting places come from the keys.
 */
export function layout(request: LayoutRequest): Places {
  const groups = groupCentres(request);
  const fresh = request.nodes.some((node) => request.places[node.key] === undefined);
  const everything = Object.keys(request.places).length === 0;
  const bodies: Body[] = request.nodes.map((node) => {
    const place = request.places[node.key];
    if (place !== undefined)
      return { key: node.key, group: node.group, x: place[0], y: place[1], fx: place[0], fy: place[1] };
    const near = startingPlace(node.key, node.group, request, groups);
    return { key: node.key, group: node.group, x: near[0], y: near[1] };
  });
  if (fresh) settle(bodies, request, groups, everything ? ALL_TICKS : NEW_TICKS, everything);
  const places: Places = {};
  for (const body of bodies) places[body.key] = [Math.round(body.x! * 10) / 10, Math.round(body.y! * 10) / 10];
  return places;
}

function settle(
  bodies: Body[],
  request: LayoutRequest,
  groups: Map<string, [number, number]>,
  ticks: number,
  everything: boolean,
): void {
  const known = new Set(bodies.map((body) => body.key));
  const links = request.edges.filter(
    (edge) => edge.source !== edge.target && known.has(edge.source) && known.has(edge.target),
  );
  const degree = new Map<string, number>();
  for (const link of links) {
    degree.set(link.source, (degree.get(link.source) ?? 0) + 1);
    degree.set(link.target, (degree.get(link.target) ?? 0) + 1);
  }
  const sameGroup = new Map(bodies.map((body) => [body.key, body.group]));
  const large = bodies.length > 400;
  const ranks = innerRanks(request);
  const simulation = forceSimulation(bodies)
    .randomSource(seededRandom(1))
    .force(
      "link",
      forceLink<Body, { source: string; target: string; weight: number }>(links.map((link) => ({ ...link })))
        .id((body) => body.key)
        .distance((link) => {
          const a = link.source as unknown as Body;
          const b = link.target as unknown as Body;
          return sameGroup.get(a.key) === sameGroup.get(b.key) ? SPACING : SPACING * 1.7;
        })
        .strength((link) => {
          const a = link.source as unknown as Body;
          const b = link.target as unknown as Body;
          return (0.7 * link.weight) / Math.min(degree.get(a.key) ?? 1, degree.get(b.key) ?? 1);
        }),
    )
    .force(
      "charge",
      forceManyBody<Body>()
        .strength(large ? -320 : -620)
        .distanceMax(large ? 500 : 900)
        .theta(large ? 1.1 : 0.9),
    )
    .force("collide", forceCollide<Body>(SPACING * 0.42).iterations(2))
    // A screen is wider than it is high: pull harder towards the middle line than sideways.
    .force(
      "x",
      forceX<Body>((body) => groups.get(body.group)![0] + ranks.get(body.key)! * RANK_PX * 0.5).strength(
        everything ? 0.13 : 0.05,
      ),
    )
    .force("y", forceY<Body>((body) => groups.get(body.group)![1]).strength(everything ? 0.2 : 0.07))
    .stop();
  simulation.alpha(everything ? 1 : 0.5);
  simulation.alphaDecay(1 - 0.001 ** (1 / ticks));
  for (let i = 0; i < ticks; i++) simulation.tick();
}

interface Way {
  readonly source: string;
  readonly target: string;
  weight: number;
}

/** Sideways distance from a caller to whom it calls. */
const RANK_PX = 230;

/**
 * A place from left to right for each name: whom nobody calls at the left, each callee one step right of its callers as far
 * as circles allow (least squares, by relaxation). Mean 0.
 */
function flowRanks(names: readonly string[], ways: readonly Way[]): Map<string, number> {
  const ranks = new Map(names.map((name) => [name, 0]));
  for (let round = 0; round < 60; round++) {
    const pulls = new Map<string, { sum: number; weight: number }>();
    const pull = (name: string, to: number, weight: number): void => {
      const known = pulls.get(name) ?? { sum: 0, weight: 0 };
      pulls.set(name, { sum: known.sum + to * weight, weight: known.weight + weight });
    };
    for (const way of ways) {
      pull(way.target, ranks.get(way.source)! + 1, way.weight);
      pull(way.source, ranks.get(way.target)! - 1, way.weight);
    }
    for (const [name, { sum, weight }] of pulls) ranks.set(name, ranks.get(name)! * 0.4 + (sum / weight) * 0.6);
  }
  const middle = mean([...ranks.values()]);
  for (const [name, rank] of ranks) ranks.set(name, rank - middle);
  return ranks;
}

/** The same inside of each group, between its members. */
function innerRanks(request: LayoutRequest): Map<string, number> {
  const groupOf = new Map(request.nodes.map((node) => [node.key, node.group]));
  const members = new Map<string, string[]>();
  for (const { key, group } of request.nodes) members.set(group, [...(members.get(group) ?? []), key]);
  const ways = new Map<string, Way[]>();
  for (const edge of request.edges) {
    const group = groupOf.get(edge.source);
    if (group === undefined || group !== groupOf.get(edge.target) || edge.source === edge.target) continue;
    ways.set(group, [...(ways.get(group) ?? []), { source: edge.source, target: edge.target, weight: edge.weight }]);
  }
  return new Map([...members].flatMap(([group, keys]) => [...flowRanks(keys, ways.get(group) ?? [])]));
}

/**
 * Centres of the groups: laid out first, as single bodies, by the traffic between them, so that namespaces that talk are
 * neighbours and their hulls overlap little.
 */
function groupCentres(request: LayoutRequest): Map<string, [number, number]> {
  const groupOf = new Map(request.nodes.map((node) => [node.key, node.group]));
  const sizes = new Map<string, number>();
  for (const node of request.nodes) sizes.set(node.group, (sizes.get(node.group) ?? 0) + 1);
  const links = new Map<string, { source: string; target: string; weight: number }>();
  const flows = new Map<string, Way>();
  for (const edge of request.edges) {
    const source = groupOf.get(edge.source);
    const target = groupOf.get(edge.target);
    if (source === undefined || target === undefined || source === target) continue;
    const key = source < target ? `${source}\n${target}` : `${target}\n${source}`;
    const link = links.get(key) ?? { source, target, weight: 0 };
    link.weight += edge.weight;
    links.set(key, link);
    const way = `${source}\n${target}`;
    const flow = flows.get(way) ?? { source, target, weight: 0 };
    flow.weight += edge.weight;
    flows.set(way, flow);
  }
  const names = [...sizes.keys()].toSorted();
  const ranks = flowRanks(names, [...flows.values()]);
  // Many groups need more room sideways, as they do in all directions.
  const spread = Math.max(1, Math.sqrt(names.length / 6));
  const bodies: Body[] = names.map((name, i) => {
    const angle = (i / names.length) * 2 * Math.PI;
    const reach = 60 + 90 * Math.sqrt(names.length);
    return { key: name, group: name, x: ranks.get(name)! * RANK_PX * spread, y: Math.sin(angle * 2.4) * reach };
  });
  const radius = (name: string): number => SPACING * 0.62 * Math.sqrt(sizes.get(name)!) + 36;
  const simulation = forceSimulation(bodies)
    .randomSource(seededRandom(7))
    .force(
      "link",
      forceLink<Body, { source: string; target: string; weight: number }>(
        [...links.values()].map((link) => ({ ...link })),
      )
        .id((body) => body.key)
        .distance(
          (link) => radius((link.source as unknown as Body).key) + radius((link.target as unknown as Body).key) + 30,
        )
        .strength((link) => 0.5 * Math.min(1, link.weight)),
    )
    .force("charge", forceManyBody<Body>().strength(-400).distanceMax(1500))
    .force("collide", forceCollide<Body>((body) => radius(body.key)).iterations(3))
    .force("x", forceX<Body>((body) => ranks.get(body.key)! * RANK_PX * spread).strength(0.22))
    .force("y", forceY<Body>(0).strength(0.16))
    .stop();
  for (let i = 0; i < 250; i++) simulation.tick();
  return new Map(bodies.map((body) => [body.key, [body.x!, body.y!]]));
}

/** Where a new node begins: at the mean of its placed neighbours, else at its group's placed members, else at its group's centre; never exactly on another. */
function startingPlace(
  key: string,
  group: string,
  request: LayoutRequest,
  groups: Map<string, [number, number]>,
): [number, number] {
  const near: (readonly [number, number])[] = [];
  for (const node of request.nodes) {
    const place = request.places[node.key];
    if (node.group === group && place !== undefined) near.push(place);
  }
  if (near.length === 0) {
    for (const edge of request.edges) {
      const other = edge.source === key ? edge.target : edge.target === key ? edge.source : undefined;
      const place = other === undefined ? undefined : request.places[other];
      if (place !== undefined) near.push(place);
    }
  }
  const random = seededRandom(hash(key));
  const angle = random() * 2 * Math.PI;
  const reach = 20 + random() * 40;
  const middle =
    near.length === 0 ? groups.get(group)! : ([mean(near.map((p) => p[0])), mean(near.map((p) => p[1]))] as const);
  return [middle[0] + Math.cos(angle) * reach, middle[1] + Math.sin(angle) * reach];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** Numbers in [0, 1) that depend only on the seed (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
