// SPDX-License-Identifier: Apache-2.0

// Command oracle lets Cilium's own pkg/policy judge case files: it reads cases (JSON lines, format of docs/policy.md) on
// stdin, fills in the verdicts of their flows between pods, and writes them on stdout for `weir policy verify`. Cases whose
// policies Cilium refuses are named on stderr and left out.
//
//	node bench/policy/mix-cases.ts SEED COUNT | (cd bench/policy/oracle && go run .) > mixed.jsonl
//	weir policy verify mixed.jsonl
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"

	"github.com/cilium/cilium/pkg/endpoint/regeneration"
	"github.com/cilium/cilium/pkg/identity"
	"github.com/cilium/cilium/pkg/identity/identitymanager"
	"github.com/cilium/cilium/pkg/k8s"
	v2 "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2"
	slim_networkingv1 "github.com/cilium/cilium/pkg/k8s/slim/k8s/api/networking/v1"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/option"
	"github.com/cilium/cilium/pkg/policy"
	"github.com/cilium/cilium/pkg/policy/api"
	putils "github.com/cilium/cilium/pkg/policy/utils"
	"github.com/cilium/cilium/pkg/types"
	"github.com/cilium/cilium/pkg/u8proto"
	policyv1alpha2 "sigs.k8s.io/network-policy-api/apis/v1alpha2"
	"sigs.k8s.io/yaml"
)

type object = map[string]any
type owner struct {
	id    uint64
	ports types.NamedPortMap
}

func (o *owner) GetID() uint64 { return o.id }
func (o *owner) GetIngressNamedPort(name string, proto u8proto.U8proto) uint16 {
	p, _ := o.ports.GetNamedPort(name, proto)
	return p
}
func (o *owner) PolicyDebug(string, ...any)                  {}
func (o *owner) IsHost() bool                                { return false }
func (o *owner) PreviousMapStateSizes() policy.MapStateSizes { return policy.MapStateSizes{} }
func (o *owner) RegenerateIfAlive(*regeneration.ExternalRegenerationMetadata) <-chan bool {
	ch := make(chan bool)
	close(ch)
	return ch
}

type namedPorts struct{ known types.NamedPortMultiMap }

func (n namedPorts) GetNamedPorts() types.NamedPortMultiMap { return n.known }

type policyCase struct {
	ID         string `json:"id"`
	Config     object `json:"config"`
	Namespaces []struct {
		Name   string
		Labels map[string]string
	} `json:"namespaces"`
	Pods []struct {
		Namespace, Name string
		Labels          map[string]string
		ServiceAccount  string
		Ports           []struct {
			Name     string
			Port     int
			Protocol string
		}
	} `json:"pods"`
	Policies string   `json:"policies"`
	Flows    []object `json:"flows"`
}

