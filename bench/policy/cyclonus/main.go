// SPDX-License-Identifier: Apache-2.0

// Command cyclonus judges the bench world of bench/policy.ts with cyclonus' pkg/matcher, the engine behind the
// NetworkPolicy cases, and prints what it took. Reads {policies, namespaces, pods, tuples} as JSON from a file.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

type pod struct {
	Namespace string            `json:"namespace"`
	Labels    map[string]string `json:"labels"`
	IP        string            `json:"ip"`
	Ports     map[string]int    `json:"ports"`
}

// A side is a pod's number, or -1 with an address.
type tuple struct {
	Src      int    `json:"src"`
	Dst      int    `json:"dst"`
	DstIP    string `json:"dstIP"`
	Protocol string `json:"protocol"`
	Port     int    `json:"port"`
}

type world struct {
	Policies   []*networkingv1.NetworkPolicy `json:"policies"`
	Namespaces map[string]map[string]string  `json:"namespaces"`
	Pods       []pod                         `json:"pods"`
	Tuples     []tuple                       `json:"tuples"`
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
	peers := make([]*matcher.TrafficPeer, len(w.Pods))
	for i, p := range w.Pods {
		peers[i] = &matcher.TrafficPeer{
			Internal: &matcher.InternalPeer{PodLabels: p.Labels, NamespaceLabels: w.Namespaces[p.Namespace], Namespace: p.Namespace},
			IP:       p.IP,
		}
	}
	started := time.Now()
	policy := matcher.BuildNetworkPolicies(true, w.Policies)
	compiled := time.Now()
	denied := 0
	for _, t := range w.Tuples {
		dst := &matcher.TrafficPeer{IP: t.DstIP}
		name := ""
		if t.Dst >= 0 {
			dst = peers[t.Dst]
			for n, port := range w.Pods[t.Dst].Ports {
				if port == t.Port && t.Protocol == "TCP" {
					name = n
				}
			}
		}
		traffic := &matcher.Traffic{Source: peers[t.Src], Destination: dst, ResolvedPort: t.Port, ResolvedPortName: name, Protocol: v1.Protocol(t.Protocol)}
		if !policy.IsTrafficAllowed(traffic).IsAllowed() {
			denied++
		}
	}
	judged := time.Now()
	out, _ := json.Marshal(map[string]any{
		"compileMs": compiled.Sub(started).Seconds() * 1000, "judgeMs": judged.Sub(compiled).Seconds() * 1000, "denied": denied,
	})
	fmt.Println(string(out))
}
