// SPDX-License-Identifier: Apache-2.0

// Command cilium judges the bench world of bench/policy.ts with Cilium's own pkg/policy: parses, computes every endpoint's
// policy into map state, and looks each tuple up in both directions. Reads the same JSON as ../cyclonus.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/netip"
	"os"
	"runtime"
	"time"

	"github.com/cilium/cilium/pkg/endpoint/regeneration"
	"github.com/cilium/cilium/pkg/identity"
	"github.com/cilium/cilium/pkg/identity/identitymanager"
	"github.com/cilium/cilium/pkg/k8s"
	slim_networkingv1 "github.com/cilium/cilium/pkg/k8s/slim/k8s/api/networking/v1"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/policy"
	"github.com/cilium/cilium/pkg/types"
	"github.com/cilium/cilium/pkg/u8proto"
)

type pod struct {
	Namespace string            `json:"namespace"`
	Labels    map[string]string `json:"labels"`
	IP        string            `json:"ip"`
	Ports     map[string]uint16 `json:"ports"`
}

type tuple struct {
	Src      int    `json:"src"`
	Dst      int    `json:"dst"`
	DstIP    string `json:"dstIP"`
	Protocol string `json:"protocol"`
	Port     uint16 `json:"port"`
}

type world struct {
	Policies   []*slim_networkingv1.NetworkPolicy `json:"policies"`
	Namespaces map[string]map[string]string       `json:"namespaces"`
	Pods       []pod                              `json:"pods"`
	Tuples     []tuple                            `json:"tuples"`
}

// owner is an endpoint as far as policies ask.
type owner struct {
	id    uint64
	ports map[string]uint16
}

func (o *owner) GetID() uint64 { return o.id }
func (o *owner) GetIngressNamedPort(name string, proto u8proto.U8proto) uint16 {
	if proto == u8proto.TCP {
		return o.ports[name]
	}
	return 0
}
func (o *owner) PolicyDebug(string, ...any)                  {}
func (o *owner) IsHost() bool                                { return false }
func (o *owner) PreviousMapStateSizes() policy.MapStateSizes { return policy.MapStateSizes{} }
func (o *owner) RegenerateIfAlive(*regeneration.ExternalRegenerationMetadata) <-chan bool {
	ch := make(chan bool)
	close(ch)
	return ch
}

// namedPorts is what egress rules with a port's name ask for.
type namedPorts struct{ known types.NamedPortMultiMap }

func (n namedPorts) GetNamedPorts() types.NamedPortMultiMap { return n.known }

func identityLabels(w *world, p pod) labels.Labels {
	lbls := labels.Labels{}
	add := func(key, value string) { lbls[key] = labels.NewLabel(key, value, labels.LabelSourceK8s) }
	for k, v := range p.Labels {
		add(k, v)
	}
	for k, v := range w.Namespaces[p.Namespace] {
		add("io.cilium.k8s.namespace.labels."+k, v)
	}
	add("io.kubernetes.pod.namespace", p.Namespace)
	add("io.cilium.k8s.policy.cluster", "default")
	add("io.cilium.k8s.policy.serviceaccount", "default")
	return lbls
}

func main() {
	runtime.GOMAXPROCS(1)
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	var w world
	if err := json.Unmarshal(text, &w); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	logger := slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError}))

	// Pods of the same labels share an identity, addresses outside have one each.
	byLabels := map[string]*identity.Identity{}
	ids := make([]*identity.Identity, len(w.Pods))
	all := identity.IdentityMap{}
	next := identity.NumericIdentity(1000)
	for i, p := range w.Pods {
		lbls := identityLabels(&w, p)
		key := string(lbls.SortedList())
		if byLabels[key] == nil {
			byLabels[key] = identity.NewIdentity(next, lbls)
			all[next] = byLabels[key].LabelArray
			next++
		}
		ids[i] = byLabels[key]
	}
	outside := map[string]identity.NumericIdentity{}
	local := identity.MinLocalIdentity
	for _, t := range w.Tuples {
		if t.Dst >= 0 || outside[t.DstIP] != 0 {
			continue
		}
		addr, err := netip.ParseAddr(t.DstIP)
		if err != nil {
			continue
		}
		lbls := labels.GetCIDRLabels(netip.PrefixFrom(addr, addr.BitLen()))
		outside[t.DstIP] = local
		all[local] = lbls.LabelArray()
		local++
	}

	started := time.Now()
	manager := identitymanager.NewIDManager(logger)
	repo := policy.NewPolicyRepository(logger, all, nil, nil, manager, nil)
	known := types.NewNamedPortMultiMap()
	for i, p := range w.Pods {
		ports := types.NamedPortMap{}
		for name, port := range p.Ports {
			ports[name] = types.PortProto{Port: port, Proto: u8proto.TCP}
		}
		known.Update(ids[i].ID, nil, ports)
	}
	repo.SetNamedPortsGetter(namedPorts{known})
	for _, np := range w.Policies {
		entries, err := k8s.ParseNetworkPolicy(logger, "default", np)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		repo.MustAddPolicyEntries(entries)
	}
	subjects := identity.IdentityMap{}
	for _, id := range byLabels {
		subjects[id.ID] = id.LabelArray
		manager.Add(id)
	}
	repo.UpdateIdentities(subjects, nil)
	redirects := map[string]uint16{policy.FallbackRedirectID: math.MaxUint16}
	computed := map[identity.NumericIdentity]policy.SelectorPolicy{}
	policies := make([]*policy.EndpointPolicy, len(w.Pods))
	for i, p := range w.Pods {
		selected := computed[ids[i].ID]
		if selected == nil {
			selected, _, err = repo.ComputeSelectorPolicy(ids[i])
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(2)
			}
			computed[ids[i].ID] = selected
		}
		policies[i] = selected.DistillPolicy(logger, &owner{id: uint64(i), ports: p.Ports}, redirects)
		policies[i].Ready()
	}
	compiled := time.Now()

	denied := 0
	for _, t := range w.Tuples {
		proto := u8proto.TCP
		if t.Protocol == "UDP" {
			proto = u8proto.UDP
		}
		peer := outside[t.DstIP]
		if t.Dst >= 0 {
			peer = ids[t.Dst].ID
		}
		entry, _, _ := policies[t.Src].Lookup(policy.EgressKey().WithIdentity(peer).WithPortProto(proto, t.Port))
		deny := entry.IsDeny()
		if t.Dst >= 0 {
			entry, _, _ = policies[t.Dst].Lookup(policy.IngressKey().WithIdentity(ids[t.Src].ID).WithPortProto(proto, t.Port))
			deny = deny || entry.IsDeny()
		}
		if deny {
			denied++
		}
	}
	judged := time.Now()
	out, _ := json.Marshal(map[string]any{
		"compileMs": compiled.Sub(started).Seconds() * 1000, "judgeMs": judged.Sub(compiled).Seconds() * 1000, "denied": denied,
	})
	fmt.Println(string(out))
}