// judge fills in the verdicts; false when Cilium refuses a policy.
func judge(cs *policyCase, logger *slog.Logger) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			ok = false
		}
	}()
	b := func(k string, d bool) bool {
		if v, ok := cs.Config[k].(bool); ok {
			return v
		}
		return d
	}
	cluster, _ := cs.Config["clusterName"].(string)
	if cluster == "" {
		cluster = "default"
	}
	api.InitEntities(cluster)
	option.Config.EnableL7Proxy = true
	option.Config.EnableICMPRules = true
	option.Config.EnableNonDefaultDenyPolicies = b("nonDefaultDeny", true)
	option.Config.UnsafeDaemonConfigOption.AllowLocalhost = option.AllowLocalhostPolicy
	if b("allowLocalhost", true) {
		option.Config.UnsafeDaemonConfigOption.AllowLocalhost = option.AllowLocalhostAlways
	}
	mode, _ := cs.Config["policyEnforcement"].(string)
	if mode == "" {
		mode = "default"
	}
	policy.SetPolicyEnabled(mode)
	nsl := map[string]map[string]string{}
	for _, n := range cs.Namespaces {
		nsl[n.Name] = n.Labels
	}
	all := identity.IdentityMap{}
	by := map[string]*identity.Identity{}
	ids := []*identity.Identity{}
	next := identity.NumericIdentity(1000)
	idx := map[string]int{}
	known := types.NewNamedPortMultiMap()
	pm := []types.NamedPortMap{}
	for i, p := range cs.Pods {
		l := labels.Labels{}
		add := func(k, v string) { l[k] = labels.NewLabel(k, v, labels.LabelSourceK8s) }
		for k, v := range p.Labels {
			add(k, v)
		}
		for k, v := range nsl[p.Namespace] {
			add("io.cilium.k8s.namespace.labels."+k, v)
		}
		add("io.kubernetes.pod.namespace", p.Namespace)
		add("io.cilium.k8s.policy.cluster", cluster)
		add("io.cilium.k8s.policy.serviceaccount", p.ServiceAccount)
		key := string(l.SortedList())
		if by[key] == nil {
			by[key] = identity.NewIdentity(next, l)
			all[next] = by[key].LabelArray
			next++
		}
		ids = append(ids, by[key])
		idx[p.Namespace+"/"+p.Name] = i
		m := types.NamedPortMap{}
		for _, q := range p.Ports {
			m.AddPort(q.Name, q.Port, q.Protocol)
		}
		pm = append(pm, m)
		known.Update(by[key].ID, nil, m)
	}
	mgr := identitymanager.NewIDManager(logger)
	repo := policy.NewPolicyRepository(logger, all, nil, nil, mgr, nil)
	repo.SetNamedPortsGetter(namedPorts{known})
	for _, doc := range strings.Split(cs.Policies, "\n---\n") {
		var head struct {
			Kind string `json:"kind"`
		}
		if yaml.Unmarshal([]byte(doc), &head) != nil || head.Kind == "" {
			continue
		}
		switch head.Kind {
		case "NetworkPolicy":
			var o slim_networkingv1.NetworkPolicy
			if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
				return false
			}
			e, err := k8s.ParseNetworkPolicy(logger, cluster, &o)
			if err != nil {
				return false
			}
			repo.MustAddPolicyEntries(e)
		case "ClusterNetworkPolicy":
			var o policyv1alpha2.ClusterNetworkPolicy
			if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
				return false
			}
			e, err := k8s.ParseClusterNetworkPolicy(logger, cluster, &o)
			if err != nil {
				return false
			}
			repo.MustAddPolicyEntries(e)
		case "CiliumNetworkPolicy":
			var o v2.CiliumNetworkPolicy
			if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
				return false
			}
			r, err := o.Parse(logger, cluster)
			if err != nil {
				return false
			}
			repo.MustAddPolicyEntries(putils.RulesToPolicyEntries(r))
		case "CiliumClusterwideNetworkPolicy":
			var o v2.CiliumClusterwideNetworkPolicy
			if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
				return false
			}
			r, err := o.Parse(logger, cluster)
			if err != nil {
				return false
			}
			repo.MustAddPolicyEntries(putils.RulesToPolicyEntries(r))
		}
	}
	subj := identity.IdentityMap{}
	for _, id := range by {
		subj[id.ID] = id.LabelArray
		mgr.Add(id)
	}
	repo.UpdateIdentities(subj, nil)
	eps := make([]*policy.EndpointPolicy, len(ids))
	for i := range ids {
		sp, _, err := repo.ComputeSelectorPolicy(ids[i])
		if err != nil {
			return false
		}
		eps[i] = sp.DistillPolicy(logger, &owner{id: uint64(i), ports: pm[i]}, map[string]uint16{policy.FallbackRedirectID: math.MaxUint16})
		eps[i].Ready()
	}
	protos := map[string]u8proto.U8proto{"TCP": u8proto.TCP, "UDP": u8proto.UDP, "SCTP": u8proto.SCTP, "ICMP": u8proto.ICMP, "ICMPv6": u8proto.ICMPv6}
	out := []object{}
	for _, f := range cs.Flows {
		s, ok1 := idx[f["src"].(string)]
		d, ok2 := idx[f["dst"].(string)]
		port := uint16(f["port"].(float64))
		if !ok1 || !ok2 || port == 0 {
			continue
		}
		pr := protos[f["proto"].(string)]
		eg, _, _ := eps[s].Lookup(policy.EgressKey().WithIdentity(ids[d].ID).WithPortProto(pr, port))
		in, _, _ := eps[d].Lookup(policy.IngressKey().WithIdentity(ids[s].ID).WithPortProto(pr, port))
		v := func(e policy.MapStateEntry) string {
			if e.IsDeny() {
				return "deny"
			}
			return "allow"
		}
		r := object{"src": f["src"], "dst": f["dst"], "proto": f["proto"], "port": f["port"], "egress": v(eg), "ingress": v(in), "verdict": "deny"}
		if v(eg) == "allow" && v(in) == "allow" {
			r["verdict"] = "allow"
		}
		if !eg.IsDeny() && eg.IsRedirectEntry() {
			r["egressL7"] = true
		}
		if !in.IsDeny() && in.IsRedirectEntry() {
			r["ingressL7"] = true
		}
		auth := []string{}
		if !eg.IsDeny() && eg.AuthRequirement.AuthType() != 0 {
			auth = append(auth, "egress:"+eg.AuthRequirement.AuthType().String())
		}
		if !in.IsDeny() && in.AuthRequirement.AuthType() != 0 {
			auth = append(auth, "ingress:"+in.AuthRequirement.AuthType().String())
		}
		if len(auth) > 0 {
			r["auth"] = strings.Join(auth, " ")
		}
		out = append(out, r)
	}
	cs.Flows = out
	return true
}

func main() {
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	sc := bufio.NewScanner(os.Stdin)
	sc.Buffer(make([]byte, 1<<20), 1<<26)
	for sc.Scan() {
		var raw object
		json.Unmarshal(sc.Bytes(), &raw)
		if l, ok := raw["policies"].([]any); ok {
			s := []string{}
			for _, x := range l {
				s = append(s, x.(string))
			}
			raw["policies"] = strings.Join(s, "\n---\n")
		}
		t, _ := json.Marshal(raw)
		var cs policyCase
		if err := json.Unmarshal(t, &cs); err != nil {
			fmt.Fprintln(os.Stderr, err)
			continue
		}
		if judge(&cs, logger) {
			raw["flows"] = cs.Flows
			o, _ := json.Marshal(raw)
			fmt.Println(string(o))
		} else {
			fmt.Fprintln(os.Stderr, "skip", cs.ID)
		}
	}
}
