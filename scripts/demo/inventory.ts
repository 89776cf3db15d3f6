import { stringify } from "yaml";
import { namespaceName } from "./network.ts";
import { BLACK_HOLE, SERVICES, SILENT_HOST, SILENT_HOST_V6, WORKLOADS } from "./shop.ts";

/** The inventory file (YAML) that gives the world's addresses and namespaces their names. Outside things are not observed. */
export function inventoryOf(runId: string): string {
  const entries: object[] = [];
  for (const workload of WORKLOADS) {
    const ports = workload.listens.map((listener) => ({
      name: listener.name,
      port: listener.port,
      protocol: listener.speaks === "dns" || listener.speaks === "sink" ? "UDP" : "TCP",
    }));
    for (const replica of workload.replicas) {
      const addresses = [...replica.v4, ...replica.v6];
      const named = {
        namespace: workload.namespace,
        workload: workload.name,
        kind: workload.kind,
        endpoint: replica.name,
      };
      if (workload.kind === "outside") entries.push({ addresses, ...named, ports });
      else
        entries.push({
          netns: namespaceName(runId, replica.name),
          ...named,
          labels: { app: workload.name, world: "shop" },
          addresses,
          ports,
          observed: true,
        });
    }
  }
  // Hosts that are gone: they keep their entries, as in many a real inventory, so that the map tells them apart from the world.
  for (const addresses of [[SILENT_HOST, SILENT_HOST_V6], [BLACK_HOLE]]) {
    entries.push({ addresses, namespace: "", workload: addresses[0], kind: "outside" });
  }
  for (const service of SERVICES) {
    entries.push({
      addresses: [service.v4, service.v6],
      namespace: service.namespace,
      workload: service.name,
      kind: "service",
      ports: [{ name: "http", port: service.port, protocol: "TCP" }],
    });
  }
  return stringify({ entries }, { flowCollectionPadding: true, lineWidth: 0 });
}
