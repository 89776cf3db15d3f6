// Made by: node scripts/build-bpf-layout.ts (from the BTF of bpf/prebuilt/weir.bpf.o, structs of bpf/events.h). Do not edit.

/** Word (4-byte) offsets of event fields; fields smaller than a word: the word that holds them. `bytes` = length as sent, up to and with seq. */
export const COMMON = {
  ts: 0,
  cookie: 2,
  cgroup: 4,
  netns: 6,
  ifindex: 7,
  saddr: 8,
  daddr: 12,
  sport: 16,
  dport: 16,
  type: 17,
  family: 17,
  proto: 17,
  dir: 17,
  src_id: 18,
  dst_id: 19,
  bytes: 80,
} as const;

export const CONN = {
  c: 0,
  tx_bytes: 20,
  rx_bytes: 22,
  tx_segs: 24,
  rx_segs: 25,
  retrans: 26,
  srtt_us: 27,
  min_rtt_us: 28,
  lat_us: 29,
  dur_ns: 30,
  pid: 32,
  oldstate: 33,
  newstate: 33,
  err: 33,
  comm: 34,
  seq: 38,
  bytes: 156,
} as const;

export const DROP = {
  c: 0,
  location: 20,
  reason: 22,
  len: 23,
  tcpflags: 24,
  sk_state: 24,
  icmp_type: 24,
  icmp_code: 24,
  count: 25,
  stack: 26,
  iif: 27,
  seq: 28,
  bytes: 116,
} as const;

export const DNS = {
  c: 0,
  latency_us: 20,
  offset: 21,
  length: 22,
  copied: 23,
  seq: 24,
  bytes: 100,
} as const;

export const CONVERSATION = {
  c: 0,
  tx_bytes: 20,
  rx_bytes: 22,
  tx_packets: 24,
  rx_packets: 25,
  first: 26,
  last: 28,
  pid: 30,
  comm: 31,
  shed: 35,
  seq: 36,
  bytes: 148,
} as const;

export const NAT = {
  c: 0,
  backend: 20,
  bport: 24,
  spare: 24,
  status: 25,
  seq: 26,
  bytes: 108,
} as const;

/** Byte offsets of what is read from maps; `bytes` = the struct's size. */
export const CPU_STATS = {
  produced: 0,
  lost: 128,
  shed: 256,
  drops_passed: 384,
  lives_full: 392,
  conversations_full: 400,
  packets_shed: 408,
  nested: 416,
  init_ran: 424,
  init_packets: 432,
  seq: 440,
  in_connections: 444,
  in_drops: 448,
  spare: 452,
  bytes: 456,
} as const;

export const CONVERSATION_KEY = {
  laddr: 0,
  raddr: 16,
  lport: 32,
  rport: 34,
  netns: 36,
  proto: 40,
  spare: 41,
  bytes: 44,
} as const;

export const CONVERSATION_VALUE = {
  tx_bytes: 0,
  rx_bytes: 8,
  tx_packets: 16,
  rx_packets: 24,
  told_tx_bytes: 32,
  told_rx_bytes: 40,
  told_tx_packets: 48,
  told_rx_packets: 56,
  first: 64,
  last: 72,
  cookie: 80,
  cgroup: 88,
  ifindex: 96,
  pid: 100,
  comm: 104,
  dir: 120,
  family: 121,
  shed: 122,
  spare: 123,
  bytes: 128,
} as const;

export const DROP_KEY = {
  saddr: 0,
  daddr: 16,
  sport: 32,
  dport: 34,
  reason: 36,
  location: 40,
  netns: 48,
  proto: 52,
  spare: 53,
  bytes: 56,
} as const;
